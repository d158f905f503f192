"""The exams of the next days: is each complete in Inspera, and if not, what keeps it back?"""

from datetime import timedelta

from starlette.requests import Request

from sync.page.desk import Desk
from sync.page.rendering import View
from sync.state import exam_figures
from sync.state.exam_figures import AHEAD, count_seats

AT_ONCE = 100
"""How many complete exams, and how many others, a page shows."""


def show(desk: Desk, request: Request) -> View:
    """Show the tests that are on, or start within the days that were asked for."""
    days, first = _number(request, "days", 7, AHEAD.days), _number(request, "first", 1, 1_000_000)
    now = desk.now()
    with desk.open_to_read() as connection:
        exams, nameless = exam_figures.read(connection, now, now + timedelta(days=days))
        open_ = [one for one in exams if not one.is_complete]
        complete = [one for one in exams if one.is_complete]
        lists = [
            (title, len(of), count_seats(connection, of[first - 1 : first - 1 + AT_ONCE]))
            for title, of in (("Not complete", open_), ("Complete", complete))
        ]
    values = {
        "lists": lists,
        "nameless": nameless,
        "days": days,
        "choices": (1, 3, 7, AHEAD.days),
        "first": first,
        "at_once": AT_ONCE,
        "next": first + AT_ONCE if max(len(open_), len(complete)) >= first + AT_ONCE else None,
    }
    return View("exams.html", "Exams", values)


def _number(request: Request, name: str, usual: int, most: int) -> int:
    """Return a number of the address, within its bounds; the usual one for anything else."""
    asked = request.query_params.get(name, "")
    return min(max(int(asked), 1), most) if asked.isdecimal() and len(asked) < 9 else usual
