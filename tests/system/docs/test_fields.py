"""A field of a record is on every page, and in the sandbox, that a new field could be missing from."""

import pytest
from sync.records.base import Kind
from sync.records.kinds import COMPARED, RECORD_TYPES
from sync.sandbox.schemas import SCHEMAS

from .pages import HELP, rows

PEOPLE = {
    "username": "login|user name",
    "external_id": "external id",
    "auth_system": "external id",
    "first_name": "names",
    "last_name": "names",
    "email": "email",
}
ON_A_TEST = {
    "roles": "roles",
    "committees": "committees",
    "room": "room",
    "building": "building|room",
    "candidate_id": "number",
    "extra_time": "extra time",
}
WORDS = {
    Kind.LEARNER: PEOPLE,
    Kind.STAFF: PEOPLE
    | {"status": "status", "accesses": "accesses", "organisations": "organisations"},
    Kind.CONTRIBUTOR: ON_A_TEST,
    Kind.CANDIDATE: ON_A_TEST,
}
"""How the pages call each field that says something about a person."""

SENT = {
    Kind.LEARNER: "Student",
    Kind.STAFF: "Staff",
    Kind.TEST: "TestToSave",
    Kind.COMMITTEE: "Committees",
    Kind.CONTRIBUTOR: "Contributors",
    Kind.CANDIDATE: "CandidatesToSave",
}
"""The sandbox's schema of the body in which each kind is sent."""


@pytest.mark.parametrize("kind", WORDS)
def test_the_page_about_privacy_names_every_field_that_is_stored(kind: Kind) -> None:
    (stored,) = [what for where, what in rows(HELP["privacy"].read_text()) if where == "the state"]
    assert not missing_from(stored, kind)


@pytest.mark.parametrize("kind", WORDS)
def test_the_page_of_calls_names_every_field_that_is_sent(kind: Kind) -> None:
    table = {row[0]: row[1] for row in rows(HELP["calls"].read_text()) if len(row) == 2}
    text = table[kind].replace("the same, and", table["learner"] + ",")
    assert not missing_from(text, kind)


@pytest.mark.parametrize("kind", SENT)
def test_the_sandbox_accepts_every_field_that_is_sent(kind: Kind) -> None:
    known = set(member_names(SCHEMAS[SENT[kind]]))
    assert set(RECORD_TYPES[kind].members) <= known


def missing_from(text: str, kind: Kind) -> list[str]:
    """Return the compared fields of a kind for which the text has no word."""
    return [
        name
        for name in COMPARED[kind]
        if not any(word in text for word in WORDS[kind].get(name, f"a word for {name}").split("|"))
    ]


def member_names(schema: object) -> list[str]:
    """Return the names of all members in a schema, at any depth."""
    if isinstance(schema, list):
        return [name for each in schema for name in member_names(each)]
    if not isinstance(schema, dict):
        return []
    own = list(schema.get("properties", {}))
    return own + [name for each in schema.values() for name in member_names(each)]
