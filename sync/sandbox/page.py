"""The sandbox's own pages: its contents, its failures, and the last requests."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from math import ceil
from sqlite3 import Connection
from typing import TYPE_CHECKING

from sync.sandbox.controls import Controls
from sync.sandbox.failures import DELAY, FAILURES
from sync.sandbox.request_limit import LIMIT
from sync.sandbox.request_log import last_entries
from sync.sandbox.whole_tests import whole_test
from sync.sandbox.wire import Json

if TYPE_CHECKING:
    from jinja2 import Environment

PER_PAGE = 50
"""The lines of a list on one page."""

_LAST = 25
_TEST_MEMBERS = (
    "assessmentRunId",
    "title",
    "startTime",
    "endTime",
    "duration",
    "sourceTemplateId",
    "templates_sent",
)
_CANDIDATE_MEMBERS = (
    "userId",
    "username",
    "candidateId",
    "extraTimeMins",
    "roomName",
    "buildingName",
    "committees",
)
_CONTRIBUTOR_MEMBERS = (
    "userId",
    "username",
    "roles",
    "committees",
    "roomName",
    "buildingName",
    "notified",
)


def overview(db: Connection, controls: Controls, tests: int, people: int) -> str:
    """Return the first page, with these pages of the lists of tests and people (from 1)."""
    heads = ("seq", "time", "method", "path", "status", "committed", "failure")
    rows = [[entry.get(head) for head in heads] for entry in last_entries(db, _LAST)]
    return _render(
        "overview.html",
        title="Sandbox: a local Inspera",
        counts=_counts(db),
        controls=controls,
        failures={**controls.failures.shown(), "rows": _failures(controls)},
        requests={"most": _LAST, "heads": heads, "rows": rows},
        tests=_tests(db, tests, people),
        people=_people(db, tests, people),
    )


def page_of_test(db: Connection, run_id: int, at: int) -> str | None:
    """Return a test's page, with page `at` of its candidates; None if it does not exist."""
    row = db.execute("SELECT * FROM tests WHERE run_id = ?", (run_id,)).fetchone()
    if row is None:
        return None
    test = whole_test(db, row)
    number = len(test["candidates"])
    candidates = test["candidates"][(at - 1) * PER_PAGE : at * PER_PAGE]
    return _render(
        "test.html",
        title=f"Test {test['externalTestId']}",
        members=[(name, test[name]) for name in _TEST_MEMBERS],
        options=list(_options(test["options"])),
        committees=[(one["name"], one["type"]) for one in test["committees"]],
        contributors=_list(
            _CONTRIBUTOR_MEMBERS, _cells(_CONTRIBUTOR_MEMBERS, test["contributors"])
        ),
        candidates={
            **_list(_CANDIDATE_MEMBERS, _cells(_CANDIDATE_MEMBERS, candidates)),
            **_paging(f"/_sandbox/tests/{run_id}?page=", at, number),
        },
    )


def _render(template: str, **values: object) -> str:
    return _environment().get_template(template).render(values)


@cache
def _environment() -> "Environment":
    """Return the templates of the pages. Every value is escaped, and none may be missing."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("sync.sandbox"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["shown"] = _shown
    return environment


def _shown(value: object) -> object:
    """Return what a page shows for a value; a list is joined by commas, no value is a dash."""
    if isinstance(value, list | tuple):
        return ", ".join(str(_shown(one)) for one in value) or "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "–" if value is None or value == "" else value


def _list(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> dict[str, object]:
    return {"heads": heads, "rows": rows}


def _cells(names: Sequence[str], entries: Sequence[Mapping[str, Json]]) -> list[list[Json]]:
    return [[entry[name] for name in names] for entry in entries]


def _paging(address: str, at: int, number: int) -> dict[str, object]:
    """Return page `at` of a list with `number` lines; a page's number follows the address."""
    return {
        "address": address,
        "at": at,
        "last": max(1, ceil(number / PER_PAGE)),
        "number": number,
    }


def _counts(db: Connection) -> dict[str, int]:
    row = db.execute(
        "SELECT (SELECT count(*) FROM people WHERE kind = 'student') AS students,"
        " (SELECT count(*) FROM people WHERE kind = 'staff') AS staff,"
        " (SELECT count(*) FROM tests) AS tests,"
        " (SELECT count(*) FROM candidates) AS candidates,"
        " (SELECT count(*) FROM contributors) AS contributors,"
        " (SELECT count(*) FROM committees) AS committees,"
        " (SELECT count(*) FROM options) AS options,"
        " (SELECT count(*) FROM requests) AS requests"
    ).fetchone()
    return dict(row)


def _failures(controls: Controls) -> list[tuple[object, ...]]:
    shown, counts = controls.failures.shown(), controls.failure_counts()
    rates, seconds = shown["rates"], shown["seconds"]
    delay = "writes are readable only after `seconds`"
    limit = controls.limit
    too_many = (
        f"not carried out: {limit.status}, as {limit.most} requests were in progress, "
        f"{limit.taken} of another client"
    )
    rule = f"asked for by `fail`, {len(controls.shown()['fail'])} rules"
    return [
        *(
            (name, failure.meaning, rates.get(name, 0), seconds.get(name), counts[name])
            for name, failure in FAILURES.items()
        ),
        (DELAY, delay, None, seconds[DELAY], counts[DELAY]),
        ("rule", rule, None, None, counts["rule"]),
        (LIMIT, too_many, None, None, counts[LIMIT]),
    ]


def _tests(db: Connection, at: int, people: int) -> dict[str, object]:
    found = db.execute(
        "SELECT run_id, external_id, title, start_time, end_time,"
        " (SELECT count(*) FROM candidates WHERE run_id = tests.run_id),"
        " (SELECT count(*) FROM contributors WHERE run_id = tests.run_id),"
        " (SELECT count(*) FROM committees WHERE run_id = tests.run_id),"
        " (SELECT count(*) FROM options WHERE run_id = tests.run_id)"
        " FROM tests ORDER BY run_id LIMIT ? OFFSET ?",
        (PER_PAGE, (at - 1) * PER_PAGE),
    )
    heads = ("test", "title", "start", "end", "candidates", "contributors", "committees", "options")
    rows = [
        ({"address": f"/_sandbox/tests/{row[0]}", "text": row[1]}, *tuple(row)[2:]) for row in found
    ]
    number = db.execute("SELECT count(*) FROM tests").fetchone()[0]
    return _list(heads, rows) | _paging(f"/_sandbox/?people={people}&tests=", at, number)


def _people(db: Connection, tests: int, at: int) -> dict[str, object]:
    rows = db.execute(
        'SELECT user_id AS "user id", kind, username, first_name AS "first name",'
        ' last_name AS "last name", email, status,'
        " (SELECT group_concat(auth_type || ' ' || external_id, ', ') FROM external_ids"
        ' WHERE user_id = people.user_id) AS "external ids"'
        " FROM people ORDER BY user_id LIMIT ? OFFSET ?",
        (PER_PAGE, (at - 1) * PER_PAGE),
    )
    heads = [column[0] for column in rows.description]
    number = db.execute("SELECT count(*) FROM people").fetchone()[0]
    paging = _paging(f"/_sandbox/?tests={tests}&people=", at, number)
    return _list(heads, [tuple(row) for row in rows]) | paging


def _options(options: dict[str, Json]) -> Iterator[tuple[str, str, object]]:
    for group, values in options.items():
        for name, value in values.items():
            yield group, name, "set, and secret" if isinstance(value, dict) else value
