"""`undo`: takes the changes of an earlier run back, as far as that can be done."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from sync.app import App, Say, now
from sync.commands.apply import ApplyOptions, run_once
from sync.commands.person import login_name
from sync.commands.plan import make_store, plan_summary, show_plan
from sync.engine.context import RunContext, RunSettings
from sync.engine.interruption import Interruption
from sync.engine.plan import plan_status
from sync.engine.result import RunResult
from sync.engine.undo import LeftChange, UndoPlan, UndoRequest, plan_undo, undo
from sync.errors import UsageError
from sync.exit_codes import Exit
from sync.planning.undo import undo_command
from sync.progress import Progress
from sync.report.lines import Cell, Line, TableColumn, TableRow, Tone, heading, section
from sync.report.plan_text import MOST
from sync.report.wording import key_cells, key_text, plural
from sync.state.backend import Wait
from sync.text.masking import masked

NOTHING = "Nothing to undo."

RUNS = 10
"""The runs that are listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoOptions:
    """What the undo command was asked for.

    Attributes:
        run: the number of the run; None to list the last runs.
        show: whether it is only shown what would be undone.
        why: why the run is undone.
        by: who wants that; None for the person who is logged in.
        allowed: hashes of held scopes and changes that a person allows.
        show_all: whether all lines of each list are shown.
        wait: how to wait for a lock that somebody else holds; None not to.
        confirm: asks a person whether so many changes are sent; None to send them unasked.
    """

    run: int | None = None
    show: bool = False
    why: str = ""
    by: str | None = None
    allowed: tuple[str, ...] = ()
    show_all: bool = False
    wait: Wait | None = None
    confirm: Callable[[int], bool] | None = None


def undo_run(
    app: App, options: UndoOptions, say: Say, progress: Progress, interruption: Interruption
) -> Exit:
    """Undo a run, or show what that would do, or list the last runs; return the exit status.

    Raises:
        UsageError: the run is unknown, or the reason is missing.
    """
    if options.run is None:
        return _list(app, say)
    _check_run(app, options.run)
    if options.show:
        return _show(app, options, options.run, say)
    # Bytes that are not UTF-8 in an argument could not be stored.
    why = options.why.encode(errors="replace").decode().strip()
    if not why:
        raise UsageError(
            f"--why TEXT is missing: write why run {options.run} is undone, for those who look at "
            "this later; --show only shows what would be undone"
        )
    request = UndoRequest(options.run, (options.by or login_name()).strip(), why)
    shown = _with_command(say, request.run_id)

    def work(settings: RunSettings, context: RunContext) -> RunResult:
        return undo(settings, context, request, lambda plan: _say_left(plan, options, shown))

    applying = ApplyOptions(
        allowed=options.allowed,
        show_all=options.show_all,
        name=request.command,
        by=options.by,
        words=("To undo", NOTHING),
        wait=options.wait,
        confirm=options.confirm,
    )
    return run_once(app, applying, shown, progress, interruption, work=work).status


def _check_run(app: App, run_id: int) -> None:
    with app.state.open_to_read() as connection:
        if make_store(app, connection).undoing.command(run_id) is None:
            raise UsageError(f"undo {run_id}: unknown run; `inspera-sync undo` lists the last ones")


def _list(app: App, say: Say) -> Exit:
    """List the last runs that have changed something."""
    with app.state.open_to_read() as connection:
        runs = make_store(app, connection).undoing.runs(RUNS)
    say(
        heading("The last runs that changed something in Inspera, newest first:")
        if runs
        else "No run has changed anything in Inspera yet."
    )
    for run in runs:
        cells = (
            Cell(str(run.id), TableColumn.LABEL),
            Cell(run.command, TableColumn.KIND, " "),
            Cell(run.started, TableColumn.KEY, " "),
            Cell(plural(run.changes, "change"), TableColumn.TEXT, ": "),
        )
        say(TableRow(cells))
    if runs:
        say(f"To see what would be undone: undo {runs[0].id} --show")
    return Exit.OK


def _show(app: App, options: UndoOptions, run_id: int, say: Say) -> Exit:
    """Show what would be undone. Makes no call, leaves the state unchanged."""
    say, app_policy = _with_command(say, run_id), app.policy(options.allowed)
    app.prepare()
    with app.state.open_to_read() as connection:
        store = make_store(app, connection)
        undoing = plan_undo(store, app_policy, run_id, now())
        undoing.plan.check_hashes(options.allowed)
        most = None if options.show_all else MOST
        show_plan(store, undoing.plan, say, most, "Would undo", app.test_zone, NOTHING)
        _say_left(undoing, options, say)
        status = undoing.status(plan_status(store, undoing.plan))
        say(plan_summary(store, undoing.plan, status))
    return status


def _with_command(say: Say, run_id: int) -> Say:
    """Return what shows lines with `undo RUN --allow` in the place of `apply --allow`."""

    def rewrite(text: str) -> str:
        return text.replace("apply --allow", f"{undo_command(run_id)} --allow")

    return lambda line: say(line.rewritten(rewrite) if isinstance(line, Line) else rewrite(line))


def _say_left(undoing: UndoPlan, options: UndoOptions, say: Say) -> None:
    """Show what cannot be undone, by its reason."""
    for line in section("Cannot be undone", _left_rows(undoing.left, show_all=options.show_all)):
        say(line)


def _left_rows(groups: Iterable[LeftChange], *, show_all: bool) -> Iterator[Line]:
    for group in groups:
        alone = group.number == 1
        cells = [
            Cell(group.what, TableColumn.LABEL),
            Cell(group.kind if alone else plural(group.number, group.kind), TableColumn.KIND, " "),
            Cell(key_text(group.keys[0]) if alone else "", TableColumn.KEY, " "),
            Cell(group.reason, TableColumn.TEXT, ": "),
        ]
        if not alone and not show_all:
            cells += key_cells(group.keys, group.number)
        yield TableRow(cells, Tone.HELD).rewritten(masked)
        for key in group.keys if show_all and not alone else ():
            cells = [Cell(group.kind, TableColumn.KIND), Cell(key_text(key), TableColumn.KEY, " ")]
            yield TableRow(cells, indent=4).rewritten(masked)
