"""`forget` and `export-person`: all that is kept about a person, forgotten or shown."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection

from sync.app import App, Say, now
from sync.commands.person import login_name
from sync.errors import UsageError
from sync.exit_codes import Exit
from sync.records.base import Kind
from sync.report.wording import plural
from sync.state.audit.chain import Event
from sync.state.audit.log import AuditLog, Entry
from sync.state.backend import Wait
from sync.state.people import Eraser, Person, Standing, export, find_kinds, read_standing

_log = structlog.get_logger("forget")


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetOptions:
    """Who is forgotten.

    Attributes:
        keys: of the people.
        kind: their kind; None to look for it.
        wait: how to wait for a lock that somebody else holds; None not to.
        confirm: asks the person at the terminal; None when nobody is asked.
    """

    keys: tuple[str, ...]
    kind: Kind | None = None
    wait: Wait | None = None
    confirm: Callable[[int], bool] | None = None


def forget(app: App, options: ForgetOptions, say: Say) -> Exit:
    """Forget people: state, journal, what is held, snapshots, and who they are in the audit log.

    Raises:
        UsageError: nothing is kept about one of them, or a call for them has no known outcome.
    """
    with app.state.open_to_write("forget", options.wait) as opened:
        connection = opened.connection
        app.state.take_decided(connection, now())
        people = [_find(connection, key, options.kind) for key in dict.fromkeys(options.keys)]
        standings = [read_standing(connection, person) for person in people]
        for person, standing in zip(people, standings, strict=True):
            _explain(person, standing, say)
        connection.rollback()
        if options.confirm and not options.confirm(len(people)):
            say("Nothing was forgotten.")
            return Exit.OK
        wiped = _forget(connection, people)
    _log.info("forgotten", people=len(people))
    rows = sum(sum(standing.rows.values()) for standing in standings)
    say(
        f"Forgotten: {len(people):,} {'person' if len(people) == 1 else 'people'}, {plural(rows, 'row')}."
    )
    if not wiped:
        say(
            "Another program reads the state, so old bytes are left next to it until the next run "
            "ends without one."
        )
    if app.loaded.state_url.startswith("postgresql"):
        say("On PostgreSQL the bytes go with its own VACUUM; see `inspera-sync help privacy`.")
    say("Not changed: Inspera, the sources, and files elsewhere: reports, logs, older backups.")
    return Exit.OK


def _forget(connection: Connection, people: Sequence[Person]) -> bool:
    eraser = Eraser(connection)
    eraser.prepare()
    for person in people:
        eraser.forget(person)
    eraser.scrub()
    # Without saying who, and in the same transaction: what happened must be known.
    log = AuditLog(connection, now, login_name())
    log.append([Entry(event=Event.FORGOTTEN) for _ in people])
    connection.commit()
    return eraser.wipe()


def _find(connection: Connection, key: str, kind: Kind | None) -> Person:
    kinds = [one for one in find_kinds(connection, key) if kind in (None, one)]
    if not kinds:
        raise UsageError(
            f"forget {key}: nothing is kept about this person; use the key of the source, which "
            "`explain` shows"
        )
    if len(kinds) > 1:
        raise UsageError(
            f"forget {key}: this is the key of a learner and of a member of staff; add "
            "--kind learner or --kind staff"
        )
    return Person(kinds[0], key)


def _explain(person: Person, standing: Standing, say: Say) -> None:
    """Show what is about to be forgotten, and what that means.

    Raises:
        UsageError: a call has no known outcome, without which Inspera's content is unknown.
    """
    name = f"{person.kind} {person.key}"
    if standing.open_calls:
        raise UsageError(
            f"{name}: a call for this person has no known outcome yet; run `inspera-sync apply` "
            "first, which finds it out, and then `forget` again"
        )
    say(f"{name}: {plural(sum(standing.rows.values()), 'row')} in the state.")
    if standing.source:
        say(
            f"{name}: the source {standing.source} named this person when it was last read. If it "
            "still does, the next run takes them in again as new; remove them there first."
        )
    if standing.seats:
        say(
            f"{name}: {plural(standing.seats, 'place')} on tests stay in Inspera, and no run "
            "removes them any more; delete the person there."
        )


def export_person(app: App, key: str, kind: Kind | None, say: Say) -> Exit:
    """Print everything that is kept about a person as JSON.

    Raises:
        UsageError: nothing is kept about them.
    """
    with app.state.open_to_read() as connection:
        kinds = [one for one in find_kinds(connection, key) if kind in (None, one)]
        if not kinds:
            raise UsageError(
                f"export-person {key}: nothing is kept about this person; use the key of the "
                "source, which `explain` shows"
            )
        kept = {str(one): export(connection, Person(one, key)) for one in kinds}
    say(json.dumps({"key": key, "kept": kept}, indent=2, ensure_ascii=False))
    return Exit.OK
