"""The command line: its commands and options. `sync.commands`, imported when needed, does the work.

A command returns its exit status.
"""

import shutil
import sys
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Annotated

import typer

from sync import __version__
from sync.cli.audit import group as audit_group
from sync.cli.options import (
    All,
    AsJson,
    By,
    Changed,
    HoldId,
    Kinds,
    Only,
    People,
    Quiet,
    Shrunk,
    Tests,
    Waiting,
    Why,
    Yes,
    flag,
    option,
    selected,
)
from sync.cli.people import add_to as add_people
from sync.commands import completion
from sync.commands.invocation import (
    PLACES,
    Invocation,
    handle_signals,
    lock_waiter,
    status_of,
    with_verdict,
)
from sync.console import guard_standard_streams, put, say, use_json_escapes, warn, write
from sync.errors import SyncError, UsageError
from sync.exit_codes import Exit
from sync.report.progress import shown
from sync.report.report_model import Subject
from sync.report.terminal import shown_report

_HELP = """Keep Inspera Assessment in step with the student information system.

Begin with `demo`, then run `check` and `plan` on your own files.

`apply`, `undo`, `reconcile --repair` and the jobs of `serve` change Inspera; nothing else does.
`help` lists the pages of the manual."""

_ACTING = frozenset(
    {"init", "apply", "approve", "reject", "undo", "adopt", "reconcile", "pause", "resume"}
    | {"backup", "forget", "restore", "run-now", "state", "sync"}
)
"""Commands that change something: what they did must be known even if nobody reads the report."""

_invoked: ContextVar[str] = ContextVar("invoked", default="")
"""The command that was given."""


def _end(status: int, **_options: object) -> None:
    """End the process with the status that a command returned."""
    raise typer.Exit(int(status))


app = typer.Typer(
    help=_HELP,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # importing rich takes longer than the rest of `--help`
    result_callback=_end,
)
_state = typer.Typer(help="Manage the state.", no_args_is_help=True)
app.add_typer(_state, name="state")
app.add_typer(audit_group, name="audit")


def _print_version(context: typer.Context, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        say(f"inspera-sync {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", envvar="INSPERA_SYNC_CONFIG", help="The YAML file."),
    ] = None,
    verbose: Annotated[bool, flag("--verbose", "Log each step to standard error.", "-v")] = False,
    _version: Annotated[
        bool,
        flag("--version", "Print the version and exit.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    context.obj = Invocation(config, verbose)
    _invoked.set(context.invoked_subcommand or "")


@app.command()
def init(  # noqa: PLR0913 - one for each question
    *,
    csv: Annotated[list[Path] | None, option("FILE", "A CSV file; may be repeated.")] = None,
    encoding: Annotated[
        str | None, option("NAME", "The encoding of CSV files that are not UTF-8, such as cp1252.")
    ] = None,
    sql: Annotated[str | None, option("URL", "The URL of a database, without a password.")] = None,
    table: Annotated[
        list[str] | None, option("NAME", "A table of the database; may be repeated.")
    ] = None,
    ldap: Annotated[str | None, option("URL", "The URL of an LDAP directory.")] = None,
    base: Annotated[str | None, option("DN", "Where to search in the directory.")] = None,
    user: Annotated[str | None, option("NAME", "The user for the database or directory.")] = None,
    password_file: Annotated[Path | None, option("FILE", "The file with the password.")] = None,
    url: Annotated[
        str | None, option("URL", "The tenant's address, such as https://example.inspera.com.")
    ] = None,
    client_id: Annotated[
        str | None, option("ID", "The client id, shown next to the API key in Inspera.")
    ] = None,
    key_file: Annotated[Path | None, option("FILE", "The file with the API key.")] = None,
    auth_system: Annotated[str | None, option("NAME", "How people log in, such as FEIDE.")] = None,
    zone: Annotated[
        str | None, option("ZONE", "The sources' time zone, such as Europe/Oslo.")
    ] = None,
    output: Annotated[Path, option("FILE", "The file to write.")] = PLACES[0],
) -> Exit:
    """Write a first configuration: inspect the sources, guess the columns, ask for the rest."""
    from sync.commands.init import wizard as command
    from sync.commands.init.prompts import ask_on_terminal

    options = command.InitOptions(
        output=output,
        csv=tuple(csv or ()),
        encoding=encoding,
        sql=sql,
        tables=tuple(table or ()),
        ldap=ldap,
        base=base,
        user=user,
        password_file=password_file,
        url=url,
        client_id=client_id,
        key_file=key_file,
        auth_system=auth_system,
        zone=zone,
    )
    return command.init(options, say, ask_on_terminal if sys.stdin.isatty() else None)


@app.command()
def check(
    context: typer.Context,
    show_all: All = False,
    impact: Annotated[
        bool, flag("--impact", "Show what this change of the configuration would do.")
    ] = False,
) -> Exit:
    """Check the configuration, every source and every row. Sends nothing."""
    from sync.commands import check as command

    with shown() as progress:
        return with_verdict(
            "Check",
            lambda: command.check(
                context.obj.open_app(), say, progress, show_all=show_all, impact=impact
            ),
        )


@app.command()
def sample(
    context: typer.Context,
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE", autocompletion=completion.sources, help="A name under `sources`."
        ),
    ],
    rows: Annotated[int, typer.Option(min=1, max=1000, help="How many rows.")] = 5,
    as_json: AsJson = False,
) -> Exit:
    """Show the first rows of a source, as read and as mapped. Shows people's data."""
    from sync.commands import sample as command

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    return command.sample(
        context.obj.open_app(), command.SampleOptions(source, rows, as_json), width
    )


@app.command()
def plan(  # noqa: PLR0913, PLR0917 - one for each of its options
    context: typer.Context,
    as_json: AsJson = False,
    exit_code: Annotated[
        bool, flag("--exit-code", "Exit with status 10 if there are changes.")
    ] = False,
    allow: Annotated[
        list[str] | None, option("HASH", "Plan as if this hash were allowed; may be repeated.")
    ] = None,
    accept_shrink: Shrunk = None,
    changed: Changed = False,
    test: Tests = None,
    kind: Kinds = None,
    person: People = None,
    show_all: All = False,
    out: Annotated[
        Path | None,
        option("FILE", "Write the changes to this file, for a review and `apply FILE`."),
    ] = None,
    quiet: Quiet = False,
) -> Exit:
    """Show what `apply` would do (the dry run). Makes no call, leaves the state unchanged."""
    from sync.commands import plan as command

    options = command.PlanOptions(
        as_json,
        exit_code,
        tuple(accept_shrink or ()),
        changed,
        show_all,
        tuple(allow or ()),
        out,
        selected(test, kind, person),
        quiet=quiet,
    )
    with shown() as progress, shown_report() as report:
        return command.plan(context.obj.open_app(), options, report, write, progress)


@app.command()
def explain(
    context: typer.Context,
    record: Annotated[
        list[str],
        typer.Argument(
            metavar="KIND KEY…",
            autocompletion=completion.kinds,
            help="One record, such as: candidate INF1000-H26 100123. A person or test needs no kind.",
        ),
    ],
    redact: Annotated[
        bool, flag("--redact", "Mask names, mails, logins and national identity numbers.")
    ] = False,
    as_json: AsJson = False,
) -> Exit:
    """Explain one record: its rows, mapping, plan and history. Shows people's data, sends nothing."""
    from sync.commands import explain as command

    options = command.ExplainOptions(tuple(record), as_json, redact)
    with shown() as progress, shown_report(plain=as_json) as report:
        return command.explain(context.obj.open_app(), options, report, progress)


@app.command()
def report(  # noqa: PLR0913, PLR0917 - one for each of its options
    context: typer.Context,
    subject: Annotated[
        Subject,
        typer.Argument(
            metavar="plan|run|held", help="A new plan, a past run, or what the last run holds."
        ),
    ] = Subject.PLAN,
    run_id: Annotated[
        int | None,
        typer.Argument(metavar="ID", help="The number of the run; the newest without it."),
    ] = None,
    html: Annotated[
        Path | None, option("FILE", "Write one HTML file, for people; `-` for standard output.")
    ] = None,
    as_json: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write JSON, for programs.")
    ] = None,
    pseudonymise: Annotated[
        bool, flag("--pseudonymise", "Show people by pseudonyms, to send the report to somebody.")
    ] = False,
    force: Annotated[bool, flag("--force", "Replace a file that is not a report.")] = False,
    show_all: All = False,
) -> Exit:
    """Report a plan, a run or what is held, as text, JSON or HTML. Sends nothing."""
    from sync.commands import report as command

    if as_json == command.STANDARD_OUTPUT:
        use_json_escapes()
    options = command.ReportOptions(subject, run_id, html, as_json, pseudonymise, show_all, force)
    with shown() as progress, shown_report() as lines:
        return command.report(context.obj.open_app(), options, lines, write, progress)


@app.command()
def apply(  # noqa: PLR0913, PLR0917 - one for each of its options
    context: typer.Context,
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE", help="Carry out exactly this plan, which `plan --out FILE` has written."
        ),
    ] = None,
    allow: Annotated[
        list[str] | None, option("HASH", "Send the held changes with this hash; may be repeated.")
    ] = None,
    retry_refused: Annotated[
        bool, flag("--retry-refused", "Retry now what Inspera refused, without the usual pause.")
    ] = False,
    accept_shrink: Shrunk = None,
    changed: Changed = False,
    test: Tests = None,
    kind: Kinds = None,
    person: People = None,
    wait: Waiting = False,
    show_all: All = False,
    quiet: Quiet = False,
    yes: Yes = False,
) -> Exit:
    """Plan, then send the changes to Inspera."""
    from sync.commands import apply as command
    from sync.commands.notify import notify_after_run
    from sync.commands.question import question_on_terminal

    app, interruption = context.obj.open_app(), handle_signals()
    options = command.ApplyOptions(
        allowed=tuple(allow or ()),
        retry_refused=retry_refused,
        accepted=tuple(accept_shrink or ()),
        changed=changed,
        selection=selected(test, kind, person),
        show_all=show_all,
        quiet=quiet,
        wait=lock_waiter(interruption) if wait else None,
        confirm=question_on_terminal(interruption, yes=yes or quiet),
        file=file,
    )
    status: Exit | None = None
    try:
        with shown() as progress, shown_report() as report:
            status = command.apply(app, options, report, progress, interruption)
        return status
    finally:
        notify_after_run(app, status)


@app.command()
def held(
    context: typer.Context,
    hold: Annotated[
        str | None,
        typer.Argument(metavar="ID", help="The hash of one hold, or how it begins."),
    ] = None,
    show_all: All = False,
    as_json: AsJson = False,
) -> Exit:
    """List what is held for a person to decide, and the command that decides."""
    from sync.commands import held as command

    with shown_report(plain=as_json) as report:
        return command.held(
            context.obj.open_app(), command.HeldOptions(hold, show_all, as_json), report
        )


@app.command()
def approve(
    context: typer.Context,
    hold: HoldId,
    why: Why,
    only: Only = None,
    by: By = None,
    for_: Annotated[
        str, typer.Option("--for", metavar="DURATION", help="How long the approval counts.")
    ] = "24h",
    show_all: All = False,
) -> Exit:
    """Send exactly the changes of a hold; while another run holds the state, the next one does."""
    from sync.commands import approve as command

    app, interruption = context.obj.open_app(), handle_signals()
    options = command.DecisionOptions(
        id=hold, why=why, only=tuple(only or ()), by=by, for_=for_, show_all=show_all
    )
    with shown() as progress, shown_report() as report:
        return command.approve(app, options, report, progress, interruption)


@app.command()
def reject(
    context: typer.Context, hold: HoldId, why: Why, only: Only = None, by: By = None
) -> Exit:
    """Do not send the changes of a hold, and hold them no more, until their rows change."""
    from sync.commands import approve as command

    options = command.DecisionOptions(id=hold, why=why, only=tuple(only or ()), by=by)
    return command.reject(context.obj.open_app(), options, say)


@app.command()
def undo(  # noqa: PLR0913, PLR0917 - one for each of its options
    context: typer.Context,
    run: Annotated[
        int | None, typer.Argument(metavar="RUN", help="The number of the run, as `undo` lists it.")
    ] = None,
    show: Annotated[bool, flag("--show", "Show what would be undone, and send nothing.")] = False,
    why: Annotated[str, option("TEXT", "Why the run is undone; later plans show it. Needed.")] = "",
    by: Annotated[
        str | None, option("NAME", "Who wants that; without it, the person who is logged in.")
    ] = None,
    allow: Annotated[
        list[str] | None, option("HASH", "Send the held changes with this hash; may be repeated.")
    ] = None,
    wait: Waiting = False,
    show_all: All = False,
    yes: Yes = False,
) -> Exit:
    """Take the changes of an earlier run back. Without a run, list the last ones."""
    from sync.commands import undo as command
    from sync.commands.question import question_on_terminal

    app, interruption = context.obj.open_app(), handle_signals()
    options = command.UndoOptions(
        run=run,
        show=show,
        why=why,
        by=by,
        allowed=tuple(allow or ()),
        show_all=show_all,
        wait=lock_waiter(interruption) if wait else None,
        confirm=question_on_terminal(interruption, yes=yes),
    )
    with shown() as progress, shown_report() as report:
        return command.undo_run(app, options, report, progress, interruption)


@app.command()
def adopt(  # noqa: PLR0913, PLR0917 - one for each of its options
    context: typer.Context,
    record: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="KIND KEY…",
            autocompletion=completion.kinds,
            help="One record, such as: candidate INF1000-H26 100123",
        ),
    ] = None,
    held: Annotated[
        bool, flag("--held", "Settle every held identity change and every drift.")
    ] = False,
    managed: Annotated[
        bool,
        flag(
            "--managed", "Mark what is taken in as put there by inspera-sync (after a lost state)."
        ),
    ] = False,
    as_new: Annotated[bool, flag("--as-new", "Treat the record as a new one.")] = False,
    keep: Annotated[
        bool,
        flag("--keep", "Keep Inspera's values until the source changes (one record, or --held)."),
    ] = False,
    show: Annotated[
        bool, flag("--show", "Show what would be taken in, and change nothing.")
    ] = False,
    wait: Waiting = False,
    show_all: All = False,
) -> Exit:
    """Take what Inspera already has into the state: all that matches, or one held record."""
    from sync.commands import adopt as command

    app, interruption = context.obj.open_app(), handle_signals()
    options = command.AdoptOptions(
        record=tuple(record or ()),
        held=held,
        managed=managed,
        as_new=as_new,
        keep=keep,
        show=show,
        show_all=show_all,
        wait=lock_waiter(interruption) if wait else None,
    )
    with shown() as progress:
        return command.adopt(app, options, say, progress, interruption)


@app.command()
def reconcile(
    context: typer.Context,
    repair: Annotated[
        bool, flag("--repair", "Send the sources' values where Inspera differs.")
    ] = False,
    accept_unread: Annotated[
        bool,
        flag("--accept-unread", "Accept an older state as recovered although not all was read."),
    ] = False,
    as_json: AsJson = False,
    wait: Waiting = False,
    show_all: All = False,
    quiet: Quiet = False,
) -> Exit:
    """Read Inspera and list what was changed there, what is gone, and what is not managed."""
    from sync.commands import reconcile as command

    app, interruption = context.obj.open_app(), handle_signals()
    options = command.ReconcileOptions(
        repair, accept_unread, as_json, show_all, lock_waiter(interruption) if wait else None, quiet
    )
    with shown() as progress:
        return command.reconcile(app, options, say, progress, interruption)


@app.command()
def notify(
    context: typer.Context,
    target: Annotated[
        str | None,
        typer.Argument(
            metavar="TARGET", help="A name under `notifications.targets`; default: all."
        ),
    ] = None,
    test: Annotated[bool, flag("--test", "Send a test notification. Needed.")] = False,
) -> Exit:
    """Send a test notification to each target, and say whether it was delivered."""
    from sync.commands import notify as command

    if not test:
        raise UsageError("notify sends nothing by itself; to try the targets: notify --test")
    return command.try_targets(context.obj.open_app(), target, say)


@app.command()
def serve(context: typer.Context) -> Exit:
    """Run the jobs of the configuration until SIGTERM. SIGHUP reads the configuration again."""
    from sync.commands import serve as command

    return command.serve(context.obj)


@app.command()
def pause(
    context: typer.Context,
    reason: Annotated[
        str, typer.Option(help="The reason, shown by `status` and by every run.")
    ] = "",
) -> Exit:
    """Stop all sending until `resume`, also of the current run. Calls under way finish."""
    from sync.commands import pause as command

    return command.pause(context.obj.open_app(), reason, say)


@app.command()
def resume(context: typer.Context) -> Exit:
    """Allow sending again after `pause`."""
    from sync.commands import pause as command

    return command.resume(context.obj.open_app(), say)


@app.command("run-now")
def run_now(
    context: typer.Context,
    job: Annotated[str, typer.Argument(metavar="JOB", help="The name of a job.")],
) -> Exit:
    """Let the running service start a job at once."""
    from sync.commands import run_now as command

    return command.run_now(context.obj.open_app(), job, say)


@app.command()
def status(
    context: typer.Context,
    as_json: AsJson = False,
    show_all: All = False,
) -> Exit:
    """Show the last runs, the known records, and what the last run found."""
    from sync.commands import status as command

    with shown_report(plain=as_json) as report:
        return command.status(context.obj.open_app(), report, as_json=as_json, show_all=show_all)


@app.command()
def backup(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write.")],
    key: Annotated[
        Path | None,
        option("FILE", "Write the key of the secret digests there; keep it apart from the backup."),
    ] = None,
    force: Annotated[bool, flag("--force", "Replace an earlier backup of that name.")] = False,
) -> Exit:
    """Write the state into one file, also while a service runs, and verify it. Sends nothing."""
    from sync.commands import backup as command

    return command.backup(context.obj.open_app(), command.BackupOptions(file, key, force), say)


@app.command()
def restore(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that `backup` wrote.")],
    key: Annotated[
        Path | None, option("FILE", "The key of the secret digests, as `backup --key` wrote it.")
    ] = None,
) -> Exit:
    """Replace the state by a backup. Nothing is sent then until `reconcile`. Sends nothing."""
    from sync.commands import backup as command

    return command.restore(context.obj.open_app(), file, say, key=key)


@_state.command(name="copy")
def copy_(
    context: typer.Context,
    url: Annotated[
        str,
        typer.Argument(metavar="URL", help="Such as postgresql://USER@HOST/DATABASE, and empty."),
    ],
    password_file: Annotated[
        Path | None, option("FILE", "The file with the password for that database.")
    ] = None,
) -> Exit:
    """Copy the state to another database, which continues it. Sends nothing."""
    from sync.commands import state_copy as command

    return command.copy(context.obj.open_app(), url, say, password_file=password_file)


@_state.command()
def rebind(
    context: typer.Context,
    renamed: Annotated[
        bool, flag("--renamed", "Confirm that only the tenant's address or client id is new.")
    ] = False,
) -> Exit:
    """Move the state to the tenant of the configuration. Reads some records, sends nothing."""
    from sync.commands import state_rebind as command

    return command.rebind(context.obj.open_app(), say, handle_signals(), renamed=renamed)


add_people(app)


@app.command()
def doctor(
    context: typer.Context,
    apidoc: Annotated[
        Path | None, option("FILE", "Only compare the calls with the tenant's schema in this file.")
    ] = None,
    offline: Annotated[bool, flag("--offline", "Skip the checks that need the network.")] = False,
    as_json: AsJson = False,
    probe: Annotated[
        Path | None,
        option(
            "FILE", "Only make about 12 calls that read, and write the form of the answers there."
        ),
    ] = None,
) -> Exit:
    """Check sources, state, key, network and clock; show the needed calls and how sure each is."""
    from sync.commands import doctor as command

    def run_doctor() -> Exit:
        options = command.DoctorOptions(apidoc, offline, as_json, probe)
        return command.doctor(context.obj.open_app(), options, say)

    return run_doctor() if as_json else with_verdict("Doctor", run_doctor)


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
        Path | None, option("FILE", "Let calls fail at random, as this YAML or JSON file defines.")
    ] = None,
    taken: Annotated[
        int,
        typer.Option(
            min=0,
            max=10,
            help="Let another client hold so many of the 10 requests that may be in progress.",
        ),
    ] = 0,
) -> Exit:
    """Run a local Inspera to rehearse against: client id `example`, API key `sandbox-key`."""
    from sync.commands import sandbox as command

    return command.sandbox(port, data, failures, latency=latency, taken=taken)


@app.command()
def schema(
    markdown: Annotated[
        bool, flag("--markdown", "Print the reference of every setting instead.")
    ] = False,
    of_reports: Annotated[
        bool, flag("--report", "Print the JSON Schema of `report --json` instead.")
    ] = False,
) -> Exit:
    """Print the JSON Schema of the configuration, for editors."""
    from sync.commands import schema as command

    return command.schema(markdown=markdown, of_reports=of_reports)


@app.command()
def demo(
    work: Annotated[Path | None, typer.Option(help="Use this folder, and keep it.")] = None,
    keep: Annotated[bool, flag("--keep", "Keep the demo's folder.")] = False,
) -> int:
    """Play two days of a made-up university against a sandbox on this machine."""
    from sync.commands import demo as command

    return command.demo(say, work, keep)


@app.command(name="help")
def help_(
    topic: Annotated[
        str | None,
        typer.Argument(
            metavar="TOPIC", autocompletion=completion.topics, help="The page; a list without it."
        ),
    ] = None,
) -> Exit:
    """Print a page of the manual, or the list of pages; `help man` prints the man page."""
    from sync.commands import help as command
    from sync.commands.man_page import man_page

    if topic == "man":
        put(man_page(_command()))
        return Exit.OK

    put(command.help_text(topic, terminal=sys.stdout.isatty()) if topic else command.list_text())
    return Exit.OK


@app.command(name="sync", hidden=True)
def _sync(
    context: typer.Context, dry_run: Annotated[bool, typer.Option("--dry-run")] = False
) -> Exit:
    """Run `plan` with `--dry-run`, else `apply`."""
    return context.invoke(plan if dry_run else apply, context=context)


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
        warn(
            f"standard output can't be written ({report.lost}), so the report is incomplete; {rest}"
        )
        return Exit.ERRORS if status in (Exit.OK, Exit.CHANGES) else status


def _run(arguments: Sequence[str]) -> int:
    try:
        _command()(list(arguments), prog_name="inspera-sync")
    except SystemExit as end:  # how typer ends, a wrong option (status 2) included
        return int(end.code or 0)
    except SyncError as error:
        warn(str(error))
        return status_of(error)
    return Exit.OK


@cache
def _command() -> Callable[..., object]:
    return typer.main.get_command(app)
