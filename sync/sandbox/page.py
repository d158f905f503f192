"""The sandbox's own pages: its contents, its failures, and the last requests."""

from collections.abc import Iterator
from sqlite3 import Connection

from sync.sandbox.controls import Controls
from sync.sandbox.failures import DELAY, FAILURES
from sync.sandbox.markup import PER_PAGE, Html, document, link, pages, shown, table
from sync.sandbox.request_log import last_entries
from sync.sandbox.whole_tests import whole_test
from sync.sandbox.wire import Json

_TITLE = "Sandbox: a local Inspera"
_LAST = 25
_ABOUT = "Everything here is on this machine only. Reload the page to see changes."
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
    return document(
        _TITLE,
        [
            f"<p>{_ABOUT} {link('/_sandbox/contents', 'Contents')}, "
            f"{link('/_sandbox/control', 'controls')} and "
            f"{link('/_sandbox/requests', 'requests')} as JSON; "
            f"{link('/apidoc', 'its schema')}.</p>",
            _counts(db),
            f"<h2>Failures</h2>{_failures(controls)}",
            f"<h2>Last requests</h2>{_requests(db)}",
            f"<h2>Tests</h2>{_tests(db, tests, people)}",
            f"<h2>People</h2>{_people(db, tests, people)}",
        ],
    )


def page_of_test(db: Connection, run_id: int, at: int) -> str | None:
    """Return a test's page, with page `at` of its candidates; None if it does not exist."""
    row = db.execute("SELECT * FROM tests WHERE run_id = ?", (run_id,)).fetchone()
    if row is None:
        return None
    test = whole_test(db, row)
    candidates = test["candidates"][(at - 1) * PER_PAGE : at * PER_PAGE]
    return document(
        f"Test {test['externalTestId']}",
        [
            f"<p>{link('/_sandbox/', 'All tests')}</p>",
            table("Test", ("what", "is"), [(name, test[name]) for name in _TEST_MEMBERS]),
            table("Options", ("group", "option", "value"), _options(test["options"])),
            table(
                "Committees",
                ("name", "type"),
                [(one["name"], one["type"]) for one in test["committees"]],
            ),
            table(
                "Contributors",
                _CONTRIBUTOR_MEMBERS,
                [[one[name] for name in _CONTRIBUTOR_MEMBERS] for one in test["contributors"]],
            ),
            table(
                f"Candidates ({len(test['candidates'])})",
                _CANDIDATE_MEMBERS,
                [[one[name] for name in _CANDIDATE_MEMBERS] for one in candidates],
            ),
            pages(f"/_sandbox/tests/{run_id}?page=", at, len(test["candidates"])),
        ],
    )


def _counts(db: Connection) -> Html:
    numbers = db.execute(
        "SELECT (SELECT count(*) FROM people WHERE kind = 'student'),"
        " (SELECT count(*) FROM people WHERE kind = 'staff'), (SELECT count(*) FROM tests),"
        " (SELECT count(*) FROM candidates), (SELECT count(*) FROM contributors),"
        " (SELECT count(*) FROM committees),"
        " (SELECT count(*) FROM options), (SELECT count(*) FROM requests)"
    ).fetchone()
    heads = (
        "students",
        "staff",
        "tests",
        "candidates",
        "contributors",
        "committees",
        "options",
        "requests",
    )
    return table("Contents", heads, [tuple(numbers)])


def _failures(controls: Controls) -> Html:
    shown_failures, counts = controls.failures.shown(), controls.failure_counts()
    rates, seconds = shown_failures["rates"], shown_failures["seconds"]
    rows = [
        (name, failure.meaning, rates.get(name, 0), seconds.get(name), counts[name])
        for name, failure in FAILURES.items()
    ]
    rows.append(
        (DELAY, "writes are readable only after `seconds`", None, seconds[DELAY], counts[DELAY])
    )
    rows.append(
        (
            "rule",
            f"asked for by `fail`, {len(controls.shown()['fail'])} rules",
            None,
            None,
            counts["rule"],
        )
    )
    return Html(
        f"<p>Seed {shown(shown_failures['seed'])}; only {shown(shown_failures['only'])}; "
        f"except {shown(shown_failures['except'])}. "
        f"Writes are answered {shown(controls.latency)} s late; "
        f"a token is valid for {shown(controls.token_lifetime)} s.</p>"
        + table("Failures", ("failure", "what it does", "rate", "seconds", "count"), rows)
    )


def _requests(db: Connection) -> Html:
    heads = ("seq", "time", "method", "path", "status", "committed", "failure")
    rows = [[entry.get(head) for head in heads] for entry in last_entries(db, _LAST)]
    return table(f"The last {_LAST}, newest first", heads, rows)


def _tests(db: Connection, at: int, people: int) -> Html:
    rows = db.execute(
        "SELECT run_id, external_id, title, start_time, end_time,"
        " (SELECT count(*) FROM candidates WHERE run_id = tests.run_id),"
        " (SELECT count(*) FROM contributors WHERE run_id = tests.run_id),"
        " (SELECT count(*) FROM committees WHERE run_id = tests.run_id),"
        " (SELECT count(*) FROM options WHERE run_id = tests.run_id)"
        " FROM tests ORDER BY run_id LIMIT ? OFFSET ?",
        (PER_PAGE, (at - 1) * PER_PAGE),
    )
    heads = ("test", "title", "start", "end", "candidates", "contributors", "committees", "options")
    lines = [(link(f"/_sandbox/tests/{row[0]}", row[1]), *row[2:]) for row in rows]
    number = db.execute("SELECT count(*) FROM tests").fetchone()[0]
    return Html(
        table("Tests", heads, lines) + pages(f"/_sandbox/?people={people}&tests=", at, number)
    )


def _people(db: Connection, tests: int, at: int) -> Html:
    rows = db.execute(
        "SELECT user_id, kind, username, first_name, last_name, email, status,"
        " (SELECT group_concat(auth_type || ' ' || external_id, ', ') FROM external_ids"
        " WHERE user_id = people.user_id)"
        " FROM people ORDER BY user_id LIMIT ? OFFSET ?",
        (PER_PAGE, (at - 1) * PER_PAGE),
    )
    heads = (
        "user id",
        "kind",
        "username",
        "first name",
        "last name",
        "email",
        "status",
        "external ids",
    )
    number = db.execute("SELECT count(*) FROM people").fetchone()[0]
    return Html(
        table("Learners and staff", heads, [tuple(row) for row in rows])
        + pages(f"/_sandbox/?tests={tests}&people=", at, number)
    )


def _options(options: dict[str, Json]) -> Iterator[tuple[str, str, object]]:
    for group, values in options.items():
        for name, value in values.items():
            yield group, name, "set, and secret" if isinstance(value, dict) else value
