"""Draws worlds of a few records of each kind, with awkward keys."""

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from sync.mapping import fields_of, fingerprint
from sync.records.base import Key, Kind, RowError
from sync.records.candidate import Candidate
from sync.records.committee import Committee
from sync.records.contributor import Contributor
from sync.records.kinds import COMPARED, ON_A_TEST, Record, key_of
from sync.records.learner import Learner
from sync.records.option import Option
from sync.records.staff import Staff
from sync.records.test import Test

from .worlds import NOW, Identity, World

LONG = "lang" * 80
PEOPLE_KEYS = ("1", "01", "a", "A", "å", "Å", LONG)
TEST_KEYS = ("INF-1", "inf-1", "ØV 1", "øv 1", "01")
COMMITTEES = ("Å", "å", "B 1")
LOCKED, FREE = "LOCKDOWN_BROWSER", "EXPLANATION_OF_GRADES_ADMINISTRATION_ENABLED"
"""An option that can't change once its test has begun, and one that can."""
HOURS = ((-48, 4), (-1, 4), (-2, 2), (1, 4), (24, 4), (24 * 30, 4))
"""Starts from now, and lengths: ended, under way, just over (except extra time), frozen, soon,
later."""

lists_of_committees = st.sampled_from([None, None, "B 1", "B 1", "B 1\nÅ", "å"])


def learners(key: Key) -> st.SearchStrategy[Learner]:
    def make(login: int, look: int) -> Learner:
        name = f"{'U' if look == 8 else 'u'}{login}@example.edu"
        return Learner(
            key[0], name, name, "FEIDE", "Åse", f"Prøvesen {look}", f"p{look}@example.edu"
        )

    return st.builds(make, st.integers(1, 8), st.integers(1, 8))


def staff(key: Key) -> st.SearchStrategy[Staff]:
    def make(person: Learner, status: str | None) -> Staff:
        return Staff(*person[:7], status)

    return st.builds(make, learners(key), st.sampled_from([None, "active", "disabled"]))


def tests_of(key: Key) -> st.SearchStrategy[Test]:
    def make(name: int, external: int, hours: tuple[int, int]) -> Test:
        start = NOW + timedelta(hours=hours[0])
        return Test(
            key[0],
            f"x{external}",
            f"Øving {name}",
            start,
            start + timedelta(hours=hours[1]),
            60,
            "1001",
        )

    return st.builds(make, st.integers(1, 5), st.integers(1, 8), st.sampled_from(HOURS))


def options(key: Key) -> st.SearchStrategy[Option]:
    return st.builds(
        lambda value: Option(key[0], key[1], value),
        st.sampled_from([None, "true", "true", "false"]),
    )


def committees(key: Key) -> st.SearchStrategy[Committee]:
    return st.builds(
        lambda type_: Committee(key[0], key[1], type_),
        st.sampled_from([None, None, "GRADING", "REASSESSMENT"]),
    )


def contributors(key: Key) -> st.SearchStrategy[Contributor]:
    def make(roles: str, named: str | None, room: str | None, notify: int | None) -> Contributor:
        return Contributor(key[0], key[1], roles, named, room, None, notify)

    roles, rooms = (
        st.sampled_from(["evaluate", "monitor", "evaluate\nplan"]),
        st.sampled_from([None, None, None, "R 1"]),
    )
    return st.builds(make, roles, lists_of_committees, rooms, st.sampled_from([None, None, 1]))


def candidates(key: Key) -> st.SearchStrategy[Candidate]:
    def make(minutes: int | None, named: str | None) -> Candidate:
        # Numbers change hands by rules of their own, which test_candidate_numbers is about.
        return Candidate(key[0], key[1], None, minutes, committees=named)

    return st.builds(make, st.sampled_from([None, 0, 30]), lists_of_committees)


people_keys = st.sampled_from(PEOPLE_KEYS)
test_keys = st.sampled_from(TEST_KEYS)
KEYS: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.LEARNER: st.tuples(people_keys),
    Kind.STAFF: st.tuples(people_keys),
    Kind.TEST: st.tuples(test_keys),
    Kind.OPTION: st.tuples(test_keys, st.sampled_from([LOCKED, FREE])),
    Kind.COMMITTEE: st.tuples(test_keys, st.sampled_from(COMMITTEES)),
    Kind.CONTRIBUTOR: st.tuples(test_keys, people_keys),
    Kind.CANDIDATE: st.tuples(test_keys, people_keys),
}
LIFECYCLES = {
    Kind.LEARNER: ("active", "active", "released"),
    Kind.STAFF: ("active", "active", "disabled"),
    Kind.TEST: ("active", "active", "withdrawn", "retired"),
} | dict.fromkeys(ON_A_TEST, ("active", "active", "active", "retired"))
MAKERS: dict[Kind, Any] = {
    Kind.LEARNER: learners,
    Kind.STAFF: staff,
    Kind.TEST: tests_of,
    Kind.OPTION: options,
    Kind.COMMITTEE: committees,
    Kind.CONTRIBUTOR: contributors,
    Kind.CANDIDATE: candidates,
}


def records(kind: Kind, key: Key) -> st.SearchStrategy[Any]:
    """Any record of a kind with this key."""
    made: st.SearchStrategy[Any] = MAKERS[kind](key)
    return made


@st.composite
def known_records(draw: st.DrawFn, kind: Kind) -> dict[Identity, dict[str, Any]]:
    known = {}
    keys = draw(
        st.lists(KEYS[kind], max_size=6, unique_by=lambda key: tuple(part.lower() for part in key))
    )
    for key in keys:
        record = draw(records(kind, key))
        lifecycle = draw(st.sampled_from(LIFECYCLES[kind]))
        if kind is Kind.STAFF:
            record = record._replace(status="disabled" if lifecycle == "disabled" else None)
        fields = {
            name: value for name, value in fields_of(record).items() if name in COMPARED[kind]
        }
        told = {
            "fingerprint": draw(
                st.sampled_from([fingerprint(record), fingerprint(record), None, b"of old"])
            ),
            "lifecycle": lifecycle,
            "managed": draw(st.sampled_from([True, True, False])),
        }
        known[kind, key] = {"record": record, **fields, **told}
    return known


@st.composite
def rows_of(
    draw: st.DrawFn, kind: Kind, known: dict[Identity, dict[str, Any]]
) -> list[Record | RowError]:
    """Draw rows for some of what is known, for some that is new, and some row errors."""
    rows: list[Record | RowError] = []
    for identity in known:
        if identity[0] is kind and draw(st.booleans()):
            rows.append(
                draw(st.one_of(st.just(known[identity]["record"]), records(kind, identity[1])))
            )
    for key in draw(st.lists(KEYS[kind], max_size=4)):
        rows.append(draw(records(kind, key)))
    for key in draw(st.lists(KEYS[kind], max_size=draw(st.sampled_from([0, 0, 1, 2])))):
        whole = draw(st.sampled_from(["whole", "whole", "half", "none"]))
        half = (key[0], "") if kind in ON_A_TEST else None
        said = {"whole": key, "half": half, "none": None}[whole]
        rows.append(RowError(f"{kind}.csv line 99", "field", "is bad", "correct it", kind, said))
    return draw(st.permutations(rows))


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Any world of a few records of each kind."""
    known = {
        identity: fields for kind in Kind for identity, fields in draw(known_records(kind)).items()
    }
    rows = {kind: draw(rows_of(kind, known)) for kind in Kind}
    unread = draw(
        st.sampled_from(
            [frozenset[Kind](), frozenset[Kind](), *(frozenset({kind}) for kind in Kind)]
        )
    )
    wanted = [row for made in rows.values() for row in made if not isinstance(row, RowError)]
    named = sorted({(row.kind, key_of(row)) for row in wanted} | set(known))
    under_way = {}
    for kind, key in (
        draw(st.lists(st.sampled_from(named), max_size=3, unique=True)) if named else []
    ):
        record = draw(records(kind, key))
        under_way[kind, key] = {
            name: value for name, value in fields_of(record).items() if name in COMPARED[kind]
        }
    new = [identity for identity in named if identity[0] not in ON_A_TEST]
    accepted = frozenset(draw(st.lists(st.sampled_from(new), max_size=2))) if new else frozenset()
    refused: dict[Identity, tuple[Record | None, bool]] = {}
    for row in draw(st.lists(st.sampled_from(wanted), max_size=4)) if wanted else []:
        refused[row.kind, key_of(row)] = row, draw(st.booleans())
    for identity in draw(st.lists(st.sampled_from(sorted(known)), max_size=3)) if known else []:
        refused[identity] = None, draw(st.booleans())
    return World(known, rows, unread, under_way, accepted, refused, draw(st.booleans()))
