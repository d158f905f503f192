"""What the pilot group needs in addition to its own records: their tests, people and committees."""

from collections.abc import Callable, Iterator

from sqlalchemy import Connection

from sync.records.base import Key, Kind, listed
from sync.records.kinds import COMPARED, KEY_FIELDS, ON_A_TEST, PERSON_OF
from sync.state.dialect import analyse, create_index, insert, stream
from sync.state.staging.scratch import chunks

Covers = Callable[[Kind, Key], bool]
"""The question whether a record belongs to the pilot group."""


def fill_needed(connection: Connection, covers: Covers) -> None:
    """Store what the wanted records of the pilot group need. Needs everything wanted staged."""
    for kind in ON_A_TEST:
        for chunk in chunks(_needed_by(connection, kind, covers)):
            insert(connection, "pilot_need", ("kind", "k1", "k2"), chunk)
    create_index(connection, "ix_pilot_need", "pilot_need (kind, k1, k2)")
    analyse(connection, "pilot_need")


def _needed_by(
    connection: Connection, kind: Kind, covers: Covers
) -> Iterator[tuple[str, str, str]]:
    part, person = KEY_FIELDS[kind][1], PERSON_OF.get(kind)
    committees = "w.committees" if "committees" in COMPARED[kind] else "NULL"
    query = f"SELECT w.test, w.{part} AS part, {committees} AS committees FROM wanted_{kind} w"
    for row in stream(connection, query):
        if not covers(kind, (row.test, row.part)):
            continue
        yield Kind.TEST.value, row.test, ""
        if person:
            yield person.value, row.part, ""
        for committee in listed(row.committees):
            yield Kind.COMMITTEE.value, row.test, committee
