"""The sandbox's own OpenAPI 3 schema of all endpoints, as a tenant publishes one at `/apidoc`.

It does not contain signed links, because clients use those without a schema.
"""

from collections.abc import Mapping

from sync.sandbox.schemas import SCHEMAS
from sync.sandbox.wire import Json

_TEST = {
    "name": "testId",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "minLength": 1},
}
_ON_TEST = [
    _TEST,
    {
        "name": "isExternal",
        "in": "query",
        "description": "testId is the caller's own external test id",
        "schema": {"type": "boolean"},
    },
]


def apidoc(base: str) -> Json:
    """Return the schema of the sandbox at `base`, its address without a final slash."""
    return {
        "openapi": "3.0.3",
        "info": {"title": "A local Inspera for rehearsals", "version": "1"},
        "servers": [{"url": f"{base}/api"}],
        "security": [{"bearer": []}],
        "paths": {"/authenticate/token/": {"post": _TOKEN}} | _people() | _exports() | _tests(),
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "schemas": SCHEMAS,
        },
    }


def _people() -> dict[str, Json]:
    user = [_path("userId")]
    users = _answers(200, _list(_ref("User")))
    words = {
        "name": "query",
        "in": "query",
        "required": True,
        "schema": {"type": "string", "minLength": 1},
    }
    student = {
        "name": "includeStudent",
        "in": "query",
        "description": "learners are found, too",
        "schema": {"type": "boolean"},
    }
    return {
        "/v1/users/student": {"post": _call("makes or changes a learner", "Saved", body="Student")},
        "/v1/users": {"post": _call("makes or changes a member of staff", "Saved", body="Staff")},
        "/v1/users/search": {"get": _call("searches people", users, [words])},
        "/v1/users/external/{authType}/{externalId}": {
            "get": _call(
                "people with an external id",
                users,
                [_path("authType"), _path("externalId"), student],
            )
        },
        "/v1/users/{userId}": {
            "get": _call("one person", "User", user),
            "delete": _call("deletes a member of staff", "Done", user),
        },
    }


def _exports() -> dict[str, Json]:
    return {
        "/v1/fileExport/order": {"post": _call("orders an export of people", "Job", body="Order")},
        "/v1/fileExport/status/{jobId}": {
            "get": _call("whether an export is ready", "JobStatus", [_path("jobId")])
        },
    }


def _tests() -> dict[str, Json]:
    external = {"name": "isExternal", "in": "query", "required": True, "schema": {"enum": ["true"]}}
    texts = [
        {"name": name, "in": "query", "schema": {"type": "string"}}
        for name in ("externalTestID", "title", "query")
    ]
    page = {"name": "page", "in": "query", "schema": {"type": "integer", "minimum": 1}}
    saved = _answers(200, _ref("SavedTest")) | _answers(201, _ref("SavedTest"))
    wrapped = _answers(200, {"anyOf": [_ref("Test"), _ref("WrappedTest")]})
    return {
        "/v1/test": {
            "post": _call("makes or changes a test", saved, [external], body="TestToSave")
        },
        "/v1/test/search": {"get": _call("searches tests", "FoundTests", [*texts, page])},
        "/v1/test/{testId}": {"get": _call("one test, perhaps inside a result", wrapped, _ON_TEST)},
        "/v1/test/{testId}/activate": {"post": _call("activates a test", "Done", _ON_TEST)},
        "/v1/test/{testId}/options": {
            "post": _call("sets options", "Done", _ON_TEST, body="Options")
        },
        "/v1/test/{testId}/committees": {
            "post": _call("makes committees", "Done", _ON_TEST, body="Committees"),
            "delete": _call("removes committees", "Done", _ON_TEST, body="Committees"),
        },
        "/v1/test/{testId}/contributors": {
            "post": _call("puts staff on a test", "Done", _ON_TEST, body="Contributors"),
            "delete": _call(
                "takes staff off a test", "Done", _ON_TEST, body="ContributorsToRemove"
            ),
        },
        "/v1/test/{testId}/candidates": {
            "get": _call("who sits a test", "Candidates", _ON_TEST),
            "post": _call("puts learners on a test", "Done", _ON_TEST, body="CandidatesToSave"),
            "delete": _call(
                "takes learners off a test", "Done", _ON_TEST, body="CandidatesToRemove"
            ),
        },
    }


def _call(
    summary: str,
    answer: str | Mapping[str, Json],
    parameters: list[Json] | None = None,
    body: str = "",
) -> dict[str, Json]:
    answers = _answers(200, _ref(answer)) if isinstance(answer, str) else answer
    refusals = {
        status: text for status, text in _REFUSALS.items() if body or status not in {"409", "413"}
    }
    call: dict[str, Json] = {"summary": summary, "parameters": parameters or []}
    if body:
        call["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _ref(body)}},
        }
    return call | {
        "responses": {
            **answers,
            **{one: _says(text, _ref("Errors")) for one, text in refusals.items()},
        }
    }


_REFUSALS = {
    "400": "something in the call is wrong",
    "401": "the bearer token is missing, unknown or has expired",
    "404": "what the path names does not exist",
    "409": "it belongs to another user",
    "413": "the body is too long",
    "429": "too many calls",
    "500": "not known whether it was carried out",
    "502": "not known whether it was carried out",
    "503": "not known whether it was carried out",
}


def _says(description: str, schema: Json) -> Json:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _answers(status: int, schema: Json) -> dict[str, Json]:
    return {str(status): _says("carried out, unless it has errors", schema)}


def _path(name: str) -> Json:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "schema": {"type": "string", "minLength": 1},
    }


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _list(schema: Json) -> Json:
    return {"type": "array", "items": schema}


_TOKEN: Json = {
    "summary": "an access token for an hour",
    "security": [],
    "parameters": [
        {
            "name": "grant_type",
            "in": "query",
            "required": True,
            "schema": {"enum": ["authorization_code"]},
        },
        {
            "name": "client_id",
            "in": "query",
            "required": True,
            "schema": {"type": "string", "minLength": 1},
        },
        {
            "name": "code",
            "in": "header",
            "required": True,
            "schema": {"type": "string", "minLength": 1},
        },
        {
            "name": "Content-Type",
            "in": "header",
            "required": True,
            "schema": {"enum": ["application/x-www-form-urlencoded"]},
        },
    ],
    "responses": {
        "200": _says("a token", _ref("Token")),
        **{
            status: _says(text, _ref("TokenError"))
            for status, text in {
                "400": "the call is malformed",
                "401": "the client id or the key is wrong",
                "409": "multiple tokens for user",
            }.items()
        },
        "429": _says("too many calls", _ref("Errors")),
        "500": _says("no token", _ref("Errors")),
    },
}
