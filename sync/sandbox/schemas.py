"""The schemas of all bodies, for `/apidoc` (vendor contract, Token to Test API)."""

from collections.abc import Mapping

from sync.sandbox.candidates import MAX_CANDIDATES
from sync.sandbox.committees import MAX_NAME, TYPES
from sync.sandbox.contributors import ROLES
from sync.sandbox.options import GROUPS
from sync.sandbox.people import STATUSES
from sync.sandbox.tests import MAX_TITLE
from sync.sandbox.wire import Json

_TEXT: Json = {"type": "string", "maxLength": 1000}
_NEEDED_TEXT: Json = _TEXT | {"minLength": 1}
_TEXT_OR_NOTHING: Json = {"type": "string", "nullable": True}
_TEXTS: Json = {"type": "array", "items": _NEEDED_TEXT}
_YES_OR_NO: Json = {"type": "boolean"}
_ID: Json = {"type": "integer", "format": "int64"}
_TIME: Json = {
    "type": "string",
    "format": "date-time",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$",
}
_MINUTES: Json = {"type": "integer", "minimum": 0, "maximum": 999_999_999}


def _object(needed: Mapping[str, Json], optional: Mapping[str, Json] | None = None) -> Json:
    """Return the schema of an object with these members and no others."""
    members = {**needed, **(optional or {})}
    schema: dict[str, Json] = {
        "type": "object",
        "additionalProperties": False,
        "properties": members,
    }
    return schema | {"required": list(needed)} if needed else schema


def _list(of: Json, *, least: int = 0) -> Json:
    return {"type": "array", "items": of, "minItems": least}


def _batch(name: str, entry: Json) -> Json:
    return _object({"authenticationSystem": _NEEDED_TEXT, name: _list(entry, least=1)})


_EXTERNAL_ID = _object({"authType": _NEEDED_TEXT, "externalId": _NEEDED_TEXT})
_EXTERNAL_USER_ID = _object({"authType": _TEXT, "externalUserId": _TEXT})
_USERNAME: Json = {"type": "string", "minLength": 1, "maxLength": 255}
_PERSON: Mapping[str, Json] = {
    "firstName": _TEXT,
    "lastName": _TEXT,
    "email": {"type": "string", "maxLength": 254},
}
_PLACE: Mapping[str, Json] = {
    "roomName": _TEXT,
    "buildingName": _TEXT,
    "removeRoomName": _YES_OR_NO,
    "removeBuildingName": _YES_OR_NO,
    "committeesName": _TEXTS,
}
_COMMITTEE: Json = {"type": "string", "minLength": 1, "maxLength": MAX_NAME}
_RELATIONS: Mapping[str, Json] = {"isAssessmentPath": _YES_OR_NO, "parentId": _ID}
_VALUE: Json = {"anyOf": [{"type": "string"}, {"type": "number"}, {"type": "boolean"}]}
_OPTION = _object({"option": _NEEDED_TEXT, "value": _VALUE})
_TO_REMOVE = _object({"externalId": _NEEDED_TEXT})

_SENT: dict[str, Json] = {
    "Student": _object(
        {"username": _USERNAME}, {**_PERSON, "password": _TEXT, "externalIds": _list(_EXTERNAL_ID)}
    ),
    "Staff": _object(
        {"username": _USERNAME},
        {
            **_PERSON,
            "password": _TEXT,
            "externalIds": _list(_EXTERNAL_ID),
            "externalId": _TEXT,
            "externalSystem": _TEXT,
            "orgUnitName": _TEXT,
            "roles": _TEXTS,
            "userType": _TEXT,
            "status": {"enum": list(STATUSES)},
            "authorizedAccesses": _TEXTS,
            "organisations": _TEXTS,
        },
    ),
    "TestToSave": _object(
        {
            "externalTestId": _NEEDED_TEXT,
            "title": {
                "type": "string",
                "minLength": 1,
                "maxLength": MAX_TITLE,
                "pattern": r"^[^\[\]]*$",
            },
            "startTime": _TIME,
            "endTime": _TIME,
            "duration": _MINUTES | {"minimum": 1},
        },
        {
            "sourceTemplateId": {
                "anyOf": [_ID | {"minimum": 0}, {"type": "string", "pattern": "^[0-9]{1,18}$"}]
            }
        },
    ),
    "Options": _object({"testOptions": _object({}, {group: _list(_OPTION) for group in GROUPS})}),
    "Committees": _object(
        {
            "committees": _list(
                _object({"name": _COMMITTEE}, {"type": {"enum": list(TYPES)}}), least=1
            )
        }
    ),
    "Contributors": _batch(
        "contributors",
        _object(
            {"externalId": _NEEDED_TEXT, "roles": _list({"enum": list(ROLES)}, least=1)},
            {**_PERSON, **_PLACE, "sendNotification": _YES_OR_NO},
        ),
    ),
    "ContributorsToRemove": _batch("contributors", _TO_REMOVE),
    "CandidatesToSave": _batch(
        "candidates",
        _object(
            {"externalId": _NEEDED_TEXT},
            {**_PERSON, **_PLACE, "candidateId": _TEXT, "extraTimeMins": _MINUTES},
        ),
    ),
    "CandidatesToRemove": _batch("candidates", _TO_REMOVE),
    "Order": _object(
        {
            "resourceType": {"enum": ["AllUsers"]},
            "parameters": _object({"userType": {"enum": ["student", "admin"]}}),
        }
    ),
}

_ANSWERED: dict[str, Json] = {
    "Token": _object(
        {"access_token": _NEEDED_TEXT, "expires_in": {"type": "integer", "minimum": 0}}
    ),
    "TokenError": _object({"error": _TEXT}, {"description": _TEXT}),
    "Errors": _object({"success": _YES_OR_NO, "errors": _list({"type": "string"}, least=1)}),
    "Done": _object({"success": _YES_OR_NO}, {"errors": _list({"type": "string"})}),
    "Saved": _object(
        {"success": _YES_OR_NO, "username": _USERNAME}, {"errors": _list({"type": "string"})}
    ),
    "SavedTest": _object(
        {"success": _YES_OR_NO, "assessmentRunId": _ID, "status": {"enum": ["created", "updated"]}},
        {"errors": _list({"type": "string"})},
    ),
    "User": _object(
        {"userId": _ID, "username": _USERNAME, **_PERSON, "externalIds": _list(_EXTERNAL_ID)},
        {"status": {"enum": list(STATUSES)}},
    ),
    "Job": _object({"jobId": _NEEDED_TEXT}),
    "JobStatus": _object(
        {"status": {"enum": ["inProgress", "success", "failed", "error"]}},
        {"exportInfo": _object({"signedResponseUrl": {"type": "string", "format": "uri"}})},
    ),
    "Test": _object(
        {
            "name": {"type": "string", "maxLength": MAX_TITLE},
            "contributors": _list(
                _object(
                    {
                        "userId": _ID,
                        "firstName": _TEXT,
                        "lastName": _TEXT,
                        "userName": _USERNAME,
                        "roles": _list({"enum": [f"ar_{role}" for role in ROLES]}),
                        "externalUserIds": _list(_EXTERNAL_USER_ID),
                        "committees": _list(_COMMITTEE),
                    }
                )
            ),
            "committees": _list(_object({"name": _COMMITTEE, "type": {"enum": list(TYPES)}})),
        },
        _RELATIONS,
    ),
    "WrappedTest": _object({"result": {"$ref": "#/components/schemas/Test"}}),
    "FoundTests": _object(
        {
            "hits": {"type": "integer", "minimum": 0},
            "page": {"type": "integer", "minimum": 1},
            "results": _list(
                _object(
                    {
                        "assessmentRunId": _ID,
                        "assessmentRunTitle": {"type": "string", "maxLength": MAX_TITLE},
                        "externalId": _NEEDED_TEXT,
                        "status": {"enum": ["SCHEDULED", "ACTIVE", "FINISHED"]},
                        "startTime": _TIME,
                        "endTime": _TIME,
                        "isTemplate": _YES_OR_NO,
                        "metadataUrl": {"type": "string", "format": "uri"},
                    },
                    _RELATIONS,
                )
            ),
        }
    ),
    "Candidates": _object(
        {
            "candidates": {
                "type": "array",
                "maxItems": MAX_CANDIDATES,
                "items": _object(
                    {
                        "userId": _ID,
                        "candidateId": _TEXT_OR_NOTHING,
                        "externalUserIds": _list(_EXTERNAL_USER_ID),
                        "extraTimeMins": _MINUTES,
                    }
                ),
            }
        }
    ),
}

SCHEMAS: Mapping[str, Json] = _SENT | _ANSWERED
