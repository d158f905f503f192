"""The calls about people (vendor contract, Users API). Staff can be deleted; learners can't."""

from sqlite3 import Connection, Row

from sync.sandbox.people import find_external, remove_person, save_staff, save_student, shown
from sync.sandbox.wire import Answer, Call, Refusal, is_number


def post_student(db: Connection, call: Call) -> Answer:
    """Answers `POST /v1/users/student`: makes the learner, or changes the one who has that username."""
    return Answer(200, {"success": True, "username": save_student(db, call.json())["username"]})


def post_staff(db: Connection, call: Call) -> Answer:
    """Answers `POST /v1/users`: makes the member of staff, or changes the one who has that username."""
    return Answer(200, {"success": True, "username": save_staff(db, call.json())["username"]})


def delete_user(db: Connection, call: Call) -> Answer:
    """Answers `DELETE /v1/users/{userId}`, for staff only."""
    row = _find(db, call)
    if row["kind"] == "student":
        raise Refusal(400, f"user {row['user_id']} is a student and cannot be deleted")
    remove_person(db, row["user_id"])
    return Answer(200, {"success": True})


def get_user(db: Connection, call: Call) -> Answer:
    """Answers `GET /v1/users/{userId}`."""
    return Answer(200, shown(db, _find(db, call)))


def get_by_external_id(db: Connection, call: Call) -> Answer:
    """Answers `GET /v1/users/external/{authType}/{externalId}`: an array, without learners unless asked for."""
    external = call.ids["auth_type"], call.ids["external_id"]
    user_id = find_external(db, external, None if call.flag("includeStudent") else "staff")
    found = db.execute("SELECT * FROM people WHERE user_id = ?", (user_id,)).fetchall()
    return Answer(200, [shown(db, row) for row in found])


def search_users(db: Connection, call: Call) -> Answer:
    """Answers `GET /v1/users/search?query=…`: at most 100 whose username, name or email holds the words."""
    words = call.query.get("query", "").strip()
    if not words:
        raise Refusal(400, "query: is missing")
    found = db.execute(
        "SELECT * FROM people WHERE instr(lower(username), lower(:words)) OR instr(lower(email), lower(:words))"
        " OR instr(lower(first_name || ' ' || last_name), lower(:words))"
        " ORDER BY username = :words DESC, user_id LIMIT 100",
        {"words": words},
    ).fetchall()
    return Answer(200, [shown(db, row) for row in found])


def _find(db: Connection, call: Call) -> Row:
    given = call.ids["user"]
    row: Row | None = None
    if is_number(given):
        row = db.execute("SELECT * FROM people WHERE user_id = ?", (int(given),)).fetchone()
    if row is None:
        raise Refusal(404, f"user {given} does not exist")
    return row
