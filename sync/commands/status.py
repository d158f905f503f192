"""`status`: the last runs, what is known, and what the last run found."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain, starmap
from zoneinfo import ZoneInfo

from sync.app import App, Say, now
from sync.commands.pause import pause_text
from sync.errors import StateError
from sync.exit_codes import Exit
from sync.records.base import Key, Kind
from sync.report.lines import Cell, Line, TableColumn, TableRow, Tone, capped, heading, section
from sync.report.plan_text import MOST
from sync.report.run_text import figures_text, findings_text
from sync.report.schedule_text import schedule_text
from sync.report.stays_text import FIRST, stays_json, stays_text
from sync.report.verdict import status_text, status_tone
from sync.report.wording import key_cells, key_text, plural
from sync.schedule import next_times
from sync.state import refusals
from sync.state.history import (
    PastFinding,
    PastRun,
    RunProgress,
    count_known,
    read_findings,
    read_last_ended,
    read_last_runs,
    read_progress,
    read_unnamed,
)
from sync.state.holds import Hold, read_holds
from sync.state.old_copy import read_recovery_need
from sync.state.refusals import RefusalStatus
from sync.state.sqlite.open import count
from sync.text.masking import masked

RUNS = 10
"""Runs that are listed."""

KILLED = "killed"
"""What a run is called that came to no end: it was killed, or the machine went down."""


@dataclass(frozen=True, slots=True)
class _Status:
    """What the state contains, read in one transaction.

    Attributes:
        runs: the last runs, the newest first.
        progress: how far the newest run is, or was when it was killed; None if it ended.
        findings: the last run that ended, and the last one of each job (without jobs: of `apply`),
            with what it found.
        holder: who holds the state for a run; empty for nobody.
        known: how many records are known, by kind and lifecycle.
        refused: what Inspera refused and is tried again.
        pending: how many calls have no known outcome.
        older: why the state may be an older copy; empty if it is not.
        stays: people that no source names any more, and who stay, by kind.
        holds: what is held for a person to decide.
    """

    runs: Sequence[PastRun]
    progress: RunProgress | None
    findings: Sequence[tuple[PastRun, Sequence[PastFinding]]]
    holder: str
    known: Mapping[tuple[str, str], int]
    refused: Sequence[RefusalStatus]
    pending: int
    older: str
    stays: Mapping[Kind, Sequence[Key]]
    holds: Sequence[Hold]

    @property
    def shown_runs(self) -> list[PastRun]:
        """Return the runs to list: the last ones, and those of jobs that run seldom."""
        listed = {run.id for run in self.runs}
        return [*self.runs, *(run for run, _ in self.findings if run.id not in listed)]

    def progress_of(self, run: PastRun) -> RunProgress | None:
        """Return how far a run is that has no end; None for every other one."""
        return self.progress if run.id == self.runs[0].id else None


def status(app: App, say: Say, *, as_json: bool, show_all: bool) -> Exit:
    """Show the status; change nothing."""
    seen = _read(app)
    if as_json:
        say(masked(json.dumps(_document(app, seen), ensure_ascii=False, indent=1)))
    else:
        _show(app, seen, say, show_all=show_all)
    return Exit.OK


def _read(app: App) -> _Status:
    holder = _holder(app)
    with app.state.open_to_read() as connection:
        runs = read_last_runs(connection, RUNS)
        # a run can begin between the two questions
        holder = holder or _holder(app)
        commands = [f"job {job}" for job in app.loaded.settings.jobs] or ["apply"]
        ended = read_last_ended(connection, commands)
        unended = runs[0] if runs and not runs[0].ended else None
        return _Status(
            progress=read_progress(connection, unended) if unended else None,
            runs=[_as_it_is(run, "" if number else holder) for number, run in enumerate(runs)],
            findings=[(run, list(read_findings(connection, run.id))) for run in ended],
            holder=holder,
            known=count_known(connection),
            refused=list(refusals.listed(connection)),
            pending=count(connection, "SELECT count(*) FROM intent WHERE outcome IS NULL"),
            older=str(read_recovery_need(connection) or ""),
            stays=read_unnamed(connection, now()),
            holds=read_holds(connection),
        )


def _document(app: App, seen: _Status) -> dict[str, object]:
    """Return the status for programs."""
    return {
        "runs": [_run_document(run, seen) for run in seen.shown_runs],
        "known": [
            {"kind": kind, "lifecycle": lifecycle, "count": number}
            for (kind, lifecycle), number in seen.known.items()
        ],
        "refused": [asdict(refusal) for refusal in seen.refused],
        "unsettled": seen.pending,
        "paused": pause_text(app.state),
        "older_copy": seen.older,
        "stays": stays_json(seen.stays),
        "holds": [
            {"id": hold.id, "since": hold.since, "changes": sum(hold.sizes.values())}
            for hold in seen.holds
        ],
        "next": _next_times(app),
    }


def _run_document(run: PastRun, seen: _Status) -> dict[str, object]:
    """Return a run for programs, with its own findings; null where they are not read."""
    progress, found = seen.progress_of(run), {one.id: findings for one, findings in seen.findings}
    findings = found.get(run.id)
    running = run.status != KILLED and not run.ended
    return {
        **asdict(run),
        "pid": _pid(seen.holder) if running else None,
        "progress": asdict(progress) if progress else None,
        "findings": None if findings is None else [asdict(finding) for finding in findings],
    }


def _pid(holder: str) -> int | None:
    """Return the process that holds the state, if its name has it: `pid 4711 (apply)`."""
    found = re.search(r"\bpid (\d+)", holder)
    return int(found[1]) if found else None


def _show(app: App, seen: _Status, say: Say, *, show_all: bool) -> None:
    most = None if show_all else MOST
    lines = chain(
        _schedule_text(app),
        [Line(f"Held: {seen.older}.", Tone.HELD)] if seen.older else [],
        _holds_text(seen.holds),
        starmap(_known_row, seen.known.items()),
        stays_text(seen.stays, None if show_all else FIRST),
        _pending_text(seen.pending),
        section(
            "Refused by Inspera, and tried again",
            capped(_refused_rows(seen.refused, grouped=not show_all), most),
            spaced=False,
        ),
        _runs_text(seen, most),
        _findings_text(seen, most, app.test_zone),
        _last_text(seen),
    )
    for line in lines:
        say(line)


def _known_row(name: tuple[str, str], number: int) -> TableRow:
    kind, lifecycle = name
    cells = (
        Cell("Known:", TableColumn.LABEL),
        Cell(plural(number, kind), TableColumn.KIND, " "),
        Cell(lifecycle, TableColumn.KEY, " "),
    )
    return TableRow(cells, indent=0)


def _pending_text(pending: int) -> Iterator[str]:
    if pending:
        yield (
            f"{plural(pending, 'call')} without a known outcome: the next `apply` finds out about "
            "them first."
        )


def _holds_text(holds: Sequence[Hold]) -> Iterator[Line]:
    """Yield how much waits for a person, since when, and the command that lists it."""
    if holds:
        number = plural(sum(sum(hold.sizes.values()) for hold in holds), "change")
        text = f"Held: {number} in {plural(len(holds), 'hold')}, since "
        text += f"{min(hold.since for hold in holds)}; `held` lists them, with what to do."
        yield Line(text, Tone.HELD)


def _last_text(seen: _Status) -> Iterator[Line]:
    """Yield the line on the last run that ended."""
    for run, _ in seen.findings[:1]:
        code = run.exit_status
        meaning = "unknown" if code is None else status_text(code, run.counts, run.status)
        text = f"Last run that ended: {run.command}, {run.started}, exit status {meaning}."
        yield Line(text, None if code is None else status_tone(code))


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


def _runs_text(seen: _Status, most: int | None) -> Iterator[Line]:
    """Yield the last runs, each with the reasons why it ended as it did."""
    runs = seen.shown_runs
    yield heading("Last runs, newest first:" if runs else "No run yet.")
    for run in runs:
        yield _run_row(run, seen.holder, seen.progress_of(run))
        for reason in capped(map(Line, run.reason.splitlines()), most):
            cells = (
                Cell("because", TableColumn.KIND),
                Cell(reason.strip(), TableColumn.TEXT, ": "),
            )
            yield TableRow(cells, indent=4).rewritten(masked)


def _findings_text(seen: _Status, most: int | None, zone: ZoneInfo | None) -> Iterator[Line]:
    """Yield the findings of each run under its name, unless it is the newest run and the only one."""
    for run, findings in seen.findings:
        newest = len(seen.findings) == 1 and run.id == seen.runs[0].id
        of = "" if newest else f" of {run.command}, of {run.started},"
        yield from section(
            f"What the last run{of} found", findings_text(findings, most, zone), spaced=False
        )


def _next_times(app: App) -> dict[str, list[str]]:
    schedules = {name: schedule for name, (schedule, _, _) in app.schedules.items()}
    return {
        name: [time.isoformat() for time in next_times(one, now())]
        for name, one in schedules.items()
    }


def _schedule_text(app: App) -> Iterator[Line]:
    if paused := pause_text(app.state):
        yield Line(paused, Tone.HELD)
    yield from schedule_text(app.schedules, now())


def _run_row(run: PastRun, holder: str, progress: RunProgress | None) -> TableRow:
    if run.ended:
        complete = run.status == "done" and run.exit_status == Exit.OK
        figures = figures_text(run.counts, complete=complete)
        what = f"{run.status}, ended {run.ended} with {run.exit_status}: {figures}"
    else:
        what = "killed before its end" if run.status == KILLED else f"running now: {holder}"
        if progress:
            far = f": {progress.done:,} of {plural(progress.total, 'change')} done"
            what += f", {progress.phase}{far if progress.total else ''}"
    cells = (
        Cell(run.started, TableColumn.LABEL),
        Cell(run.command, TableColumn.KIND, " "),
        Cell(what, TableColumn.TEXT, ": "),
    )
    bad = run.exit_status or run.status == KILLED
    return TableRow(cells, status_tone(run.exit_status or Exit.ERRORS) if bad else None)


def _refused_rows(refused: Sequence[RefusalStatus], *, grouped: bool) -> Iterator[TableRow]:
    """Yield what Inspera refused: a row for each answer if grouped, else for each record."""
    groups: dict[object, list[RefusalStatus]] = {}
    for number, refusal in enumerate(refused):
        cause = (refusal.kind, refusal.message) if grouped else number
        groups.setdefault(cause, []).append(refusal)
    for group in groups.values():
        yield TableRow(_refused_cells(group), Tone.ERROR).rewritten(masked)


def _refused_cells(group: Sequence[RefusalStatus]) -> Iterator[Cell]:
    first = group[0]
    since, again = min(each.since for each in group), min(each.again for each in group)
    once_more = f"again after {again}" if again else "stays until its row or its test changes"
    when = f"since {since}, {once_more}: {first.message}"
    if len(group) == 1:
        times = "once" if first.times == 1 else f"{first.times} times"
        yield Cell(first.kind, TableColumn.KIND)
        yield Cell(key_text(first.key), TableColumn.KEY, " ")
        yield Cell(f"{times} {when}", TableColumn.TEXT, ": ")
    else:
        yield Cell(plural(len(group), first.kind), TableColumn.KIND)
        yield Cell(when, TableColumn.TEXT, " ")
        yield from key_cells([each.key for each in group], len(group))
