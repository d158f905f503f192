"""What the state keeps about a person, on both databases: exported, and forgotten."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, text
from sync.records.base import Kind
from sync.records.changes import Action, Outcome, Result
from sync.state.audit.reader import verify
from sync.state.journal import Journal
from sync.state.people import Eraser, Person, export, find_kinds, read_standing
from sync.state.schema import METADATA

from .databases import blank
from .journalled import START as NOW
from .journalled import line

pytestmark = pytest.mark.usefixtures("database")
KEY = "s1001"


@pytest.fixture
def state() -> Iterator[Connection]:
    with blank() as connection:
        journal = Journal(connection, lambda: NOW, "apply")
        for identity in (
            (Kind.LEARNER, (KEY,)),
            (Kind.LEARNER, ("s2002",)),
            (Kind.CANDIDATE, ("PRV1-H26", KEY)),
        ):
            one = line(identity, Action.CREATE, f"of {identity[1][-1]}")
            (intent,) = journal.intend([one])
            journal.record([(intent, one, Outcome(Result.DONE))])
            journal.find("held", identity[0], identity[1], "", f"learner {KEY} and s2002 clash")
        journal.end("done", 0, {}, [f"{KEY} is held"])
        yield connection


def whole_text(state: Connection) -> str:
    return "".join(
        str(state.execute(table.select()).all())
        for table in METADATA.sorted_tables
        if table.name != "audit_person"
    )


def test_a_person_is_forgotten_and_another_stays(state: Connection) -> None:
    person = Person(Kind.LEARNER, KEY)
    assert read_standing(state, person).seats == 1
    others = export(state, Person(Kind.LEARNER, "s2002"))
    eraser = Eraser(state)
    eraser.forget(person)
    eraser.scrub()
    state.commit()
    assert KEY not in whole_text(state)
    assert find_kinds(state, KEY) == []
    assert verify(state)[0] is None
    left = export(state, Person(Kind.LEARNER, "s2002"))
    assert left["known_learner"] == others["known_learner"]
    assert left["intent"] == others["intent"]
    assert left["finding"][0]["text"] == "learner (forgotten) and s2002 clash"


def test_an_export_has_every_table_with_the_person(state: Connection) -> None:
    kept = export(state, Person(Kind.LEARNER, KEY))
    assert set(kept) == {"known_learner", "known_candidate", "intent", "finding", "audit"}
    assert not find_kinds(state, "nobody")


def test_every_table_with_keys_is_known_to_the_search(state: Connection) -> None:
    assert state.execute(text("SELECT 1")).scalar() == 1
    keyed = {
        table.name
        for table in METADATA.sorted_tables
        if {"k1", "k2"} & set(table.columns.keys()) or "key" in table.columns
    }
    from sync.state.people import _places

    people = {f"known_{kind}" for kind in ("learner", "staff", "test")}
    searched = {table.name for table, _ in _places(Person(Kind.LEARNER, KEY))}
    assert keyed - searched <= people | {"digest_key"}
