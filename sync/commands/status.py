"""`status`: the last runs, what is known, and what the last run found."""

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from zoneinfo import ZoneInfo

from sync.app import App, Say, now
from sync.commands.pause import pause_text
from sync.errors import StateError
from sync.exit_codes import Exit
from sync.report.plan_text import MOST, capped
from sync.report.run_text import figures_text, findings_text
from sync.report.schedule_text import schedule_text
from sync.report.stays_text import FIRST, stays_json, stays_text
from sync.report.verdict import status_text
from sync.report.wording import first_keys_text, key_text, plural
from sync.schedule import next_times
from sync.state import refusals
from sync.state.history import (
    PastFinding,
    PastRun,
    count_known,
    read_findings,
    read_last_ended,
    read_last_runs,
    read_unnamed,
)
from sync.state.old_copy import read_recovery_need
from sync.state.refusals import RefusalStatus
from sync.state.sqlite.open import count
from sync.text.masking import masked

RUNS = 10
"""Runs that are listed."""

KILLED = "killed"
"""What a run is called that came to no end: it was killed, or the machine went down."""


def status(app: App, say: Say, *, as_json: bool, show_all: bool) -> Exit:
    """Show the status; change nothing."""
    holder = _holder(app)
    with app.state.open_to_read() as connection:
        runs = read_last_runs(connection, RUNS)
        holder = holder or _holder(app)
        runs = [_as_it_is(run, holder if number == 0 else "") for number, run in enumerate(runs)]
        ended = read_last_ended(connection, [f"job {job}" for job in app.loaded.settings.jobs])
        found = [(run, list(read_findings(connection, run.id))) for run in ended]
        known = count_known(connection)
        refused = list(refusals.listed(connection))
        pending = count(connection, "SELECT count(*) FROM intent WHERE outcome IS NULL")
        older = str(read_recovery_need(connection) or "")
        stay = read_unnamed(connection, now())
    if as_json:
        document = {
            "runs": [asdict(run) for run in runs],
            "known": [{"kind": k, "lifecycle": s, "count": n} for (k, s), n in known.items()],
            "findings": [
                {"run": run.id, "command": run.command, **asdict(one)}
                for run, all_ in found
                for one in all_
            ],
            "refused": [asdict(one) for one in refused],
            "unsettled": pending,
            "paused": pause_text(app.state),
            "older_copy": older,
            "stays": stays_json(stay),
            "next": _next_times(app),
        }
        say(masked(json.dumps(document, ensure_ascii=False, indent=1)))
        return Exit.OK
    _say_schedule(app, say)
    if older:
        say(f"Held: {older}.")
    for (kind, lifecycle), number in known.items():
        say(f"Known: {plural(number, kind)} {lifecycle}")
    for line in stays_text(stay, None if show_all else FIRST):
        say(line)
    if pending:
        say(
            f"{plural(pending, 'call')} without a known outcome: the next `apply` finds out about "
            "them first."
        )
    most = None if show_all else MOST
    for number, line in enumerate(capped(_refused_lines(refused, grouped=not show_all), most)):
        if number == 0:
            say("Refused by Inspera, and tried again:")
        say(f"  {line}")
    listed = {run.id for run in runs}  # a job that runs seldom has its last run further back
    _say_runs([*runs, *(run for run, _ in found if run.id not in listed)], holder, say, most)
    _say_findings(found, say, most, app.test_zone)
    if ended:
        say(
            f"Last run that ended: {ended[0].command}, {ended[0].started}, exit status "
            f"{_status_text(ended[0])}."
        )
    return Exit.OK


def _holder(app: App) -> str:
    """Return who holds the state for a run; empty for nobody, or when it is unknown."""
    try:
        return app.state.holder()
    except StateError:
        return ""


def _as_it_is(run: PastRun, holder: str) -> PastRun:
    """Return the run, marked as killed when it has no end and does not hold the state.

    `holder` is empty for all but the newest run, as no other one can be under way.
    """
    if run.ended or run.command in holder:
        return run
    return replace(run, status=KILLED)


def _say_runs(runs: list[PastRun], holder: str, say: Say, most: int | None) -> None:
    say("Last runs, newest first:" if runs else "No run yet.")
    for run in runs:
        say(f"  {_run_line(run, holder)}")
        for reason in capped(run.reason.splitlines(), most):
            say(masked(f"    because: {reason.strip()}"))


def _say_findings(
    found: list[tuple[PastRun, list[PastFinding]]],
    say: Say,
    most: int | None,
    zone: ZoneInfo | None,
) -> None:
    for run, findings_ in found:
        of = "" if len(found) == 1 else f" of {run.command}, of {run.started},"
        for number, line in enumerate(findings_text(findings_, most, zone)):
            if number == 0:
                say(f"What the last run{of} found:")
            say(line)


def _next_times(app: App) -> dict[str, list[str]]:
    schedules = {name: schedule for name, (schedule, _, _) in app.schedules.items()}
    return {
        name: [time.isoformat() for time in next_times(one, now())]
        for name, one in schedules.items()
    }


def _say_schedule(app: App, say: Say) -> None:
    if paused := pause_text(app.state):
        say(paused)
    for line in schedule_text(app.schedules, now()):
        say(line)


def _status_text(run: PastRun) -> str:
    return (
        "unknown"
        if run.exit_status is None
        else status_text(run.exit_status, run.counts, run.status)
    )


def _run_line(run: PastRun, holder: str) -> str:
    if run.ended:
        complete = run.status == "done" and run.exit_status == Exit.OK
        figures = figures_text(run.counts, complete=complete)
        what = f"{run.status}, ended {run.ended} with {run.exit_status}: {figures}"
    else:
        what = "killed before its end" if run.status == KILLED else f"running now: {holder}"
    return f"{run.started} {run.command}: {what}"


def _refused_lines(refused: list[RefusalStatus], *, grouped: bool) -> Iterator[str]:
    """Yield what Inspera refused: a line for each answer if grouped, else for each record."""
    groups: dict[object, list[RefusalStatus]] = {}
    for number, refusal in enumerate(refused):
        cause = (refusal.kind, refusal.message) if grouped else number
        groups.setdefault(cause, []).append(refusal)
    for group in groups.values():
        first = group[0]
        since, again = min(each.since for each in group), min(each.again for each in group)
        if len(group) == 1:
            times = "once" if first.times == 1 else f"{first.times} times"
            what = f"{first.kind} {key_text(first.key)}: {times}"
        else:
            what = plural(len(group), first.kind)
        text = masked(f"{what} since {since}, again after {again}: {first.message}")
        keys = [each.key for each in group]
        yield text if len(group) == 1 else f"{text}; {first_keys_text(keys, len(group))}"
