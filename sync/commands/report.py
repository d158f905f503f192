"""`report`: a plan, a past run, or what is held, as text, JSON or one HTML file. Sends nothing."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

from sqlalchemy import Connection

from sync.app import App, Say, now
from sync.commands.plan import make_store
from sync.commands.report_file import check_replaceable, write_file
from sync.commands.report_subjects import held_report, plan_report, run_report
from sync.engine.candidate_numbers import defer_as_before
from sync.engine.run import plan_only
from sync.errors import UsageError
from sync.exit_codes import Exit
from sync.progress import Progress
from sync.report.plan_text import MOST
from sync.report.pseudonyms import Pseudonyms, values_in, values_of_record
from sync.report.report_html import report_html
from sync.report.report_json import report_json
from sync.report.report_model import Report, Subject
from sync.report.report_text import report_text
from sync.state.past_changes import find_run, read_unsure
from sync.state.staging import person_values

STANDARD_OUTPUT = Path("-")
"""The name for standard output in place of a file."""

MakeReport = Callable[[], Report]
"""Returns the report once more: its items can be read only once."""


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """What the report command was asked for.

    Attributes:
        subject: what the report is about.
        run: the number of the run; None for the newest.
        html: the file for HTML; None for no such file.
        as_json: the file for JSON; None for no such file.
        pseudonymise: whether people get pseudonyms.
        show_all: whether text has all rows.
        force: whether a file that is not a report is replaced.
    """

    subject: Subject = Subject.PLAN
    run: int | None = None
    html: Path | None = None
    as_json: Path | None = None
    pseudonymise: bool = False
    show_all: bool = False
    force: bool = False

    @property
    def files(self) -> Sequence[Path]:
        """Return the files to write, standard output aside."""
        return [path for path in (self.html, self.as_json) if path and path != STANDARD_OUTPUT]


def report(app: App, options: ReportOptions, say: Say, write: Say, progress: Progress) -> Exit:
    """Make a report and write it.

    `say` receives lines of text, `write` a report for standard output in pieces. The exit status
    that the plan or the run has is in the report; the command's own tells whether it was written.

    Raises:
        UsageError: a file can't be written, or the run is unknown.
    """
    _check(options)
    app.prepare()
    with app.state.open_to_read() as connection:
        make = _maker(app, options, connection, progress)
        if options.pseudonymise:
            make = _with_pseudonyms(make, connection)
        if options.html:
            _deliver(options.html, report_html(make()), write)
        if options.as_json:
            _deliver(options.as_json, report_json(make()), write)
        if not (options.html or options.as_json):
            for line in report_text(make(), None if options.show_all else MOST):
                say(line)
        for path in options.files:
            figures = ", ".join(f"{number:,} {name}" for name, number in make().totals.items())
            say(f"Wrote {path}: {figures}.")
    return Exit.OK


def _check(options: ReportOptions) -> None:
    if options.run is not None and options.subject is not Subject.RUN:
        raise UsageError(f"report {options.subject}: takes no number; did you mean `report run`?")
    if options.html is not None and options.html == options.as_json:
        raise UsageError(f"--html {options.html} and --json {options.as_json}: name two files")
    for path in options.files:
        check_replaceable(path, force=options.force)


def _deliver(path: Path, pieces: Iterable[str], write: Say) -> None:
    if path != STANDARD_OUTPUT:
        write_file(path, pieces)
        return
    for piece in pieces:
        write(piece)


def _maker(
    app: App, options: ReportOptions, connection: Connection, progress: Progress
) -> MakeReport:
    store = make_store(app, connection)
    if options.subject is Subject.RUN:
        past = find_run(connection, options.run)
        if past is None:
            if options.run is None:
                raise UsageError("report run: nothing has run yet; run `inspera-sync apply` first")
            raise UsageError(
                f"report run {options.run}: unknown run; `inspera-sync status --json` lists the runs"
            )
        return partial(run_report, app, connection, past, now())
    if options.subject is Subject.HELD:
        return partial(held_report, app, connection, now())
    planning = plan_only(app.feeds, store, app.policy(), now(), progress)
    defer_as_before(store)
    return partial(plan_report, app, connection, store, planning)


def _with_pseudonyms(make: MakeReport, connection: Connection) -> MakeReport:
    # The report is read twice: a text may name somebody who is only in a later item.
    first = make()
    past = (
        value
        for change in read_unsure(connection, first.run.id if first.run else None)
        for value in values_of_record(change.kind, change.key, change.before, change.after)
    )
    person_values.collect(connection, chain(past, values_in(first)))
    pseudonyms = Pseudonyms(partial(person_values.find, connection))
    return lambda: pseudonyms.in_report(make())
