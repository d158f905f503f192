"""Our words into the vendor's: bodies and queries."""

from collections.abc import Mapping
from typing import Final

from sync.contract import Call
from sync.records.base import Kind, listed
from sync.records.changes import Fields
from sync.records.fields import RecordType
from sync.records.learner import LEARNER
from sync.records.staff import STAFF
from sync.records.test import TEST

_STATUSES: Final = {"active": "ACTIVE", "disabled": "DISABLED"}
_USER_TYPES: Final = {Kind.LEARNER: "student", Kind.STAFF: "admin"}


def wrapped(call: Call, content: object) -> object:
    """Return what is sent, inside the member that the call has for it, when it has one."""
    return {call.wrapper: content} if call.wrapper else content


def learner(fields: Fields, password: str | None) -> dict[str, object]:
    """Return a learner to be created or updated by `username` (vendor contract, Users API).

    What is `None` is left out.

    That external ids are taken in this form is inferred.
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


def staff(fields: Fields, password: str | None = None) -> dict[str, object]:
    """Return a member of staff to be saved by `username`.

    Vendor contract, Users API: administrative users; inferred.

    What is `None` is left out.
    """
    body = {
        **_person(STAFF, fields, password),
        "userType": _USER_TYPES[Kind.STAFF],
    }
    status = fields.get("status")
    return {**body, "status": _STATUSES[str(status)]} if status else body


def test(fields: Fields) -> dict[str, object]:
    """Return a test's title and times, without its template.

    Vendor contract, Test API: create or update.
    """
    return copied(TEST, fields)


def new_test(fields: Fields) -> dict[str, object]:
    """Return a test with the template that it is made from, which is sent this once.

    Vendor contract, Test API: create.
    """
    template = fields.get("template")
    if template is None or template == "":
        return test(fields)
    # A template is itself a test, and tests' ids are numbers (vendor contract, Conventions).
    number = isinstance(template, str) and template.isascii() and template.isdigit()
    return {**test(fields), "sourceTemplateId": int(template) if number else template}


def test_search(external_test_id: str) -> dict[str, str]:
    """Return the query that looks a test up by its external id.

    Vendor contract, Test API: search.
    """
    return {"externalTestID": external_test_id}


def person_search(words: str) -> dict[str, str]:
    """Return the query that looks people up.

    Vendor contract, Users API: search users, inferred.
    """
    return {"query": words}


def some_tests() -> dict[str, str]:
    """Return the plainest search, to see that it works.

    An empty one might be refused (vendor contract, Test API: search).
    """
    return {"query": "a"}


def export_order(kind: Kind) -> dict[str, object]:
    """Return an order for all users of one type (vendor contract, Users API: export users)."""
    return {"resourceType": "AllUsers", "parameters": {"userType": _USER_TYPES[kind]}}


def page(query: Mapping[str, str], number: int) -> dict[str, str]:
    """Return the same query for another page of its results.

    Vendor contract, Test API: search, inferred.
    """
    return {**query, "page": str(number)}


def token(client_id: str, key: str) -> tuple[dict[str, str], dict[str, str]]:
    """Query and headers that fetch a token.

    The key stays out of the address (vendor contract, Token).
    """
    query = {"grant_type": "authorization_code", "client_id": client_id}
    return query, {"code": key, "Content-Type": "application/x-www-form-urlencoded"}


def copied(record: RecordType, fields: Fields) -> dict[str, object]:
    """Return the fields that are sent as they are, under the vendor's names.

    What is `None` is left out.
    """
    return {
        theirs: list(listed(fields[name])) if record.fields[name].many else fields[name]
        for name, theirs in record.copied.items()
        if fields.get(name) is not None
    }
