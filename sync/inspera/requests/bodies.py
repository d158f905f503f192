"""Our words into the vendor's: bodies and queries."""

from collections.abc import Mapping
from typing import Final

from sync.contract import Call
from sync.records.base import Kind, listed
from sync.records.changes import Fields, Value

_PERSON: Final = {
    "username": "username",
    "first_name": "firstName",
    "last_name": "lastName",
    "email": "email",
}
_TEST: Final = {
    "external_test_id": "externalTestId",
    "title": "title",
    "start": "startTime",
    "end": "endTime",
    "duration": "duration",
}
_STAFF_LISTS: Final = {"accesses": "authorizedAccesses", "organisations": "organisations"}
_STATUSES: Final = {"active": "ACTIVE", "disabled": "DISABLED"}
_USER_TYPES: Final = {Kind.LEARNER: "student", Kind.STAFF: "admin"}


def wrapped(call: Call, content: object) -> object:
    """What is sent, inside the member that the call has for it, when it has one."""
    return {call.wrapper: content} if call.wrapper else content


def learner(fields: Fields, password: str | None) -> dict[str, object]:
    """A learner to be created or updated by `username` (vendor contract, Users API). What is `None` is left out.

    That external ids are taken in this form is inferred.
    """
    body: dict[str, object] = dict(worded(_PERSON, fields))
    auth_system, external_id = fields.get("auth_system"), fields.get("external_id")
    if auth_system and external_id:
        body["externalIds"] = [{"authType": auth_system, "externalId": external_id}]
    if password:
        body["password"] = password
    return body


def staff(fields: Fields, password: str | None = None) -> dict[str, object]:
    """A member of staff to be saved by `username` (vendor contract, Users API: administrative users; inferred).

    What is `None` is left out.
    """
    body = {
        **learner(fields, password),
        "userType": _USER_TYPES[Kind.STAFF],
        **lists(_STAFF_LISTS, fields),
    }
    status = fields.get("status")
    return {**body, "status": _STATUSES[str(status)]} if status else body


def test(fields: Fields) -> dict[str, object]:
    """A test's title and times, without its template (vendor contract, Test API: create or update)."""
    return dict(worded(_TEST, fields))


def new_test(fields: Fields) -> dict[str, object]:
    """A test with the template that it is made from, which is sent this once (vendor contract, Test API: create)."""
    template = fields.get("template")
    if template is None or template == "":
        return test(fields)
    # A template is itself a test, and tests' ids are numbers (vendor contract, Conventions).
    number = isinstance(template, str) and template.isascii() and template.isdigit()
    return {**test(fields), "sourceTemplateId": int(template) if number else template}


def test_search(external_test_id: str) -> dict[str, str]:
    """The query that looks a test up by its external id (vendor contract, Test API: search)."""
    return {"externalTestID": external_test_id}


def person_search(words: str) -> dict[str, str]:
    """The query that looks people up (vendor contract, Users API: search users; inferred)."""
    return {"query": words}


def some_tests() -> dict[str, str]:
    """The plainest search, to see that it works: an empty one might be refused (vendor contract, Test API: search)."""
    return {"query": "a"}


def export_order(kind: Kind) -> dict[str, object]:
    """An order for all users of one type (vendor contract, Users API: export users)."""
    return {"resourceType": "AllUsers", "parameters": {"userType": _USER_TYPES[kind]}}


def page(query: Mapping[str, str], number: int) -> dict[str, str]:
    """The same query for another page of its results (vendor contract, Test API: search; inferred)."""
    return {**query, "page": str(number)}


def token(client_id: str, key: str) -> tuple[dict[str, str], dict[str, str]]:
    """Query and headers that fetch a token; the key stays out of the address (vendor contract, Token)."""
    query = {"grant_type": "authorization_code", "client_id": client_id}
    return query, {"code": key, "Content-Type": "application/x-www-form-urlencoded"}


def worded(words: Mapping[str, str], fields: Fields) -> dict[str, Value]:
    """Fields under the vendor's names; what is `None` is left out."""
    return {theirs: fields[ours] for ours, theirs in words.items() if fields.get(ours) is not None}


def lists(words: Mapping[str, str], fields: Fields) -> dict[str, list[str]]:
    """The same for fields that hold several values (`sync.records.base.joined`)."""
    return {theirs: list(listed(value)) for theirs, value in worded(words, fields).items()}
