"""A report as one HTML file that needs nothing else: no network, no library, no script to be read.

Its script searches and sorts. What is read is written at once, so memory does not grow with the
report; a table shows at most `MOST_ROWS` rows and says how to get all.
"""

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sync.records.base import utc_text
from sync.report.html import html_environment
from sync.report.local_time import with_local_times
from sync.report.report_charts import HEIGHT, day_bars, kind_bars
from sync.report.report_items import shared_remedy
from sync.report.report_model import SCHEMA, Group, Item, Report, SectionName
from sync.report.report_words import SERIES, outcome_of, time_parts, value_text

_TEMPLATES = Path(__file__).parent / "templates"

if TYPE_CHECKING:
    from jinja2 import Environment

MOST_ROWS = 2_000
"""The most rows of a table: with more of them a browser is slow to search and sort."""

OWN_REASONS = frozenset({SectionName.ERRORS, SectionName.CHANGES})
"""Sections in which each row has a reason of its own; in the others rows share it."""


def report_html(report: Report, most: int = MOST_ROWS) -> Iterator[str]:
    """Yield the pieces of the file; a table has at most `most` rows."""
    environment = _environment()
    zone = ZoneInfo(report.zone) if report.zone else None
    style, script = (_asset(name) for name in ("report.css", "report.js"))
    yield from environment.get_template("report.html").generate(
        report=report,
        schema=SCHEMA,
        made=time_parts(utc_text(report.made_at), zone),
        made_at=utc_text(report.made_at),
        kinds=kind_bars(report.tallies),
        days=day_bars(report.days),
        height=HEIGHT,
        series=[one for one in SERIES if any(tally.outcome == one for tally in report.tallies)],
        style=style,
        script=script,
        policy=_policy(style, script),
        reasons=lambda group, name: _reasons(group, most, alone=name in OWN_REASONS),
        own_reasons=OWN_REASONS,
        tag=_tag,
        most=most,
        time=lambda text: time_parts(text, zone),
        value=lambda field, side: value_text(field.name, side, zone),
        prose=lambda text: with_local_times(text, zone),
    )


def _reasons(
    group: Group, most: int, *, alone: bool
) -> Iterator[tuple[tuple[str, str], Iterable[Item]]]:
    """Yield the first items of a group by the reason and the remedy that they share."""
    items = islice(group.items, most)
    if alone:
        yield ("", ""), items
        return
    yield from groupby(items, key=lambda item: (item.reason, shared_remedy(item)))


def _tag(item: Item) -> str:
    """Return what an item comes to, which gives it a colour."""
    if item.action:
        return outcome_of(item.action)
    return item.result if item.result in SERIES else "wrong"


def _policy(style: str, script: str) -> str:
    """Return the content security policy: this style and this script, and nothing else."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}';"
        " base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _asset(name: str) -> str:
    """Return a file next to the templates, which is written as it is."""
    from markupsafe import Markup

    return Markup((_TEMPLATES / name).read_text(encoding="utf-8"))  # noqa: S704 - our own file


@cache
def _environment() -> "Environment":
    return html_environment("sync.report")


def report_policy() -> str:
    """Return the content security policy of each report: its style, its script, nothing else."""
    return _policy(*map(_asset, ("report.css", "report.js")))
