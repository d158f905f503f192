"""What reading back needs: known records, a test's times, written records, an export."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sync.mapping import fingerprint
from sync.records.base import Key, Kind
from sync.records.changes import Action, Fields, Outcome, Result
from sync.records.kinds import COMPARED
from sync.records.remote import RemotePerson
from sync.state.journal import Journal
from sync.state.store import Store

from ...support.examples import examples
from .databases import blank
from .journalled import START, line

pytestmark = pytest.mark.usefixtures("database")

ALL_KEPT = {"remote_id", "lifecycle", "managed", "updated"}


class Book:
    """A state with a journal that writes into it."""

    def __init__(self) -> None:
        self._opened = blank()
        self.connection = connection = self._opened.__enter__()
        self.store = Store(connection, places=[], fingerprint=fingerprint)
        self.journal = Journal(connection, lambda: START, "apply")

    def close(self) -> None:
        self._opened.__exit__(None, None, None)

    def know(self, kind: Kind, *key: str, **fields: str | int | None) -> None:
        self.journal.known.remember(kind, key, fields, remote_id="9")


@pytest.fixture
def book() -> Iterator[Book]:
    book = Book()
    yield book
    book.close()


def everything(book: Book, kind: Kind) -> dict[Key, Fields]:
    return dict(book.store.known.everything(kind))


@pytest.mark.parametrize("kind", list(Kind))
def test_all_that_is_known_of_a_kind_is_read_page_by_page_with_all_its_fields(
    book: Book, kind: Kind
) -> None:
    keys: list[Key] = [
        (f"T{n}", "x") if len(kind_key(kind)) > 1 else (f"{n}",) for n in range(1_100)
    ]
    for key in keys:
        book.know(kind, *key)
    read = everything(book, kind)
    assert set(read) == set(keys)
    assert set(read[keys[0]]) == {*COMPARED[kind], *ALL_KEPT}


def kind_key(kind: Kind) -> tuple[str, ...]:
    return ("test", "other") if kind not in (Kind.LEARNER, Kind.STAFF, Kind.TEST) else ("key",)


def test_what_is_read_may_be_forgotten_or_changed_meanwhile(book: Book) -> None:
    for n in range(1_100):
        book.know(Kind.CANDIDATE, "T", str(n))
    read = []
    for number, (key, _) in enumerate(book.store.known.everything(Kind.CANDIDATE)):
        read.append(key)
        if number % 2:
            book.journal.known.forget(Kind.CANDIDATE, key)
        else:
            book.know(Kind.CANDIDATE, *key, room="R 1")
    assert len(read) == len(set(read)) == 1_100


def test_who_is_not_active_any_more_is_not_read(book: Book) -> None:
    book.know(Kind.LEARNER, "7")
    book.connection.execute(text("UPDATE known_learner SET lifecycle = 'released'"))
    assert everything(book, Kind.LEARNER) == {}


def test_staff_who_are_disabled_are_still_kept_in_step_and_so_they_are_read(book: Book) -> None:
    book.know(Kind.STAFF, "7")
    intent = line((Kind.STAFF, ("7",)), Action.DISABLE)
    book.journal.record([(None, intent, Outcome(Result.DONE))])
    assert list(everything(book, Kind.STAFF)) == [("7",)]


@pytest.mark.parametrize(
    ("hours", "begun", "ended"),
    [(-0.1, False, False), (0, True, False), (4.4, True, False), (4.5, True, True)],
)
def test_a_test_runs_from_its_start_until_the_longest_extra_time_is_over(
    book: Book, hours: float, begun: bool, ended: bool
) -> None:
    book.know(Kind.TEST, "T", start="2026-09-01T08:00:00Z", end="2026-09-01T12:00:00Z")
    book.know(Kind.CANDIDATE, "T", "1", extra_time=30)
    book.know(Kind.CANDIDATE, "T", "2", extra_time=10)
    now = START + timedelta(hours=hours)
    assert book.store.known.window("T", now) == ("2026-09-01T08:00:00Z", begun, ended)


def test_a_test_without_known_times_has_neither_begun_nor_ended(book: Book) -> None:
    book.know(Kind.TEST, "T", start="2026-09-01T08:00:00Z")
    assert (
        book.store.known.window("T", START)
        == book.store.known.window("U", START)
        == ("", False, False)
    )


def write(
    book: Book, keys: Sequence[Key], kind: Kind = Kind.CANDIDATE, result: Result = Result.DONE
) -> None:
    lines = [line((kind, key), Action.CREATE) for key in keys]
    intents = book.journal.intend(lines)
    book.journal.record([(i, one, Outcome(result)) for i, one in zip(intents, lines, strict=True)])


@settings(deadline=None, max_examples=examples(15))
@given(st.integers(0, 60), st.integers(1, 25), st.integers(1, 3))
def test_a_sample_of_what_was_written_is_spread_evenly_whatever_was_written_between(
    many: int, most: int, between: int
) -> None:
    book = Book()
    for n in range(many):
        write(book, [("T", f"{n:03}")])
        write(book, [(f"{n}-{m}",) for m in range(between)], Kind.LEARNER)
    sample = [
        one.key[1]
        for one in book.store.earlier_runs.written(book.journal.run_id, Kind.CANDIDATE, most)
    ]
    everyone = [
        one.key[1]
        for one in book.store.earlier_runs.written(book.journal.run_id, Kind.CANDIDATE, None)
    ]
    book.close()
    assert everyone == [f"{n:03}" for n in range(many)]
    assert sample == everyone if many <= most else min(most, many) / 2 <= len(sample) <= most
    steps = {int(b) - int(a) for a, b in pairwise(sample)}
    assert len(steps) <= 1


@pytest.mark.parametrize(
    ("result", "read"),
    [
        (Result.DONE, 1),
        (Result.FOUND, 1),
        (Result.REFUSED, 0),
        (Result.UNKNOWN, 0),
        (Result.NOT_SENT, 0),
    ],
)
def test_only_what_this_run_has_surely_written_is_read_back(
    book: Book, result: Result, read: int
) -> None:
    write(book, [("T", "1")], result=result)
    run = book.journal.run_id
    written = list(book.store.earlier_runs.written(run, Kind.CANDIDATE, None))
    assert [(one.kind, one.key, one.action, one.at) for one in written] == [
        (Kind.CANDIDATE, ("T", "1"), Action.CREATE, START)
    ] * read
    assert list(book.store.earlier_runs.written(run + 1, Kind.CANDIDATE, None)) == []


def person(n: int, *ids: tuple[str, str], status: str | None = None) -> RemotePerson:
    return RemotePerson(
        f"u{n}", f"login{n}", ids, "Åse", f"Prøvesen {n}", f"p{n}@example.edu", status
    )


def test_an_export_is_held_against_the_known_by_external_id_then_by_username(book: Book) -> None:
    book.know(Kind.STAFF, "7", username="old", auth_system="FEIDE", external_id="a")
    book.know(Kind.STAFF, "8", username="login2")
    book.know(Kind.STAFF, "9", username="login9", auth_system="FEIDE", external_id="z")
    rows = book.store.exports.stage(
        Kind.STAFF,
        [
            person(1, ("LTI", "other"), ("FEIDE", "a"), status="disabled"),
            person(2),
            person(3, ("LTI", "z")),
            person(4),
        ],
    )
    read = {key[0]: found for key, _, found in book.store.exports.read(Kind.STAFF)}
    assert rows == 5
    assert read["7"] == person(1, ("FEIDE", "a"), status="disabled")
    assert read["8"] == person(2)
    assert read["9"] is None
    assert list(book.store.exports.strangers(Kind.STAFF)) == ["login4", "z"]


def test_one_person_under_two_ids_is_no_stranger_when_one_of_them_is_known(book: Book) -> None:
    book.know(Kind.LEARNER, "1", username="other", auth_system="FEIDE", external_id="a")
    book.store.exports.stage(Kind.LEARNER, [person(1, ("LTI", "b"), ("FEIDE", "a"))])
    assert list(book.store.exports.strangers(Kind.LEARNER)) == []
