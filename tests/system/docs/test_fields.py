"""A field of a record is on every page, and in the sandbox, that a new field could be missing from."""

import pytest
from sync.records.base import Kind
from sync.records.kinds import RECORD_TYPES
from sync.sandbox.schemas import SCHEMAS

from .pages import HELP, rows, section
from .regenerate import fields_sent, fields_stored

SENT = {
    Kind.LEARNER: "Student",
    Kind.STAFF: "Staff",
    Kind.TEST: "TestToSave",
    Kind.COMMITTEE: "Committees",
    Kind.CONTRIBUTOR: "Contributors",
    Kind.CANDIDATE: "CandidatesToSave",
}
"""The sandbox's schema of the body in which each kind is sent."""


def test_the_page_about_privacy_names_every_field_that_is_stored() -> None:
    table = rows(section(HELP["privacy"], "Fields of the state"))
    assert table == [list(row) for row in fields_stored()], "run `make pages`"


def test_the_page_of_calls_names_every_field_that_is_sent() -> None:
    table = rows(section(HELP["calls"], "What is sent"))
    assert table == [list(row) for row in fields_sent()], "run `make pages`"


@pytest.mark.parametrize("kind", SENT)
def test_the_sandbox_accepts_every_field_that_is_sent(kind: Kind) -> None:
    assert set(RECORD_TYPES[kind].members) <= set(member_names(SCHEMAS[SENT[kind]]))


def member_names(schema: object) -> list[str]:
    """Return the names of all members in a schema, at any depth."""
    if isinstance(schema, list):
        return [name for each in schema for name in member_names(each)]
    if not isinstance(schema, dict):
        return []
    own = list(schema.get("properties", {}))
    return own + [name for each in schema.values() for name in member_names(each)]
