"""The exams of the next days: is each complete in Inspera, and if not, what keeps it back?"""

from datetime import timedelta

from starlette.requests import Request

from sync.page.desk import Desk
from sync.page.rendering import View
from sync.state import exam_figures
from sync.state.exam_figures import AHEAD


def show(desk: Desk, request: Request) -> View:
    """Show the tests that are on, or start within the days that were asked for."""
    most = AHEAD.days
    asked = request.query_params.get("days", "7")
    days = min(max(int(asked), 1), most) if asked.isdecimal() and len(asked) < 4 else 7
    now = desk.now()
    with desk.open_to_read() as connection:
        exams, nameless = exam_figures.read(connection, now, now + timedelta(days=days))
    values = {"exams": exams, "nameless": nameless, "days": days, "choices": (1, 3, 7, most)}
    return View("exams.html", "Exams", values)
