"""Whole runs of all kinds against a small Inspera: what is sent in which order, and what a run leaves for the next."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any, cast

import pytest
from sync.engine.carry_out import Carrier
from sync.engine.doors import Feed
from sync.engine.places import SeatPolicy
from sync.engine.planning import DELETE, KEEP, Policy, make_plan
from sync.engine.settling import Settler
from sync.found import Assignment, FoundTest, Seat, Seats
from sync.guard import Limit, Limits
from sync.mapping import CompiledFeed, fingerprint
from sync.model import (
    Candidate,
    Contributor,
    Kind,
    Learner,
    Option,
    Record,
    Row,
    Staff,
    Test,
)
from sync.plan import Action, Change, Outcome, Result, Verdict
from sync.state.database import open_to_write
from sync.state.journal import Journal
from sync.state.store import Store

from .tenant import NOW, Tenant

ANY = Limit(10**6, 100)
START = NOW + timedelta(days=3)


def a_person(n: int) -> dict[str, Any]:
    mail = f"p{n}@example.edu"
    return {"username": f"login{n}", "external_id": mail, "auth_system": "FEIDE", "first_name": "Åse", "email": mail}


ALL: tuple[Record, ...] = (
    Learner("1", **a_person(1)),
    Staff("7", **a_person(7)),
    Staff("8", **a_person(8)),
    Test("T", "x1", "Øving", START, START + timedelta(hours=4), 240),
    Option("T", "LOCKDOWN_BROWSER", "true"),
    Contributor("T", "7", "evaluate", "A"),
    Contributor("T", "8", "monitor", "C"),
    Candidate("T", "1", "17", committees="B"),
)


class Living(Tenant):
    """A tenant that keeps what it is sent."""

    def create_test(self, change: Change, /) -> Outcome:
        fields = {name: cast("str", change.after[name]) for name in ("external_test_id", "title", "start", "end")}
        self.tests.append(FoundTest("284", **fields, status="scheduled"))  # type: ignore[arg-type]  # all texts
        return replace(super().create_test(change), remote_id="284")

    def assign(self, test: str, entries: Sequence[Assignment], kind: Kind, /) -> list[Outcome]:
        for entry in entries if kind is not Kind.OPTION else ():
            shown = {name: value for name, value in entry.fields.items() if name in Seat.__dataclass_fields__}
            self.places.setdefault(kind, {})[entry.auth_system, entry.external_id] = Seat("u", **cast("Any", shown))
        return super().assign(test, entries, kind)

    def remove(self, test: str, entries: Sequence[Assignment], kind: Kind, /) -> list[Outcome]:
        for entry in entries:
            self.places[kind].pop((entry.auth_system, entry.external_id))
        return super().remove(test, entries, kind)

    def seats(self, remote_id: str, kind: Kind, /) -> Seats:
        seats = super().seats(remote_id, kind)
        return replace(seats, there=dict(seats.there))


@dataclass
class Ready:
    """Stands in for a feed's mapping: its rows are records already."""

    made: Sequence[Record]

    def missing(self, _columns: object) -> list[str]:
        return []

    def map(self, row: Row) -> Record:
        return self.made[row.line]

    def origin(self, _row: Row) -> None:
        return None


def feeds(rows: Sequence[Record]) -> list[Feed]:
    def feed(kind: Kind) -> Feed:
        made = [row for row in rows if row.kind is kind]

        def read() -> Iterator[Row]:
            yield from (Row(n, {}) for n in range(len(made)))

        mapper = cast("CompiledFeed", Ready(made))
        named = kind in (Kind.CONTRIBUTOR, Kind.CANDIDATE)
        return Feed(kind, f"{kind}.csv", lambda: (), read, mapper, True, named)

    return [feed(kind) for kind in Kind if kind is not Kind.COMMITTEE]


@dataclass
class Site:
    """A state's file and the Inspera that it is kept in step with; `run` is one apply."""

    path: Path
    tenant: Living = field(default_factory=Living)
    on_absence: Mapping[Kind, str] = field(default_factory=dict)

    def run(self, rows: Sequence[Record]) -> list[str]:
        """The calls that one apply made, as words, in order; those that run at once in the order of the words."""
        self.tenant.calls.clear()
        with open_to_write(self.path, "apply") as connection:
            store = Store(connection, [feed.place for feed in feeds(rows)], fingerprint, {"LOCKDOWN_BROWSER"})
            journal = Journal(connection, lambda: NOW - timedelta(minutes=1), "apply")
            settler = Settler(store, journal, self.tenant, timedelta(0), lambda: NOW, lambda _: None)
            settler.settle()
            policy = Policy(Limits(ANY, ANY, ANY), self.on_absence)
            make_plan(feeds(rows), store, policy, NOW, lambda *_: None)
            self.planned = [(line.change.action, line.change.kind, line.verdict) for line in store.planned()]
            carrier = Carrier(
                store,
                journal,
                self.tenant,
                SeatPolicy(),
                workers=1,
                stop=Event(),
                clock=lambda: NOW,
                progress=lambda *_: None,
                barred=settler.barred,
            )
            self.carried = carrier.carry_out(len(self.planned))
            journal.lapse()
            journal.promote_silent()
            journal.end("done", 0, {})
        return [word for word, _ in self.tenant.calls]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "state.db")


FIRST = [
    "create learner",
    "create staff",
    "create staff",
    "create test",
    "assign option",
    "assign committee",
    "assign committee",
    "assign committee",
    "assign contributor",
    "assign contributor",
    "assign candidate",
]


def test_everything_is_made_in_the_order_in_which_it_is_needed_and_the_second_run_is_silent(site: Site) -> None:
    assert site.run(ALL) == FIRST
    assert site.carried.count(Result.DONE) == len(FIRST)
    assert (site.run(ALL), site.planned) == ([], [])


def left(*rows: Record) -> list[Record]:
    """What stays when person 7 and the candidate leave, and these rows come."""
    return [*(row for row in ALL if row.kind in (Kind.LEARNER, Kind.TEST, Kind.OPTION) or row == ALL[2]), *rows]


def test_what_leaves_the_sources_goes_in_reverse_and_after_all_additions(site: Site) -> None:
    site.run(ALL)
    assert site.run(left(Contributor("T", "8", "plan", "C"), Contributor("T", "8", "monitor"))) == [
        "assign contributor",
        "remove candidate",
        "remove contributor",
        "remove committee",
        "remove committee",
        "disable staff",
    ]
    assert site.tenant.places[Kind.CANDIDATE] == {}
    assert list(site.tenant.places[Kind.COMMITTEE]) == [("", "C")]


def test_staff_are_deleted_only_where_that_is_said_and_let_in_again_when_they_come_back(site: Site) -> None:
    rows = left(Contributor("T", "8", "monitor", "C"))
    site.run(ALL)
    assert site.run(rows)[-1] == "disable staff"
    assert site.run(ALL)[0] == "enable staff"
    site.on_absence = {Kind.STAFF: DELETE}
    assert site.run(rows)[-1] == "delete staff"
    assert site.run(ALL)[0] == "create staff"


@pytest.mark.parametrize("kind", [Kind.STAFF, Kind.COMMITTEE, Kind.CONTRIBUTOR, Kind.CANDIDATE])
def test_what_is_to_be_kept_stays_when_it_leaves_its_source(site: Site, kind: Kind) -> None:
    site.run(ALL)
    site.on_absence = {kind: KEEP}
    site.run(left(Contributor("T", "8", "monitor", "C")))
    assert kind not in {line[1] for line in site.planned}


def test_a_committee_stays_while_the_removal_of_somebody_in_it_is_held(site: Site) -> None:
    site.run(ALL)
    site.on_absence = {Kind.CONTRIBUTOR: KEEP}
    calls = site.run(left(Contributor("T", "8", "monitor", "C")))
    assert calls == ["remove candidate", "remove committee"]
    assert sorted(site.tenant.places[Kind.COMMITTEE]) == [("", "A"), ("", "C")]


def test_a_candidate_whose_row_leaves_the_committee_blank_keeps_it(site: Site) -> None:
    site.run(ALL)
    blank = [row._replace(committees=None) if isinstance(row, Candidate) else row for row in ALL]
    assert (site.run(blank), site.planned) == ([], [])


def test_a_contributor_of_somebody_who_was_refused_waits(site: Site) -> None:
    site.tenant.outcome = Outcome(Result.REFUSED, "no")
    site.run([row for row in ALL if row.kind is Kind.STAFF])
    site.tenant.outcome = Outcome(Result.DONE)
    calls = site.run(ALL)
    assert "assign contributor" not in calls
    assert (Action.CREATE, Kind.STAFF, Verdict.WITHHELD) in site.planned
    assert (Action.CREATE, Kind.CONTRIBUTOR, Verdict.WAITING) in site.planned


def test_one_refusal_does_not_stop_what_does_not_need_it(site: Site) -> None:
    site.run([row for row in ALL if row.kind in (Kind.LEARNER, Kind.STAFF, Kind.TEST)])
    site.tenant.outcome = Outcome(Result.REFUSED, "no such room")
    calls = site.run(ALL)
    assert calls == ["assign option", *["assign committee"] * 3]
    assert site.carried.count(Result.REFUSED) == 4
    assert site.carried.count(Result.WAITING) == 3, "who is in a committee that is not there"
