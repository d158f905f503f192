"""What waits for a person to decide, by cause."""

from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from sqlalchemy import Connection
from starlette.requests import Request

from sync.page.desk import Desk
from sync.page.guard import Refused
from sync.page.rendering import View
from sync.planning.decided import DecidedChange
from sync.planning.guard import may_be_approved
from sync.records.base import Kind
from sync.records.changes import Change
from sync.records.kinds import PERSON_OF
from sync.report.explanations import explanation_of
from sync.report.report_words import value_text
from sync.report.wording import hidden, key_text, plural
from sync.state.holds import HeldChange, Hold, read_changes, read_holds
from sync.state.record_search import read_names

MOST = 500
"""The most changes of a hold that a page shows."""


class _Field(NamedTuple):
    name: str
    before: str
    after: str


class _Line(NamedTuple):
    """A change on the page: what it does, to which record, and what differs."""

    digest: str
    what: str
    key: str
    name: str
    where: str
    reason: str
    fields: Sequence[_Field]
    decided: str


def show_all(desk: Desk, _request: Request) -> View:
    """Show all holds, the soonest test first."""
    with desk.open_to_read() as connection:
        holds = read_holds(connection)
        rejected = [one for one in desk.decided(connection) if one.rejected]
    shown = [(one, explanation_of(one.cause), sizes_text(one)) for one in holds]
    return View("held.html", "Held", {"holds": shown, "rejected": rejected, "key": key_text})


def show_one(desk: Desk, request: Request) -> View:
    """Show a hold with its changes, and the form for a decision."""
    id_ = request.path_params["hold"]
    with desk.open_to_read() as connection:
        hold = next((one for one in read_holds(connection) if one.id == id_), None)
        if hold is None:
            raise Refused(
                410,
                "This is not held any more: it was decided, or a newer run found something else.",
            )
        decided = {one.digest: one for one in desk.decided(connection)}
        lines = _lines(desk, connection, hold, decided)
        command = "" if may_be_approved(hold.cause) else desk.command_for(connection, hold.id)
    total = sum(hold.sizes.values())
    return View(
        "hold.html",
        f"Held: {sizes_text(hold)}",
        {
            "hold": hold,
            "words": explanation_of(hold.cause),
            "lines": lines,
            "total": total,
            "more": max(0, total - len(lines)),
            "command": command,
        },
    )


def sizes_text(hold: Hold) -> str:
    """Return how many changes of which kind a hold has."""
    sizes = hold.sizes.items()
    return ", ".join(f"{action} {plural(number, kind)}" for (action, kind), number in sizes)


def _lines(
    desk: Desk, connection: Connection, hold: Hold, decided: dict[str, DecidedChange]
) -> list[_Line]:
    changes = [
        one
        for one in islice(read_changes(connection, hold.id), MOST)
        if one.digest not in decided or not decided[one.digest].rejected
    ]
    names = _names(connection, changes)
    return [
        _Line(
            one.digest,
            f"{one.change.action} {one.change.kind}",
            key_text(one.change.key),
            names.get(_person(one.change), ""),
            one.change.where,
            one.reason if one.reason != hold.reason else "",
            [_field(desk, one.change, name) for name in one.change.changed],
            str(decided[one.digest]) if one.digest in decided else "",
        )
        for one in changes
    ]


def _field(desk: Desk, change: Change, name: str) -> _Field:
    if hidden(change, name):
        return _Field(name, "(secret)", "(secret)")
    before, after = change.before.get(name), change.after.get(name)
    return _Field(name, value_text(name, before, desk.zone), value_text(name, after, desk.zone))


def _person(change: Change) -> tuple[Kind, str]:
    """Return the kind and the key of the person that a change is about; a test has none."""
    kind = PERSON_OF.get(change.kind, change.kind)
    return kind, change.key[-1]


def _names(connection: Connection, changes: Sequence[HeldChange]) -> dict[tuple[Kind, str], str]:
    names: dict[tuple[Kind, str], str] = {}
    for kind in (Kind.LEARNER, Kind.STAFF):
        keys = {key for of, key in (_person(one.change) for one in changes) if of is kind}
        found = read_names(connection, kind, keys).items()
        names |= {(kind, key): name for key, name in found}
    return names
