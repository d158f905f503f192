"""Tests (vendor contract, Test API). They can be created and changed, never deleted."""

import base64
import binascii
from datetime import datetime
from sqlite3 import Connection, Row

from sync.sandbox.reader import BodyReader
from sync.sandbox.wire import Answer, Json, ReceivedCall, Refusal, is_number, moment_text

MAX_TITLE = 500
DEFAULT_SYSTEM = "API"
"""The system of external ids, where a call names no other (vendor contract, Conventions)."""

PAGE = 50
"""Tests on one page of a search; the first page is 1."""


def post_test(db: Connection, call: ReceivedCall) -> Answer:
    """Answer `POST /v1/test?isExternal=true`: create or change a test by its external id."""
    if not call.flag("isExternal"):
        raise Refusal(400, "isExternal: must be true; tests are created by their external id")
    run_id, created = save_test(db, call.json(), system=_system(call))
    status = "created" if created else "updated"
    return Answer(
        201 if created else 200, {"success": True, "assessmentRunId": run_id, "status": status}
    )


def search_tests(db: Connection, call: ReceivedCall) -> Answer:
    """Answer `GET /v1/test/search`: external ids match as a whole, titles and queries in part."""
    page = call.query.get("page", "1")
    if not is_number(page) or int(page) == 0:
        raise Refusal(400, "page: must be a whole number, 1 or more")
    external_id = call.query.get("externalTestID")
    if external_id is None:
        rows = db.execute("SELECT * FROM tests ORDER BY run_id")
    else:
        rows = db.execute(_BY_EXTERNAL_ID, (external_id, _system(call)))
    matches = [row for row in rows if _matches(row, call)]
    first = (int(page) - 1) * PAGE
    results = [_result(row, call) for row in matches[first : first + PAGE]]
    return Answer(200, {"hits": len(matches), "page": int(page), "results": results})


_BY_EXTERNAL_ID = "SELECT * FROM tests WHERE external_id = ? AND external_system = ?"


def _system(call: ReceivedCall) -> str:
    return call.query.get("externalSystem", DEFAULT_SYSTEM)


def _decoded(given: str) -> str:
    """Return an external id that the path carries in base64, as one with a `/` must be."""
    try:
        return base64.b64decode(given, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise Refusal(400, "externalTestId: is not base64") from None


def find_open_test(db: Connection, call: ReceivedCall) -> Row:
    """Return the test that a path names, to whose candidates something is to be done.

    Raises:
        Refusal: 404, no such test; 400, it is archived.
    """
    test = find_test(db, call)
    if test["archived"]:
        raise Refusal(400, f"test {test['run_id']} is archived")
    return test


def find_test(db: Connection, call: ReceivedCall) -> Row:
    """Return the test that a path names, by Inspera's id or, with `isExternal=true`, by ours.

    Raises:
        Refusal: 404, no such test.
    """
    given = call.ids["test"]
    row: Row | None = None
    if call.flag("isExternal"):
        encoded = call.flag("b64encodedExternalTestId")
        external_id = _decoded(given) if encoded else given.partition("/")[0]
        row = db.execute(_BY_EXTERNAL_ID, (external_id, _system(call))).fetchone()
    elif is_number(given):
        row = db.execute("SELECT * FROM tests WHERE run_id = ?", (int(given),)).fetchone()
    if row is None:
        raise Refusal(404, f"test {given} does not exist")
    return row


def save_test(
    db: Connection, body: Json, *, manual: bool = False, system: str = DEFAULT_SYSTEM
) -> tuple[int, bool]:
    """Create or change a test by external id; return Inspera's id, and whether it was created.

    A template has an effect only on a create; `templates_sent` counts all that were sent over the
    API.

    Raises:
        Refusal: 400 for everything that is wrong in the body.
    """
    values = _test_values(body)
    old = db.execute(_BY_EXTERNAL_ID, (values["external_id"], system)).fetchone()
    sent = 0 if values["template"] is None or manual else 1
    if old is None:
        created = db.execute(
            "INSERT INTO tests"
            " (external_id, external_system, title, start_time, end_time, duration, template,"
            " templates_sent)"
            " VALUES (:external_id, :system, :title, :start_time, :end_time, :duration, :template,"
            " :sent)",
            values | {"sent": sent, "system": system},
        )
        return int(created.lastrowid or 0), True
    db.execute(
        "UPDATE tests SET title = :title, start_time = :start_time, end_time = :end_time,"
        " duration = :duration, templates_sent = templates_sent + :sent"
        " WHERE run_id = :run_id",
        values | {"sent": sent, "run_id": old["run_id"]},
    )
    return int(old["run_id"]), False


def mark_test(db: Connection, run_id: int, read: BodyReader) -> None:
    """Archive or restore a test, make it a parent or a part of another, or move its external id.

    Raises:
        Refusal: 400 for everything that is wrong in it.
    """
    marks = {
        "archived": read.flag("archived"),
        "is_path": read.flag("isAssessmentPath"),
        "parent_id": read.whole("parentId", least=1),
        "external_system": read.text("externalSystem"),
    }
    read.close()
    db.execute(
        "UPDATE tests SET archived = coalesce(:archived, archived),"
        " is_path = coalesce(:is_path, is_path), parent_id = coalesce(:parent_id, parent_id),"
        " external_system = coalesce(:external_system, external_system) WHERE run_id = :run_id",
        marks | {"run_id": run_id},
    )


MARKS = frozenset({"archived", "isAssessmentPath", "parentId", "externalSystem"})
"""What a manual edit can say of a test, and no call."""


def is_activated(test: Row, now: datetime) -> bool:
    """Tell whether the test has been activated: no test activates itself at its start."""
    return _status(test, now) != "SCHEDULED"


def as_posted(row: Row) -> dict[str, Json]:
    """Return a test in the form in which it is posted, without its template."""
    return {
        "externalTestId": row["external_id"],
        "title": row["title"],
        "startTime": row["start_time"],
        "endTime": row["end_time"],
        "duration": row["duration"],
    }


def _test_values(body: Json) -> dict[str, str | int | None]:
    read = BodyReader(body)
    external_id = read.text("externalTestId", needed=True)
    title = read.text("title", needed=True, most=MAX_TITLE)
    start, end = read.moment("startTime"), read.moment("endTime")
    duration = read.whole("duration", least=1, needed=True)
    template = _template(read)
    if title and ("[" in title or "]" in title):
        read.complain("title", "must not contain [ or ]")
    if start and end and end <= start:
        read.complain("endTime", "must be after startTime")
    read.close()
    return {
        "external_id": external_id,
        "title": title,
        "start_time": start,
        "end_time": end,
        "duration": duration,
        "template": template,
    }


def _template(read: BodyReader) -> str | None:
    """Read the template's id, as a number or as text: the contract does not specify which."""
    value = read.any("sourceTemplateId")
    if value is None:
        return None
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not is_number(text):
        read.complain("sourceTemplateId", "must be the number of a template")
        return None
    return text


def _matches(row: Row, call: ReceivedCall) -> bool:
    title, words = (call.query.get(name, "").casefold() for name in ("title", "query"))
    full = row["title"].casefold()
    return title in full and (words in full or words in row["external_id"].casefold())


def shown_relations(row: Row) -> dict[str, Json]:
    """Return whether a test is a parent of others, and which test it is a part of."""
    shown: dict[str, Json] = {"isAssessmentPath": bool(row["is_path"])}
    return shown if row["parent_id"] is None else shown | {"parentId": row["parent_id"]}


def _status(row: Row, now: datetime) -> str:
    # Times of one form, all in UTC, sort as text.
    moment = moment_text(now)
    if not row["activated"]:
        return "SCHEDULED"
    return "ACTIVE" if moment < row["end_time"] else "FINISHED"


def _result(row: Row, call: ReceivedCall) -> Json:
    return {
        "assessmentRunId": row["run_id"],
        "assessmentRunTitle": row["title"],
        "externalId": row["external_id"],
        "status": _status(row, call.now),
        "startTime": row["start_time"],
        "endTime": row["end_time"],
        "isTemplate": False,
        "metadataUrl": f"{call.base}/api/v1/test/{row['run_id']}",
        **shown_relations(row),
    }
