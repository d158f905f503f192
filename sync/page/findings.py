"""What the newest run of each job could not do, in the words of the sources and of Inspera."""

from collections.abc import Sequence
from itertools import islice

from starlette.requests import Request

from sync.page.desk import Desk
from sync.page.overview import run_meaning
from sync.page.rendering import View
from sync.report.wording import key_text
from sync.state import refusals
from sync.state.history import PastFinding, PastRun, read_findings, read_last_ended
from sync.state.refusals import RefusalStatus

MOST = 500
"""The most findings of a run that the page shows."""


def show(desk: Desk, _request: Request) -> View:
    """Show the findings of the newest runs, and what Inspera refuses again and again."""
    with desk.open_to_read() as connection:
        newest = read_last_ended(connection, [f"job {job.name}" for job in desk.jobs()])
        found: list[tuple[PastRun, Sequence[PastFinding]]] = [
            (run, list(islice(read_findings(connection, run.id), MOST + 1))) for run in newest
        ]
        refused: Sequence[RefusalStatus] = list(islice(refusals.listed(connection), MOST))
    return View(
        "errors.html",
        "Errors",
        {
            "runs": [(run, of) for run, of in found if of or run.reason],
            "most": MOST,
            "refused": refused,
            "key": key_text,
            "meaning": run_meaning,
        },
    )
