"""The past runs, page by page; each links to its report."""

from starlette.requests import Request

from sync.page.charts import run_bars
from sync.page.desk import Desk
from sync.page.overview import run_meaning
from sync.page.rendering import View
from sync.state.history import read_run_page

AT_ONCE = 50


def show_all(desk: Desk, request: Request) -> View:
    """Show runs, the newest first; `before` is the number of a run, after which older ones come."""
    asked = request.query_params.get("before", "")
    before = int(asked) if asked.isdecimal() and len(asked) < 12 else None
    with desk.open_to_read() as connection:
        found = read_run_page(connection, AT_ONCE + 1, before)
    shown = found[:AT_ONCE]
    values = {
        "runs": shown,
        "older": shown[-1].id if len(found) > AT_ONCE else None,
        "before": before,
        "bars_of": run_bars(shown),
        "meaning": run_meaning,
    }
    return View("runs.html", "Runs", values)
