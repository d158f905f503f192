"""The command line: each command calls one function of `sync.commands`, imported when needed."""

import os
import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sync import __version__
from sync.console import guard_standard_streams, use_json_escapes
from sync.errors import (
    CallError,
    Deposed,
    Locked,
    SourceError,
    StateBusy,
    StateUnreachable,
    SyncError,
    UsageError,
)
from sync.exit_codes import Exit
from sync.text.characters import escaped

if TYPE_CHECKING:
    from sync.app import App
    from sync.engine.interruption import Interruption

PLACES = (Path("inspera-sync.yaml"), Path("/etc/inspera-sync/inspera-sync.yaml"))
"""Where the configuration is looked for without `--config` and `INSPERA_SYNC_CONFIG`."""

_HELP = """Keep Inspera Assessment in step with the student information system.

Begin with `demo`, then run `check` and `plan` on your own files.

`apply`, `reconcile --repair` and the jobs of `serve` change Inspera; nothing else does.
`help` lists the pages of the manual."""

_ACTING = frozenset({"init", "apply", "adopt", "reconcile", "pause", "resume", "state", "sync"})
"""Commands that change something: what they did must be known even if nobody reads the report."""

_invoked: ContextVar[str] = ContextVar("invoked", default="")
"""The command that was given."""

app = typer.Typer(
    help=_HELP, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)

All = Annotated[
    bool, typer.Option("--all", help="Print every line of long lists, and each record of a group.")
]
Shrunk = Annotated[
    list[str] | None,
    typer.Option(
        "--accept-shrink", metavar="SOURCE", help="Accept that this source is shorter than before."
    ),
]
Waiting = Annotated[
    bool,
    typer.Option(
        "--wait", help="Wait for the end of another run instead of stopping with status 75."
    ),
]
Changed = Annotated[
    bool,
    typer.Option(
        "--changed",
        help="Read only changed rows, of feeds with `updated_column`. Removes nothing.",
    ),
]


@app.callback(invoke_without_command=True)
def _options(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", envvar="INSPERA_SYNC_CONFIG", help="The YAML file."),
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Log each step to standard error.")
    ] = False,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    context.obj = {"config": config, "verbose": verbose}
    _invoked.set(context.invoked_subcommand or "")
    if version:
        _say(f"inspera-sync {__version__}")
        raise typer.Exit


@app.command()
def init(  # noqa: PLR0913 - one for each question
    *,
    csv: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="A CSV file; may be repeated.")
    ] = None,
    encoding: Annotated[
        str | None,
        typer.Option(help="The encoding of CSV files that are not UTF-8, such as cp1252."),
    ] = None,
    sql: Annotated[
        str | None, typer.Option(metavar="URL", help="The URL of a database, without a password.")
    ] = None,
    table: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A table of the database; may be repeated."),
    ] = None,
    ldap: Annotated[
        str | None, typer.Option(metavar="URL", help="The URL of an LDAP directory.")
    ] = None,
    base: Annotated[
        str | None, typer.Option(metavar="DN", help="Where to search in the directory.")
    ] = None,
    user: Annotated[
        str | None, typer.Option(help="The user for the database or directory.")
    ] = None,
    password_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The file with the password.")
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="The tenant's address, such as https://example.inspera.com.")
    ] = None,
    client_id: Annotated[
        str | None,
        typer.Option(metavar="ID", help="The client id, shown next to the API key in Inspera."),
    ] = None,
    key_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The file with the API key.")
    ] = None,
    auth_system: Annotated[
        str | None, typer.Option(metavar="NAME", help="How people log in, such as FEIDE.")
    ] = None,
    zone: Annotated[
        str | None, typer.Option(help="The sources' time zone, such as Europe/Oslo.")
    ] = None,
    output: Annotated[Path, typer.Option(metavar="FILE", help="The file to write.")] = PLACES[0],
) -> None:
    """Write a first configuration: inspect the sources, guess the columns, ask for the rest."""
    from sync.commands.init.wizard import StartOptions
    from sync.commands.init.wizard import init as run_init

    options = StartOptions(
        output, tuple(csv or ()), encoding, sql, tuple(table or ()), ldap, base, user,
        password_file, url, client_id, key_file, auth_system, zone,
    )  # fmt: skip
    _exit(run_init(options, _say, _ask if sys.stdin.isatty() else None))


@app.command()
def check(context: typer.Context, show_all: All = False) -> None:
    """Check the configuration, every source and every row. Sends nothing."""
    from sync.commands.check import check as run_check
    from sync.report.progress import shown

    with shown() as progress:
        _exit(run_check(_open_app(context), _say, progress, show_all=show_all))


@app.command()
def sample(
    context: typer.Context,
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="A name under `sources`.")],
    rows: Annotated[int, typer.Option(min=1, max=1000, help="How many rows.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show the first rows of a source, as read and as mapped. Shows people's data."""
    from sync.commands.sample import SampleOptions
    from sync.commands.sample import sample as run_sample

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    if as_json:
        use_json_escapes()
    # on a terminal it has colours, and has escaped its values itself
    say = _say if width is None or as_json else _say_unescaped
    _exit(run_sample(_open_app(context), SampleOptions(source, rows, as_json), say, width))


@app.command()
def plan(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print the plan as JSON.")] = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with status 10 if there are changes.")
    ] = False,
    accept_shrink: Shrunk = None,
    changed: Changed = False,
    show_all: All = False,
) -> None:
    """Show what `apply` would do (the dry run). Makes no call, leaves the state unchanged."""
    from sync.commands.plan import PlanOptions
    from sync.commands.plan import plan as run_plan
    from sync.report.progress import shown

    if as_json:
        use_json_escapes()
    options = PlanOptions(as_json, exit_code, tuple(accept_shrink or ()), changed, show_all)
    with shown() as progress:
        _exit(run_plan(_open_app(context), options, _say, _write, progress))


@app.command()
def apply(
    context: typer.Context,
    allow: Annotated[
        list[str] | None,
        typer.Option(metavar="HASH", help="Send the held changes with this hash; may be repeated."),
    ] = None,
    retry_refused: Annotated[
        bool,
        typer.Option(
            "--retry-refused", help="Retry now what Inspera refused, without the usual pause."
        ),
    ] = False,
    accept_shrink: Shrunk = None,
    changed: Changed = False,
    wait: Waiting = False,
    show_all: All = False,
) -> None:
    """Plan, then send the changes to Inspera."""
    from sync.commands.apply import ApplyOptions
    from sync.commands.apply import apply as run_apply
    from sync.report.progress import shown

    app, interruption = _open_app(context), _handle_signals()
    with shown() as progress:
        options = ApplyOptions(
            allowed=tuple(allow or ()),
            retry_refused=retry_refused,
            accepted=tuple(accept_shrink or ()),
            changed=changed,
            show_all=show_all,
            wait=_lock_waiter(interruption) if wait else None,
        )
        _exit(run_apply(app, options, _say, progress, interruption))


@app.command()
def adopt(  # noqa: PLR0913, PLR0917 - one for each of its options
    context: typer.Context,
    record: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[KIND KEY…]", help="One record, such as: candidate INF1000-H26 100123"
        ),
    ] = None,
    held: Annotated[
        bool, typer.Option("--held", help="Settle every held identity change and every drift.")
    ] = False,
    managed: Annotated[
        bool,
        typer.Option(
            "--managed",
            help="Mark what is taken in as put there by inspera-sync (after a lost state).",
        ),
    ] = False,
    as_new: Annotated[
        bool, typer.Option("--as-new", help="Treat the record as a new one.")
    ] = False,
    keep: Annotated[
        bool,
        typer.Option(
            "--keep",
            help="Keep Inspera's values until the source changes (one record, or --held).",
        ),
    ] = False,
    show: Annotated[
        bool, typer.Option("--show", help="Show what would be taken in, and change nothing.")
    ] = False,
    wait: Waiting = False,
    show_all: All = False,
) -> None:
    """Take what Inspera already has into the state: all that matches, or one held record."""
    from sync.commands.adopt import AdoptOptions
    from sync.commands.adopt import adopt as run_adopt
    from sync.report.progress import shown

    app, interruption = _open_app(context), _handle_signals()
    lock = _lock_waiter(interruption) if wait else None
    options = AdoptOptions(tuple(record or ()), held, managed, as_new, keep, show, show_all, lock)
    with shown() as progress:
        _exit(run_adopt(app, options, _say, progress, interruption))


@app.command()
def reconcile(
    context: typer.Context,
    repair: Annotated[
        bool, typer.Option("--repair", help="Send the sources' values where Inspera differs.")
    ] = False,
    accept_unread: Annotated[
        bool,
        typer.Option(
            "--accept-unread", help="Accept an older state as recovered although not all was read."
        ),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print each difference as a line of JSON.")
    ] = False,
    wait: Waiting = False,
    show_all: All = False,
) -> None:
    """Read Inspera and list what was changed there, what is gone, and what is not managed."""
    from sync.commands.reconcile import ReconcileOptions
    from sync.commands.reconcile import reconcile as run_reconcile
    from sync.report.progress import shown

    app, interruption = _open_app(context), _handle_signals()
    if as_json:
        use_json_escapes()
    options = ReconcileOptions(
        repair, accept_unread, as_json, show_all, _lock_waiter(interruption) if wait else None
    )
    with shown() as progress:
        _exit(run_reconcile(app, options, _say, progress, interruption))


@app.command()
def serve(context: typer.Context) -> None:
    """Run the jobs of the configuration until SIGTERM. SIGHUP reads the configuration again."""
    import structlog

    from sync.commands.serve import serve as run_serve

    try:
        _exit(run_serve(_config(context)))
    except SyncError as error:
        for line in str(error).splitlines():  # a service logs, a line an error
            structlog.get_logger("service").error("service ended", why=line)
        _exit(_status_of(error))


@app.command()
def pause(
    context: typer.Context,
    reason: Annotated[
        str, typer.Option(help="The reason, shown by `status` and by every run.")
    ] = "",
) -> None:
    """Stop all sending until `resume`, also of the current run. Calls under way finish."""
    from sync.commands.pause import pause as run_pause

    _exit(run_pause(_open_app(context), reason, _say))


@app.command()
def resume(context: typer.Context) -> None:
    """Allow sending again after `pause`."""
    from sync.commands.pause import resume as run_resume

    _exit(run_resume(_open_app(context), _say))


@app.command()
def status(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
    show_all: All = False,
) -> None:
    """Show the last runs, the known records, and what the last run found."""
    from sync.commands.status import status as run_status

    if as_json:
        use_json_escapes()
    _exit(run_status(_open_app(context), _say, as_json=as_json, show_all=show_all))


_state = typer.Typer(help="Manage the state.", no_args_is_help=True)
app.add_typer(_state, name="state")


@_state.command()
def rebind(
    context: typer.Context,
    renamed: Annotated[
        bool,
        typer.Option(
            "--renamed", help="Confirm that only the tenant's address or client id is new."
        ),
    ] = False,
) -> None:
    """Move the state to the tenant of the configuration. Reads some records, sends nothing."""
    from sync.commands.state_rebind import rebind as run_rebind

    app, interruption = _open_app(context), _handle_signals()
    _exit(run_rebind(app, _say, interruption, renamed=renamed))


@app.command()
def doctor(
    context: typer.Context,
    apidoc: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Only compare the calls with the tenant's schema in this file."
        ),
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Skip the checks that need the network.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Check sources, state, key, network and clock; show the needed calls and how sure each is."""
    from sync.commands.doctor import DoctorOptions
    from sync.commands.doctor import doctor as run_doctor

    if as_json:
        use_json_escapes()
    _exit(run_doctor(_open_app(context), DoctorOptions(apidoc, offline, as_json), _say))


@app.command()
def sandbox(
    port: Annotated[
        int, typer.Option(help="The port to listen on, on this machine only; 0 picks a free one.")
    ] = 8765,
    data: Annotated[
        Path | None, typer.Option(help="Keep the data and the log of requests in this folder.")
    ] = None,
    latency: Annotated[
        float, typer.Option(help="Delay the response to each write by so many seconds.")
    ] = 0.0,
    failures: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Let calls fail at random, as this YAML or JSON file defines."
        ),
    ] = None,
) -> None:
    """Run a local Inspera to rehearse against: client id `example`, API key `sandbox-key`."""
    from sync.sandbox import serve

    def ready(url: str) -> None:
        _say(f"sandbox is listening on {url}")

    try:
        _exit(serve(port, data, latency=latency, failures=failures, ready=ready))
    except (OSError, ValueError) as error:
        raise UsageError(f"the sandbox cannot start: {error}") from None


@app.command()
def schema(
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the reference of every setting instead.")
    ] = False,
) -> None:
    """Print the JSON Schema of the configuration, for editors."""
    from sync.config import reference_text, schema_text

    if markdown:
        _put(reference_text())
        return
    use_json_escapes()
    _write(schema_text())


@app.command()
def demo(
    work: Annotated[Path | None, typer.Option(help="Use this folder, and keep it.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the demo's folder.")] = False,
) -> None:
    """Play two days of a made-up university against a sandbox on this machine."""
    from sync.commands.demo import demo as run_demo

    _exit(run_demo(_say, work, keep))


@app.command(name="help")
def help_(
    topic: Annotated[
        str | None, typer.Argument(metavar="TOPIC", help="The page; a list without it.")
    ] = None,
) -> None:
    """Print a page of the manual, or the list of pages."""
    from sync.commands.help import help_text, list_text

    _put(help_text(topic, terminal=sys.stdout.isatty()) if topic else list_text())


@app.command(name="sync", hidden=True)
def _sync(
    context: typer.Context, dry_run: Annotated[bool, typer.Option("--dry-run")] = False
) -> None:
    """Run `plan` with `--dry-run`, else `apply`."""
    context.invoke(plan if dry_run else apply, context=context)


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit status. An error is never a traceback.

    A report that can't be written stops nothing (rules 40). Then 0 becomes 1, except for a command
    that only reads and whose reader has gone, as in `plan | head`: that is the reader's choice.
    """
    _invoked.set("")
    with guard_standard_streams() as report:
        status = _run(arguments)
        acts = _invoked.get() in _ACTING
        if not report.lost or (report.reader_left and not acts):
            return status
        rest = "run it again where there is room for it"
        if acts:
            rest = "the work was finished, and `status --all` shows the result"
        _warn(
            f"standard output can't be written ({report.lost}), so the report is incomplete; {rest}"
        )
        return Exit.ERRORS if status in (Exit.OK, Exit.CHANGES) else status


def _run(arguments: Sequence[str]) -> int:
    try:
        _command()(list(arguments), prog_name="inspera-sync")
    except SystemExit as end:  # how typer ends, a wrong option (status 2) included
        return int(end.code or 0)
    except SyncError as error:
        _warn(str(error))
        return _status_of(error)
    return Exit.OK


@cache
def _command() -> Callable[..., object]:
    return typer.main.get_command(app)


def _status_of(error: SyncError) -> Exit:
    """Return the exit status for an error; 2 only for what a person must fix (rules 39)."""
    kinds: tuple[tuple[tuple[type[SyncError], ...], Exit], ...] = (
        ((Locked, StateBusy, Deposed), Exit.LOCKED),
        ((SourceError, StateUnreachable), Exit.SOURCE),
        ((CallError,), Exit.INSPERA),
    )
    return next((code for kind, code in kinds if isinstance(error, kind)), Exit.USAGE)


def _open_app(context: typer.Context) -> "App":
    from sync.app import App
    from sync.log import configure

    configure(level="info" if context.obj["verbose"] else "warning")
    return App.open(_config(context), _warn)


def _config(context: typer.Context) -> Path:
    """Return the configuration's file: the one that was named, or the first that exists."""
    given: Path | None = context.obj["config"]
    # os.path: a current folder that this user may not enter (`sudo -u` from /root) must not raise
    path = given or next((place for place in PLACES if os.path.exists(place)), None)  # noqa: PTH110
    if path is None:
        looked = " nor ".join(str(place) for place in PLACES)
        raise UsageError(f"no configuration: neither {looked} exists; name one with --config FILE")
    return path


def _lock_waiter(interruption: "Interruption") -> Callable[[str], bool]:
    """Return a function that waits for another run's lock, and names that run once."""
    named: set[str] = set()

    def wait(holder: str) -> bool:
        if holder not in named:
            named.add(holder)
            _warn(f"waiting for {holder}")
        return not interruption.event.wait(1)

    return wait


def _handle_signals() -> "Interruption":
    """Let SIGINT and SIGTERM end the run in order: calls under way finish; a second kills."""
    from sync.engine.interruption import Interruption

    interruption = Interruption()

    def stop(number: int, _frame: object) -> None:
        if interruption.event.is_set():
            os._exit(128 + number)
        interruption.end(
            "stopped by a signal", Exit.TERMINATED if number == signal.SIGTERM else Exit.INTERRUPTED
        )
        _warn("stopping: the calls under way are finished and recorded first")

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    return interruption


def _ask(question: str, default: str, check: Callable[[str], str]) -> str:
    """Ask until the answer passes the check. A default of one space stands for nothing."""

    def checked(text: str) -> str:
        try:
            return check(text)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None

    answer: str = typer.prompt(
        question, default or None, value_proc=checked, show_default=bool(default.strip())
    )
    return answer


def _say(line: str) -> None:
    _write(f"{line}\n")


def _say_unescaped(line: str) -> None:
    _put(f"{line}\n")


def _write(piece: str) -> None:
    """Write to standard output, with control and invisible characters of the sources escaped."""
    _put(escaped(piece))


def _put(piece: str) -> None:
    """Write to standard output, which drops what can't be written (see `sync.console`)."""
    sys.stdout.write(piece)
    sys.stdout.flush()


def _warn(line: str) -> None:
    print(escaped(line), file=sys.stderr, flush=True)  # noqa: T201


def _exit(status: int) -> None:
    raise typer.Exit(int(status))
