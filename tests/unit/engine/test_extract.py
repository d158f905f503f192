"""Reading feeds: what is staged, what can't be relied on, and what is said of it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sync.engine.extract import feed_reader
from sync.engine.extract.extract import ExtractionResult, extract
from sync.engine.protocols import BoundSource, Feed
from sync.errors import SourceError
from sync.mapping import FeedRule, FieldRule, compile_feed, fingerprint
from sync.planning.absence import AbsenceDoubt
from sync.records.base import Kind, Row
from sync.records.kinds import key_of
from sync.state.sqlite.open import open_to_read
from sync.state.store import Store

from ...support.opened import opened

NOW = datetime(2026, 12, 1, 8, tzinfo=UTC)
NOT_THERE = Path("/nonexistent/state.db")
RULES = {
    Kind.LEARNER: {"key": FieldRule(column="no"), "username": FieldRule(column="login")},
    Kind.STAFF: {"key": FieldRule(column="no"), "username": FieldRule(column="login")},
    Kind.TEST: {"external_test_id": FieldRule(column="code")},
    Kind.OPTION: {
        "test": FieldRule(column="code"),
        "option": FieldRule(constant="LOCKDOWN_BROWSER"),
    },
    Kind.COMMITTEE: {"test": FieldRule(column="code"), "committee": FieldRule(column="group")},
    Kind.CONTRIBUTOR: {
        "test": FieldRule(column="code"),
        "staff": FieldRule(column="no"),
        "committees": FieldRule(column="group"),
    },
    Kind.CANDIDATE: {"test": FieldRule(column="code"), "learner": FieldRule(column="no")},
}
ROW = {"no": "1001", "login": "ase", "code": "Ø-1", "group": "A"}
NAMING = (Kind.COMMITTEE, Kind.CONTRIBUTOR)
"""The kinds whose feeds name committees here."""


def a_feed(
    kind: Kind,
    rows: Sequence[dict[str, str]] = (ROW,),
    broken: bool = False,
    allow_empty: bool = False,
) -> Feed:
    place = f"{kind}s.csv"

    def read() -> Iterator[Row]:
        yield from (Row(line, values) for line, values in enumerate(rows, start=2))
        if broken:
            raise SourceError(f"{place} line 9", "is cut off", "export it again")

    mapper = compile_feed(FeedRule(kind, RULES[kind], {}), place)
    return Feed(
        kind,
        BoundSource(place, place, opened(place, tuple(ROW), read)),
        mapper,
        allow_empty,
        kind in NAMING,
    )


def feeds(*instead: Feed, without: Sequence[Kind] = ()) -> list[Feed]:
    """A sound feed of each kind, but for those of these kinds: these instead, or none."""
    kinds = [kind for kind in Kind if kind not in {*without, *(feed.kind for feed in instead)}]
    return sorted([*map(a_feed, kinds), *instead], key=lambda feed: list(Kind).index(feed.kind))


def extracted(
    feeds: list[Feed], say: Callable[[str, int, int | None], None] = lambda *_: None
) -> tuple[ExtractionResult, set[str]]:
    """The readings, and who is wanted afterwards with the places of their rows."""

    def progress(phase: str, done: int, total: int | None = None) -> None:
        say(phase, done, total)

    with open_to_read(NOT_THERE) as connection:
        store = Store(connection, places=[feed.place for feed in feeds], fingerprint=fingerprint)
        result = extract(feeds, store, NOW, progress)
        return result, {
            f"{person.kind} {key_of(person)[0]}: {where}"
            for person, where in store.staging.people()
        }


LEARNER, STAFF = "learner 1001: learners.csv line 2", "staff 1001: staffs.csv line 2"


def test_whole_feeds_let_absence_prove_something_for_every_kind() -> None:
    result, people = extracted(feeds())
    assert result.trouble == {}
    assert result.unhealthy == []
    assert people == {LEARNER, STAFF}
    assert result.kinds == set(Kind)


@pytest.mark.parametrize("kind", list(Kind))
def test_a_feed_that_breaks_off_adds_nothing_and_takes_its_kinds_absences_with_it(
    kind: Kind,
) -> None:
    result, people = extracted(feeds(a_feed(kind, broken=True)))
    assert people == {LEARNER, STAFF} - {LEARNER if kind is Kind.LEARNER else ""} - {
        STAFF if kind is Kind.STAFF else ""
    }
    assert set(result.trouble) == {kind, *([Kind.COMMITTEE] if kind in NAMING else [])}
    assert f"{kind}s.csv line 9: is cut off; export it again" in result.unhealthy[0]


def test_one_broken_feed_of_a_kind_is_enough_and_the_other_is_used_all_the_same() -> None:
    broken = a_feed(Kind.LEARNER, [{**ROW, "no": "1002"}], broken=True)
    result, people = extracted(feeds(a_feed(Kind.LEARNER), broken))
    assert set(result.trouble) == {Kind.LEARNER}
    assert LEARNER in people


@pytest.mark.parametrize("kind", [Kind.CANDIDATE, Kind.CONTRIBUTOR, Kind.OPTION, Kind.STAFF])
def test_a_kind_without_a_feed_has_no_removals(kind: Kind) -> None:
    result, _ = extracted(feeds(without=[kind]))
    assert result.trouble == {kind: AbsenceDoubt(f"no feed of kind {kind}")}


def test_committees_need_no_feed_of_their_own_where_others_name_them() -> None:
    result, _ = extracted(feeds(without=[Kind.COMMITTEE]))
    assert result.trouble == {}
    result, _ = extracted(feeds(without=[*NAMING]))
    assert result.trouble[Kind.COMMITTEE].reason == "no feed of kind committee"


def test_a_committees_absence_rests_on_every_feed_that_names_committees() -> None:
    blank = a_feed(Kind.CONTRIBUTOR, [ROW, {**ROW, "code": ""}])
    result, _ = extracted(feeds(blank))
    assert result.trouble[Kind.COMMITTEE] == result.trouble[Kind.CONTRIBUTOR]
    assert "contributors.csv line 3" in result.trouble[Kind.COMMITTEE].reason


def test_an_empty_feed_is_unhealthy_unless_it_allow_empty() -> None:
    for allow_empty in (False, True):
        result, _ = extracted(feeds(a_feed(Kind.CANDIDATE, [], allow_empty=allow_empty)))
        assert (Kind.CANDIDATE in result.trouble) is not allow_empty
        assert bool(result.unhealthy) is not allow_empty


def test_a_row_whose_key_cannot_be_read_is_named_as_what_defers_its_kind() -> None:
    result, _ = extracted(feeds(a_feed(Kind.CANDIDATE, [ROW, {**ROW, "code": ""}])))
    assert result.trouble == {
        Kind.CANDIDATE: AbsenceDoubt(
            "the key in candidates.csv line 3 can't be read, so no candidate's absence proves anything"
        )
    }
    read = [(reading.rows, reading.records, reading.row_errors) for reading in result.reports]
    assert read == [(1, 1, 0)] * 6 + [(2, 1, 1)]


def test_a_column_that_is_missing_is_said_before_any_row_is_read() -> None:
    door = BoundSource("tests", "tests.csv", opened("tests.csv", ["name"], lambda: iter(())))
    feed = replace(a_feed(Kind.TEST, []), source=door)
    result, _ = extracted(feeds(feed))
    assert (
        "tests.csv: column 'code' is missing (it has 1 column); correct the source"
        in result.unhealthy[0]
    )


def test_a_long_read_is_reported_at_intervals_and_at_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feed_reader, "REPORT_EVERY", 100)
    reported: list[tuple[str, int, int | None]] = []
    many = [{**ROW, "no": str(n)} for n in range(101)]
    extracted([a_feed(Kind.LEARNER, many)], lambda *words: reported.append(words))
    phase = "reading learners.csv"
    assert reported == [(phase, 100, None), (phase, 101, 101)]
