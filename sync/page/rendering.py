"""Views, and how they become HTML."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from starlette.responses import HTMLResponse, RedirectResponse, Response

from sync.page.access import Session
from sync.page.desk import Desk
from sync.records.base import utc_text, utc_time
from sync.report.html import html_environment
from sync.report.local_time import with_local_times
from sync.report.report_words import time_parts
from sync.report.wording import plural
from sync.text.masking import masked

if TYPE_CHECKING:
    from jinja2 import Environment

NAVIGATION = (
    ("/", "Overview"),
    ("/exams", "Exams"),
    ("/held", "Held"),
    ("/errors", "Errors"),
    ("/sources", "Sources"),
    ("/runs", "Runs"),
    ("/records", "Search"),
)


@dataclass(frozen=True, slots=True)
class View:
    """What a page shows: a template, its title and its values; or an address to go to instead."""

    template: str
    title: str
    values: Mapping[str, object]
    status: int = 200
    redirect: str = ""


def render(desk: Desk, path: str, view: View, session: Session | None) -> Response:
    """Return a view as a page. Only a person who has logged in gets the navigation."""
    if view.redirect:
        return RedirectResponse(view.redirect, 303)
    zone, now = desk.zone, desk.now()
    page = (
        _environment()
        .get_template(view.template)
        .render(
            **view.values,
            title=view.title,
            tenant=masked(desk.tenant),
            path=path,
            navigation=NAVIGATION if session else (),
            csrf=session.csrf if session else "",
            made=time_parts(utc_text(now), zone),
            zone=zone.key if zone else "",
            time=lambda utc: time_parts(utc, zone),
            ago=lambda utc: ago(utc, now),
            prose=lambda text: with_local_times(text, zone),
        )
    )
    return HTMLResponse(page, view.status)


def ago(utc: str | datetime, now: datetime) -> str:
    """Return how long ago, or in how long, a time is: `2 h ago`, `in 3 days`."""
    moment = utc_time(utc) if isinstance(utc, str) else utc
    length = duration_text(abs(now - moment))
    return f"in {length}" if moment > now else f"{length} ago"


def duration_text(length: timedelta) -> str:
    """Return a length of time in its largest unit."""
    seconds = int(length.total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 60 * 60:
        return f"{seconds // 60} min"
    if seconds < 48 * 60 * 60:
        return f"{seconds // 3600} h"
    return plural(seconds // 86400, "day")


@cache
def _environment() -> "Environment":
    environment = html_environment("sync.page")
    environment.globals["plural"] = plural
    return environment
