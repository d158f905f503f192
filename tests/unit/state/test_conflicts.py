"""Contradicting rows: each row error names the other's place, and known records stay."""

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sync.mapping import fingerprint
from sync.records.base import Key, Kind, RowError
from sync.records.candidate import Candidate
from sync.records.kinds import Record, key_of
from sync.records.learner import Learner
from sync.records.test import Test
from sync.state.staging.scratch import Origin
from sync.state.store import Store

from ...support.examples import examples
from .databases import blank

pytestmark = pytest.mark.usefixtures("database")

PLACES = ["a.csv", "b.csv", "exams.csv", "seats.csv"]
FEEDS = {Kind.LEARNER: 0, Kind.TEST: 2, Kind.CANDIDATE: 3}
Staged = tuple[Record, Origin | None, int]


def find_errors(
    *rows: Staged, second: Iterable[Staged] = ()
) -> tuple[list[RowError], dict[tuple[Kind, Key], int | None]]:
    """Return the row errors, and the minutes of the candidates that stay wanted.

    `second` comes from another file.
    """
    with blank() as connection:
        store = Store(connection, places=PLACES, fingerprint=fingerprint)
        for kind, feed in FEEDS.items():
            store.staging.stage(kind, feed, [row for row in rows if row[0].kind is kind])
        store.staging.stage(Kind.LEARNER, 1, second)
        store.staging.close(unsure=frozenset(Kind))
        wanted: dict[tuple[Kind, Key], int | None] = {}
        for record, _, _ in (*rows, *second):
            fields = store.staging.wanted(record.kind, key_of(record))
            if fields is not None:
                wanted[record.kind, key_of(record)] = fields.get("extra_time")  # type: ignore[assignment]  # an integer column
        return list(store.staging.row_errors()), wanted


def test_two_rows_that_say_otherwise_name_each_other_across_files() -> None:
    one, other = Learner("1001", first_name="Åse"), Learner("1001", first_name="Ase")
    row_errors, wanted = find_errors((one, None, 2), second=[(other, None, 7)])
    assert [(row_error.where, row_error.key) for row_error in row_errors] == [
        ("a.csv line 2", ("1001",)),
        ("b.csv line 7", ("1001",)),
    ]
    assert "b.csv line 7 has the same key" in row_errors[0].reason
    assert "a.csv line 2 has the same key" in row_errors[1].reason
    assert wanted == {}


def test_two_rows_that_say_the_same_are_one() -> None:
    same = Learner("1001", first_name="Åse")
    row_errors, wanted = find_errors((same, None, 2), second=[(same, None, 7)])
    assert (row_errors, list(wanted)) == ([], [(Kind.LEARNER, ("1001",))])


def test_a_blank_and_a_value_are_not_the_same() -> None:
    row_errors, _ = find_errors(
        (Learner("1001", email="a@example.edu"), None, 2), (Learner("1001"), None, 3)
    )
    assert len(row_errors) == 2


def test_keys_that_differ_in_case_alone_name_each_other_beyond_ascii_too() -> None:
    row_errors, wanted = find_errors(
        (Test("Øving"), None, 2), (Test("øving"), None, 3), (Test("oving"), None, 4)
    )
    assert {row_error.key for row_error in row_errors} == {("Øving",), ("øving",)}
    assert "exams.csv line 3" in row_errors[0].reason
    assert list(wanted) == [(Kind.TEST, ("oving",))]


def test_two_combinations_that_make_one_key_name_each_other() -> None:
    row_errors, _ = find_errors(
        (Test("A-B-C"), ("A\x1fB-C",), 2), (Test("A-B-C"), ("A-B\x1fC",), 9)
    )
    assert [
        "exams.csv line 9" in row_errors[0].reason,
        "exams.csv line 2" in row_errors[1].reason,
    ] == [
        True,
        True,
    ]


def test_two_learners_with_one_candidate_number_on_a_test_name_each_other() -> None:
    rows = [
        Candidate("T", "1", "17"),
        Candidate("T", "2", "17"),
        Candidate("T", "3", "18"),
        Candidate("U", "1", "17"),
    ]
    row_errors, wanted = find_errors(*((row, None, n) for n, row in enumerate(rows, start=2)))
    assert {row_error.key for row_error in row_errors} == {("T", "1"), ("T", "2")}
    assert (
        "seats.csv line 3 gives another learner the same candidate number" in row_errors[0].reason
    )
    assert set(wanted) == {(Kind.CANDIDATE, ("T", "3")), (Kind.CANDIDATE, ("U", "1"))}


def test_a_seat_that_writes_its_learner_in_another_case_keeps_the_seat_that_it_means() -> None:
    row_errors, wanted = find_errors(
        (Learner("ÅSE1"), None, 2),
        (Test("T"), None, 2),
        (Candidate("T", "åse1"), None, 5),
        (Candidate("T", "x"), None, 6),
    )
    assert [(row_error.where, row_error.key) for row_error in row_errors] == [
        ("seats.csv line 5", ("T", "ÅSE1"))
    ]
    assert (Kind.CANDIDATE, ("T", "x")) in wanted


def test_a_sound_row_does_not_outvote_a_bad_one_of_the_same_record() -> None:
    with blank() as connection:
        store = Store(connection, places=PLACES, fingerprint=fingerprint)
        store.staging.stage(
            Kind.LEARNER, 0, [(Learner("1001"), None, 2), (Learner("1002"), None, 3)]
        )
        store.staging.add_row_errors(
            [RowError("b.csv line 4", "email", "is bad", "correct it", Kind.LEARNER, ("1001",))]
        )
        store.staging.close(unsure=frozenset(Kind))
        assert store.staging.wanted(Kind.LEARNER, ("1001",)) is None
        assert store.staging.wanted(Kind.LEARNER, ("1002",)) is not None


@settings(deadline=None, max_examples=examples(15))
@given(st.integers(0, 100), st.integers(1, 600))
def test_a_share_of_the_duration_becomes_whole_minutes_rounded_up(
    percent: int, duration: int
) -> None:
    seat = Candidate("T", "1001", extra_share=percent * 3000)
    row_errors, wanted = find_errors((Test("T", duration=duration), None, 2), (seat, None, 3))
    minutes = wanted[Kind.CANDIDATE, ("T", "1001")]
    assert row_errors == []
    assert minutes is not None
    assert minutes - 1 < percent * duration / 100 <= minutes


@pytest.mark.parametrize(
    ("share", "duration", "minutes"),
    [
        (99_900, 240, 80),
        (37_500, 240, 30),
        (37_500, 241, 31),
        (100_000, 180, 60),
        (100_000, 181, 61),
    ],
)
def test_a_share_is_exact_before_it_is_rounded_up(share: int, duration: int, minutes: int) -> None:
    seat = Candidate("T", "1001", extra_share=share)
    _, wanted = find_errors((Test("T", duration=duration), None, 2), (seat, None, 3))
    assert wanted[Kind.CANDIDATE, ("T", "1001")] == minutes


@pytest.mark.parametrize(
    ("duration", "extra", "sound"), [(240, 240, True), (240, 241, False), (4320, 2000, True)]
)
def test_extra_time_is_at_most_as_long_as_the_test(duration: int, extra: int, sound: bool) -> None:
    seat = Candidate("T", "1001", extra_time=extra)
    row_errors, wanted = find_errors((Test("T", duration=duration), None, 2), (seat, None, 3))
    assert [row_error.field for row_error in row_errors] == ([] if sound else ["extra_time"])
    assert ((Kind.CANDIDATE, ("T", "1001")) in wanted) is sound


@pytest.mark.parametrize(("there", "fields"), [(True, ["extra_time"]), (False, [])])
def test_a_share_of_an_unknown_duration_is_a_row_error_unless_the_test_itself_is_missing(
    there: bool, fields: list[str]
) -> None:
    seat: Staged = (Candidate("T", "1001", extra_share=75_000), None, 3)
    row_errors, wanted = find_errors(*([(Test("T"), None, 2)] if there else []), seat)
    assert [row_error.field for row_error in row_errors] == fields
    assert ((Kind.CANDIDATE, ("T", "1001")) in wanted) is not there
