"""The bodies and queries of calls for people, tests, exports and the token."""

from collections.abc import Mapping
from typing import Final

from sync.contract import FLAT, Call, StaffBody
from sync.records.base import Kind, listed
from sync.records.changes import Fields
from sync.records.fields import RecordType
from sync.records.learner import LEARNER
from sync.records.staff import STAFF
from sync.records.test import TEST

_STATUSES: Final = {"active": "ACTIVE", "disabled": "DISABLED"}
_FLAT_MEMBERS: Final = (
    "username",
    "externalId",
    "externalSystem",
    "firstName",
    "lastName",
    "email",
    "orgUnitName",
    "roles",
    "status",
)
_USER_TYPES: Final = {Kind.LEARNER: "student", Kind.STAFF: "admin"}


def wrapped(call: Call, content: object) -> object:
    """Return the content inside the call's wrapper, or unchanged if the call has none."""
    return {call.wrapper: content} if call.wrapper else content


def learner(fields: Fields, password: str | None) -> dict[str, object]:
    """Return the body that creates or updates a learner by `username`.

    Fields that are None are left out. The form of external ids is inferred (vendor contract, Users
    API).
    """
    return _person(LEARNER, fields, password)


def _person(record: RecordType, fields: Fields, password: str | None) -> dict[str, object]:
    body = copied(record, fields)
    auth_system, external_id = fields.get("auth_system"), fields.get("external_id")
    if auth_system and external_id:
        body["externalIds"] = [{"authType": auth_system, "externalId": external_id}]
    if password:
        body["password"] = password
    return body


def staff(
    fields: Fields, password: str | None = None, shape: StaffBody = FLAT
) -> dict[str, object]:
    """Return the body that creates or updates a member of staff by `username`.

    Fields that are None are left out. The flat shape is the vendor's own sample; its `status`, and
    all of the nested shape, are inferred (vendor contract, Users API: administrative users).
    """
    body = _flat(fields) if shape == FLAT else _nested(fields)
    status = fields.get("status")
    if status:
        body["status"] = _STATUSES[str(status)]
    return {**body, "password": password} if password else body


def _nested(fields: Fields) -> dict[str, object]:
    return {**_person(STAFF, fields, None), "userType": _USER_TYPES[Kind.STAFF]}


def _flat(fields: Fields) -> dict[str, object]:
    body = copied(STAFF, fields)
    groups, units = body.pop("authorizedAccesses", None), fields.get("organisations")
    auth_system, external_id = fields.get("auth_system"), fields.get("external_id")
    if auth_system and external_id:
        body |= {"externalId": external_id, "externalSystem": auth_system}
    if groups is not None:
        body["roles"] = groups
    if body.pop("organisations", None) is not None:
        # One name: `check` and `plan` report more of them as a row error.
        body["orgUnitName"] = units
    return body


def staff_members(shape: StaffBody) -> tuple[str, ...]:
    """Return the members that the body of a member of staff may have."""
    return (*_FLAT_MEMBERS, "password") if shape == FLAT else (*STAFF.members, "userType")


def test(fields: Fields) -> dict[str, object]:
    """Return the body that updates a test's title and times, without its template.

    See vendor contract, Test API: create or update.
    """
    return copied(TEST, fields)


def new_test(fields: Fields) -> dict[str, object]:
    """Return the body that creates a test from a template. Only this call sends the template.

    See vendor contract, Test API: create.
    """
    template = fields.get("template")
    if template is None or template == "":
        return test(fields)
    # A template is itself a test, and tests' ids are numbers (vendor contract, Conventions).
    number = isinstance(template, str) and template.isascii() and template.isdigit()
    return {**test(fields), "sourceTemplateId": int(template) if number else template}


def test_search(external_test_id: str) -> dict[str, str]:
    """Return the query for a test by its external id (vendor contract, Test API: search)."""
    return {"externalTestID": external_test_id}


def person_search(words: str) -> dict[str, str]:
    """Return the query that searches for people.

    The form is inferred (vendor contract, Users API: search users).
    """
    return {"query": words}


def some_tests() -> dict[str, str]:
    """Return the simplest query for tests, with which to try the call.

    Inspera might refuse an empty one (vendor contract, Test API: search).
    """
    return {"query": "a"}


def common_searches() -> list[dict[str, str]]:
    """Return queries of which one finds a test on almost any tenant."""
    return [some_tests(), {"query": "e"}, {"query": "1"}]


def export_order(kind: Kind) -> dict[str, object]:
    """Return the body that orders an export of all users of one type.

    See vendor contract, Users API: export users.
    """
    return {"resourceType": "AllUsers", "parameters": {"userType": _USER_TYPES[kind]}}


def page(query: Mapping[str, str], number: int) -> dict[str, str]:
    """Return the query for another page of the same results.

    The parameter is inferred (vendor contract, Test API: search).
    """
    return {**query, "page": str(number)}


def token(client_id: str, key: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return the query and the headers that fetch a token.

    The key is a header, because addresses reach access logs (vendor contract, Token).
    """
    query = {"grant_type": "authorization_code", "client_id": client_id}
    return query, {"code": key, "Content-Type": "application/x-www-form-urlencoded"}


def copied(record: RecordType, fields: Fields) -> dict[str, object]:
    """Return the fields that are sent unchanged, under the vendor's names, without those of None.

    A field that only a flag clears is never sent empty: that would clear nothing.
    """
    body: dict[str, object] = {}
    for name, theirs in record.copied.items():
        value, spec = fields.get(name), record.fields[name]
        if value == "" and spec.removed_as:
            body[spec.removed_as] = True
        elif value is not None:
            body[theirs] = list(listed(value)) if spec.many else value
    return body
