"""Reading feeds: what is staged, what can't be relied on, and what is said of it."""

from collections.abc import Callable, Iterator
from pathlib import Path

from sync.engine.doors import Feed
from sync.engine.gather import REPORT_EVERY, Gathered, gather
from sync.errors import SourceError
from sync.mapping import FeedRule, FieldRule, compile_feed, fingerprint
from sync.model import Kind, Row
from sync.state.database import open_to_read
from sync.state.store import Store

NOT_THERE = Path("/nonexistent/state.db")
RULES = {
    Kind.LEARNER: {"key": FieldRule(column="no"), "username": FieldRule(column="login")},
    Kind.TEST: {"external_test_id": FieldRule(column="code")},
    Kind.CANDIDATE: {"test": FieldRule(column="code"), "learner": FieldRule(column="no")},
}
SOUND: dict[Kind, list[dict[str, str]]] = {
    Kind.LEARNER: [{"no": "1001", "login": "ase"}],
    Kind.TEST: [{"code": "Ø-1"}],
    Kind.CANDIDATE: [{"code": "Ø-1", "no": "1001"}],
}


def a_feed(kind: Kind, rows: list[dict[str, str]], broken: bool = False, may_be_empty: bool = False) -> Feed:
    place = f"{kind}s.csv"

    def read() -> Iterator[Row]:
        yield from (Row(line, values) for line, values in enumerate(rows, start=2))
        if broken:
            raise SourceError(f"{place} line 9", "is cut off", "export it again")

    columns = tuple(SOUND[kind][0])
    mapper = compile_feed(FeedRule(kind, RULES[kind], {}), place)
    return Feed(kind, place, lambda: columns, read, mapper, may_be_empty)


def gathered(
    feeds: list[Feed], say: Callable[[str, int, int | None], None] = lambda *_: None
) -> tuple[Gathered, set[tuple[Kind, str]]]:
    """The readings, and the keys of the learners that are wanted afterwards with the places of their rows."""

    def progress(phase: str, done: int, total: int | None = None) -> None:
        say(phase, done, total)

    with open_to_read(NOT_THERE) as connection:
        store = Store(connection, [feed.place for feed in feeds], fingerprint)
        result = gather(feeds, store, progress)
        return result, {(Kind.LEARNER, f"{learner.key} {where}") for learner, where in store.staged_learners()}


def sound(kind: Kind) -> Feed:
    return a_feed(kind, SOUND[kind])


def test_whole_feeds_let_absence_prove_something_for_every_kind() -> None:
    result, learners = gathered([sound(kind) for kind in Kind])
    assert result.trouble == {}
    assert result.unhealthy == []
    assert learners == {(Kind.LEARNER, "1001 learners.csv line 2")}


def test_a_feed_that_breaks_off_adds_nothing_and_takes_its_kinds_absences_with_it() -> None:
    broken = a_feed(Kind.LEARNER, SOUND[Kind.LEARNER], broken=True)
    result, learners = gathered([broken, sound(Kind.TEST), sound(Kind.CANDIDATE)])
    assert learners == set()
    assert list(result.trouble) == [Kind.LEARNER]
    assert "learners.csv line 9: is cut off; export it again" in result.unhealthy[0]


def test_one_broken_feed_of_a_kind_is_enough_and_the_other_is_used_all_the_same() -> None:
    broken = a_feed(Kind.LEARNER, [{"no": "1002", "login": "ola"}], broken=True)
    result, learners = gathered([sound(Kind.LEARNER), broken, sound(Kind.TEST), sound(Kind.CANDIDATE)])
    assert Kind.LEARNER in result.trouble
    assert learners == {(Kind.LEARNER, "1001 learners.csv line 2")}


def test_a_kind_without_a_feed_has_no_removals() -> None:
    result, _ = gathered([sound(Kind.LEARNER), sound(Kind.TEST)])
    assert result.trouble == {Kind.CANDIDATE: "no feed of kind candidate"}


def test_an_empty_feed_is_unhealthy_unless_it_may_be_empty() -> None:
    for may_be_empty in (False, True):
        empty = a_feed(Kind.CANDIDATE, [], may_be_empty=may_be_empty)
        result, _ = gathered([sound(Kind.LEARNER), sound(Kind.TEST), empty])
        assert (Kind.CANDIDATE in result.trouble) is not may_be_empty
        assert bool(result.unhealthy) is not may_be_empty


def test_a_row_whose_key_cannot_be_read_is_named_as_what_withholds_its_kind() -> None:
    blank = a_feed(Kind.CANDIDATE, [*SOUND[Kind.CANDIDATE], {"code": "", "no": "1001"}])
    result, _ = gathered([sound(Kind.LEARNER), sound(Kind.TEST), blank])
    assert result.trouble == {
        Kind.CANDIDATE: "the key in candidates.csv line 3 can't be read, so no candidate's absence proves anything"
    }
    assert [(reading.rows, reading.records, reading.faults) for reading in result.readings] == [
        (1, 1, 0),
        (1, 1, 0),
        (2, 1, 1),
    ]


def test_a_column_that_is_missing_is_said_before_any_row_is_read() -> None:
    feed = a_feed(Kind.TEST, [])
    lacking = Feed(feed.kind, feed.place, lambda: ("name",), feed.rows, feed.mapper)
    result, _ = gathered([sound(Kind.LEARNER), lacking, sound(Kind.CANDIDATE)])
    assert "tests.csv line 1: column 'code' is missing; its columns are name" in result.unhealthy[0]


def test_long_reading_is_told_now_and_then_and_at_its_end() -> None:
    said: list[tuple[str, int, int | None]] = []
    many = [{"no": str(n), "login": f"u{n}"} for n in range(REPORT_EVERY + 1)]
    gathered([a_feed(Kind.LEARNER, many)], lambda *words: said.append(words))
    phase = "reading learners.csv"
    assert said == [(phase, REPORT_EVERY, None), (phase, REPORT_EVERY + 1, REPORT_EVERY + 1)]
