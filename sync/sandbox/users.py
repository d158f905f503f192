"""The calls for people (vendor contract, Users API). Staff can be deleted; learners can't."""

from sqlite3 import Connection, Row

from sync.sandbox.people import (
    Existing,
    find_external,
    remove_person,
    save_staff,
    save_student,
    shown,
)
from sync.sandbox.wire import Answer, ReceivedCall, Refusal, is_number


def post_student(
    db: Connection, call: ReceivedCall, existing: Existing = Existing.UPDATE
) -> Answer:
    """Answer `POST /v1/users/student`: create or change a learner by username."""
    saved = save_student(db, call.json(), existing)
    return Answer(200, {"success": True, "username": saved["username"]})


def post_staff(db: Connection, call: ReceivedCall, existing: Existing = Existing.UPDATE) -> Answer:
    """Answer `POST /v1/users`: create or change staff by username."""
    saved = save_staff(db, call.json(), existing)
    return Answer(200, {"success": True, "username": saved["username"]})


def delete_user(db: Connection, call: ReceivedCall) -> Answer:
    """Answer `DELETE /v1/users/{userId}`, for staff only."""
    row = _find(db, call)
    if row["kind"] == "student":
        raise Refusal(400, f"user {row['user_id']} is a student and cannot be deleted")
    remove_person(db, row["user_id"])
    return Answer(200, {"success": True})


def get_user(db: Connection, call: ReceivedCall) -> Answer:
    """Answer `GET /v1/users/{userId}`."""
    return Answer(200, shown(db, _find(db, call)))


def get_by_external_id(db: Connection, call: ReceivedCall) -> Answer:
    """Answer `GET /v1/users/external/{authType}/{externalId}`: an array."""
    external = call.ids["auth_type"], call.ids["external_id"]
    user_id = find_external(db, external, None if call.flag("includeStudent") else "staff")
    rows = db.execute("SELECT * FROM people WHERE user_id = ?", (user_id,)).fetchall()
    return Answer(200, [shown(db, row) for row in rows])


def search_users(db: Connection, call: ReceivedCall) -> Answer:
    """Answer `GET /v1/users/search?query=…`: at most 100 people."""
    words = call.query.get("query", "").strip()
    if not words:
        raise Refusal(400, "query: is missing")
    rows = db.execute(
        "SELECT * FROM people WHERE instr(lower(username), lower(:words))"
        " OR instr(lower(email), lower(:words))"
        " OR instr(lower(first_name || ' ' || last_name), lower(:words))"
        " ORDER BY username = :words DESC, user_id LIMIT 100",
        {"words": words},
    ).fetchall()
    return Answer(200, [shown(db, row) for row in rows])


def _find(db: Connection, call: ReceivedCall) -> Row:
    given = call.ids["user"]
    row: Row | None = None
    if is_number(given):
        row = db.execute("SELECT * FROM people WHERE user_id = ?", (int(given),)).fetchone()
    if row is None:
        raise Refusal(404, f"user {given} does not exist")
    return row
