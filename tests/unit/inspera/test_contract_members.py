"""The contract of what is on tests, as no reading shows it: the same tests against both servers."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sync.contract import CALLS, OPTION_SET
from sync.inspera.connection import Connection
from sync.inspera.target import InsperaTarget
from sync.records.base import Kind
from sync.records.changes import Outcome, Result
from sync.records.remote import Assignment
from sync.sandbox import Sandbox

from .http_tenant import KEY, HttpTenant, serving
from .made_up import contributor, creating, make_seat, option
from .waiting import Time, target_at

DONE = Outcome(Result.DONE)
PLACES = ("roomName", "buildingName")


@dataclass(frozen=True)
class Site:
    """One server: a client, its test, and what the server itself keeps of the people and options."""

    connect: Callable[..., InsperaTarget]
    seen: Callable[[str], dict[str, Any]]
    options: Callable[[], dict[str, Any]]

    def place(self, what: str) -> tuple[Any, ...]:
        """Return room and building of the only candidate or contributor; None for none."""
        return tuple(self.seen(what).get(name) or None for name in PLACES)


@pytest.fixture(params=["the sandbox", "a second server"])
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    time, sandbox, tenant = Time(), None, HttpTenant()
    with ExitStack() as open_:
        if request.param == "the sandbox":
            sandbox = open_.enter_context(
                Sandbox(client_id="made-up", api_key=KEY, clock=time.clock)
            )
            url = sandbox.url
            for kind, name in (("student", "aaseb"), ("staff", "kariv")):
                ids = [{"authType": "FEIDE", "externalId": f"{name}@example.edu"}]
                sandbox.edit(**{kind: {"username": name, "externalIds": ids}})
        else:
            url = open_.enter_context(serving(tenant))

        def connect(**settings: Any) -> InsperaTarget:
            connection = Connection(
                url, "made-up", lambda: KEY, calls_per_second=1e7, attempts=3, **settings
            )
            return open_.enter_context(target_at(connection, time))

        def seen(what: str) -> dict[str, Any]:
            if sandbox:
                (one,) = sandbox.contents()["tests"][0][what]
            else:
                kept = tenant.seats if what == "candidates" else tenant.contributors
                ((one,),) = (people.values() for people in kept.values())
            return dict(one)

        def options() -> dict[str, Any]:
            if not sandbox:
                (kept,) = tenant.options.values()
                return kept
            groups = sandbox.contents()["tests"][0]["options"]
            return {name: value for group in groups.values() for name, value in group.items()}

        yield Site(connect, seen, options)


def _exam(target: InsperaTarget) -> str:
    remote_id = target.create_test(creating(template=None)).remote_id
    assert remote_id
    return remote_id


@pytest.mark.parametrize("kind", [Kind.CANDIDATE, Kind.CONTRIBUTOR])
def test_only_the_flags_take_away_a_room_and_a_building(site: Site, kind: Kind) -> None:
    target, what = site.connect(), f"{kind}s"
    entry: Callable[..., Assignment]
    name, entry = "aaseb@example.edu", make_seat
    if kind is Kind.CONTRIBUTOR:
        name, entry = "kariv@example.edu", contributor
    exam = _exam(target)

    def put(**fields: str) -> None:
        assert target.assign(exam, [entry(name, **fields)], kind) == [DONE]

    put(room="Sal Å", building="Øst")
    assert site.place(what) == ("Sal Å", "Øst")
    put(room="Sal B")
    assert site.place(what) == ("Sal B", "Øst")
    put(room="")
    assert site.place(what) == (None, "Øst")
    put(room="", building="")
    assert site.place(what) == (None, None)


def test_a_general_option_and_one_after_the_test_are_set(site: Site) -> None:
    target = site.connect()
    entries = [
        option("IN_GENERAL", "x", "general", "text"),
        option("AFTERWARDS", "y", "after_test", "text"),
    ]
    assert target.assign(_exam(target), entries, Kind.OPTION) == [DONE, DONE]
    assert site.options() == {"IN_GENERAL": "x", "AFTERWARDS": "y"}


def test_an_option_in_a_group_by_a_former_misprint_is_ignored(site: Site) -> None:
    groups = {**OPTION_SET.groups, "general": "generalOption"}
    calls = {**CALLS, OPTION_SET.name: replace(OPTION_SET, groups=groups)}
    target = site.connect(calls=calls)
    entry = option("IN_GENERAL", "x", "general", "text")
    assert target.assign(_exam(target), [entry], Kind.OPTION) == [DONE]
    assert site.options() == {}
