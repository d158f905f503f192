"""A test with everything that is on it, as the API and the sandbox's own pages show it."""

from sqlite3 import Connection, Row

from sync.sandbox.candidates import all_candidates
from sync.sandbox.committees import all_committees
from sync.sandbox.contributors import all_contributors
from sync.sandbox.options import all_options
from sync.sandbox.tests import as_posted, find_test, shown_relations
from sync.sandbox.wire import Answer, Json, ReceivedCall

_PREFIX = "ar_"
_NAMES = frozenset({"firstName", "lastName"})


def get_test(db: Connection, call: ReceivedCall) -> Answer:
    """Answer `GET /v1/test/{testId}`, without its wrapper (vendor contract, Test API)."""
    test = find_test(db, call)
    contributors = [_as_shown(contributor) for contributor in all_contributors(db, test["run_id"])]
    committees = all_committees(db, test["run_id"])
    shown = {"name": test["title"], "contributors": contributors, "committees": committees}
    related = test["is_path"] or test["parent_id"]
    return Answer(200, shown | shown_relations(test) if related else shown)


def all_tests(db: Connection) -> list[Json]:
    """Return all tests with everything on them, for the sandbox's own pages."""
    return [
        whole_test(db, row) for row in db.execute("SELECT * FROM tests ORDER BY run_id").fetchall()
    ]


def whole_test(db: Connection, row: Row) -> dict[str, Json]:
    """Return one test with everything on it."""
    run_id = row["run_id"]
    contributors = [
        {name: value for name, value in contributor.items() if name not in _NAMES}
        for contributor in all_contributors(db, run_id)
    ]
    return (
        {"assessmentRunId": run_id}
        | as_posted(row)
        | {"sourceTemplateId": row["template"], "templates_sent": row["templates_sent"]}
        | {"activated": bool(row["activated"])}
        | {"options": all_options(db, run_id), "committees": all_committees(db, run_id)}
        | {"contributors": contributors, "candidates": all_candidates(db, run_id)}
    )


def _as_shown(contributor: dict[str, Json]) -> Json:
    members = ("userId", "firstName", "lastName", "externalUserIds", "committees")
    return {
        **{name: contributor[name] for name in members},
        "userName": contributor["username"],
        "roles": [f"{_PREFIX}{role}" for role in contributor["roles"]],
    }
