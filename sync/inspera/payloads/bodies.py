"""Our words into the vendor's: bodies and queries."""

from collections.abc import Mapping, Sequence
from typing import Final

from sync.found import Assignment
from sync.plan import Fields, Value

_LEARNER: Final = {
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
_CANDIDATE: Final = {
    "candidate_id": "candidateId",
    "extra_time": "extraTimeMins",
    "room": "roomName",
    "building": "buildingName",
}


def learner(fields: Fields, password: str | None) -> dict[str, object]:
    """A learner to be created or updated by `username` (vendor contract, Users API). What is `None` is left out.

    That external ids are taken in this form is inferred.
    """
    body: dict[str, object] = dict(_worded(_LEARNER, fields))
    auth_system, external_id = fields.get("auth_system"), fields.get("external_id")
    if auth_system and external_id:
        body["externalIds"] = [{"authType": auth_system, "externalId": external_id}]
    if password:
        body["password"] = password
    return body


def test(fields: Fields) -> dict[str, object]:
    """A test's title and times, without its template (vendor contract, Test API: create or update)."""
    return dict(_worded(_TEST, fields))


def new_test(fields: Fields) -> dict[str, object]:
    """A test with the template that it is made from, which is sent this once (vendor contract, Test API: create)."""
    template = fields.get("template")
    if template is None or template == "":
        return test(fields)
    # A template is itself a test, and tests' ids are numbers (vendor contract, Conventions).
    number = isinstance(template, str) and template.isascii() and template.isdigit()
    return {**test(fields), "sourceTemplateId": int(template) if number else template}


def assignments(auth_system: str, seats: Sequence[Assignment]) -> dict[str, object]:
    """Candidates to be put on a test, all of one auth system (vendor contract, Test API: candidates; inferred)."""
    listed = [{"externalId": seat.external_id, **_worded(_CANDIDATE, seat.fields)} for seat in seats]
    return {"authenticationSystem": auth_system, "candidates": listed}


def removals(auth_system: str, seats: Sequence[Assignment]) -> dict[str, object]:
    """Candidates to be taken off a test, all of one auth system (vendor contract, Test API: candidates; inferred)."""
    listed = [{"externalId": seat.external_id} for seat in seats]
    return {"authenticationSystem": auth_system, "candidates": listed}


def test_search(external_test_id: str) -> dict[str, str]:
    """The query that looks a test up by its external id (vendor contract, Test API: search)."""
    return {"externalTestID": external_test_id}


def person_search(words: str) -> dict[str, str]:
    """The query that looks people up (vendor contract, Users API: search users; inferred)."""
    return {"query": words}


def page(query: Mapping[str, str], number: int) -> dict[str, str]:
    """The same query for another page of its results (vendor contract, Test API: search; inferred)."""
    return {**query, "page": str(number)}


def token(client_id: str, key: str) -> tuple[dict[str, str], dict[str, str]]:
    """Query and headers that fetch a token; the key stays out of the address (vendor contract, Token)."""
    query = {"grant_type": "authorization_code", "client_id": client_id}
    return query, {"code": key, "Content-Type": "application/x-www-form-urlencoded"}


def _worded(words: Mapping[str, str], fields: Fields) -> dict[str, Value]:
    return {theirs: fields[ours] for ours, theirs in words.items() if fields.get(ours) is not None}
