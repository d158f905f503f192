"""The audit log: its chain, its writers, and what any change of a line does to it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sync.errors import SyncError
from sync.records.base import Kind
from sync.records.changes import Action, Outcome, Result
from sync.state.audit import notes, people
from sync.state.audit.chain import START, Anchor, AuditLine, Event, Verifier
from sync.state.audit.log import AuditLog, Entry, read_end
from sync.state.audit.notes import Note
from sync.state.audit.reader import read_lines, verify
from sync.state.journal import Journal

from .databases import blank
from .journalled import START as NOW
from .journalled import line

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def state() -> Iterator[Connection]:
    with blank() as connection:
        yield connection


def clock() -> datetime:
    return NOW


def sent(journal: Journal, *keys: str) -> None:
    """Send the creation of these learners."""
    lines = [line((Kind.LEARNER, (key,)), Action.CREATE) for key in keys]
    intents = journal.intend(lines)
    journal.record(
        [(intent, one, Outcome(Result.DONE)) for intent, one in zip(intents, lines, strict=True)]
    )
    journal.commit()


def test_each_change_has_a_line_that_names_nobody(state: Connection) -> None:
    sent(Journal(state, clock, "apply", who="kari"), "s1001", "s1002")
    lines = [read.line for read in read_lines(state)]
    assert [(one.number, one.who, one.event, one.action, one.outcome) for one in lines] == [
        (1, "kari", "change", "create", "done"),
        (2, "kari", "change", "create", "done"),
    ]
    assert [read.person for read in read_lines(state)] == ["s1001", "s1002"]
    stored = str(state.execute(text("SELECT * FROM audit")).all())
    assert not any(word in stored for word in ("s1001", "s1002", "Åse"))


def test_a_forgotten_person_has_lines_that_verify_and_name_nobody(state: Connection) -> None:
    journal = Journal(state, clock, "apply")
    sent(journal, "1001")
    people.forget(state, Kind.LEARNER, "1001")
    sent(journal, "1001")
    first, second = read_lines(state)
    assert (first.person, second.person) == (None, "1001")
    assert first.line.person != second.line.person
    assert first.line.content != second.line.content
    assert verify(state)[0] is None


def test_an_outcome_that_is_rolled_back_has_no_line(state: Connection) -> None:
    journal = Journal(state, clock, "apply")
    one = line((Kind.LEARNER, ("1001",)), Action.CREATE)
    (intent,) = journal.intend([one])
    journal.record([(intent, one, Outcome(Result.DONE))])
    state.rollback()
    assert read_end(state) == Anchor(0, START)
    assert len(list(journal_open(state))) == 1


def journal_open(state: Connection) -> Iterator[object]:
    yield from state.execute(text("SELECT id FROM intent WHERE outcome IS NULL"))


@pytest.mark.parametrize(
    "statement", ["UPDATE audit SET who = 'x'", "DELETE FROM audit WHERE number = 1"]
)
def test_the_database_refuses_to_change_a_line(state: Connection, statement: str) -> None:
    sent(Journal(state, clock, "apply"), "1001")
    with pytest.raises((DBAPIError, SyncError), match=r"append-only|P0001"):
        state.execute(text(statement))
    state.rollback()
    assert verify(state)[0] is None


def without_triggers(state: Connection, statement: str) -> None:
    """Change the log as one can who owns the database."""
    if state.dialect.name == "postgresql":
        state.execute(text("SET LOCAL session_replication_role = replica"))
    else:
        for name in ("update", "delete"):
            state.execute(text(f"DROP TRIGGER IF EXISTS audit_no_{name}"))
    state.execute(text(statement))


def test_a_cut_end_is_found_by_the_record_of_the_run_and_by_an_anchor(state: Connection) -> None:
    journal = Journal(state, clock, "apply")
    sent(journal, "1001", "1002", "1003")
    journal.end("done", 0, {})
    _, anchor = verify(state)
    without_triggers(state, "DELETE FROM audit WHERE number = 3")
    broken, _ = verify(state)
    assert str(broken) == "line 3: is missing: when run 1 ended there were 3 lines"
    state.execute(text("UPDATE run SET audit_lines = NULL"))
    assert verify(state)[0] is None  # without the record only the anchor can tell
    broken, _ = verify(state, anchor)
    assert str(broken) == "line 3: is missing: by the anchor there were 3 lines"


def test_a_log_that_was_written_anew_differs_from_the_anchor(state: Connection) -> None:
    sent(Journal(state, clock, "apply"), "1001")
    broken, _ = verify(state, Anchor(1, "f" * 64))
    assert str(broken) == "line 1: differs from the anchor: lines were replaced"


def test_a_note_becomes_one_line_with_its_own_time_and_person(state: Connection) -> None:
    note = Note(Event.PAUSED, "2026-11-23T08:00:00Z", "ola")
    state.execute(
        text("INSERT INTO audit_note (id, content) VALUES (:id, :content)"),
        dict(zip(("id", "content"), notes.to_row(note), strict=True)),
    )
    notes.take_rows(state)
    notes.take_rows(state)
    (read,) = read_lines(state)
    assert (read.line.event, read.line.who, read.line.at) == ("paused", "ola", note.at)


def test_a_second_writer_of_the_same_number_is_refused(state: Connection) -> None:
    log = AuditLog(state, clock, "kari")
    log.append([Entry(event=Event.PAUSED)])
    copy = (
        "INSERT INTO audit SELECT number, at, who, run, event, kind, action, record, person, scope,"
        " outcome, content, details, hash FROM audit"
    )
    with pytest.raises((DBAPIError, SyncError)):
        state.execute(text(copy))
    state.rollback()


Chain = list[tuple[AuditLine, str]]


def chain(length: int) -> Chain:
    made, before = [], START
    for number in range(1, length + 1):
        one = AuditLine(number=number, at=f"2026-11-{number:02}", who="x", run=1, event="change")
        before = one.digest(before)
        made.append((one, before))
    return made


@st.composite
def damaged(draw: st.DrawFn) -> tuple[Chain, Chain, int]:
    """Return a chain, the same after one change, and the number of the line that is named."""
    whole = chain(draw(st.integers(2, 12)))
    at = draw(st.integers(0, len(whole) - 1))
    other, (one, digest) = list(whole), whole[at]
    match draw(st.sampled_from(["edit", "delete", "insert", "swap", "edit with hash"])):
        case "edit":
            field = draw(st.sampled_from(["who", "at", "action", "person", "content", "outcome"]))
            other[at] = (replace(one, **cast("Any", {field: "else"})), digest)
        case "edit with hash":
            before = whole[at - 1][1] if at else START
            forged = replace(one, who="else")
            other[at] = (forged, forged.digest(before))
            at += 1
        case "delete":
            del other[at]
        case "insert":
            other.insert(at, (replace(one, who="else"), digest))
        case "swap":
            at = min(at, len(whole) - 2)
            other[at], other[at + 1] = other[at + 1], other[at]
    return whole, other, at + 1


@settings(max_examples=60, deadline=None)
@given(damaged())
def test_any_damage_is_found_and_its_place_is_named(drawn: tuple[Chain, Chain, int]) -> None:
    whole, other, number = drawn
    anchor = Anchor(len(whole), whole[-1][1])
    assert Verifier(anchor).find_break(whole) is None
    found = Verifier(anchor).find_break(other)
    assert found is not None
    assert found.number == min(number, len(whole))
