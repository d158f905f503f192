"""Learners as Inspera keeps them (vendor contract, Users API). They can be made and changed, never deleted."""

from collections.abc import Iterable
from sqlite3 import Connection, Row

from sync.sandbox.wire import Answer, Call, Json, Reader, Refusal, is_number

ExternalId = tuple[str, str]
"""An auth system such as FEIDE, and the id in it."""

_MAX_USERNAME = 255


def post_student(db: Connection, call: Call) -> Answer:
    """Answers `POST /v1/users/student`: makes the learner, or changes the one who has that username."""
    return Answer(200, {"success": True, "username": save_student(db, call.json())["username"]})


def get_user(db: Connection, call: Call) -> Answer:
    """Answers `GET /v1/users/{userId}`."""
    given = call.ids["user"]
    row = None
    if is_number(given):
        row = db.execute("SELECT * FROM students WHERE user_id = ?", (int(given),)).fetchone()
    if row is None:
        raise Refusal(404, f"user {given} does not exist")
    return Answer(200, _shown(db, row))


def get_by_external_id(db: Connection, call: Call) -> Answer:
    """Answers `GET /v1/users/external/{authType}/{externalId}`: an array, without learners unless asked for."""
    if not call.flag("includeStudent"):
        return Answer(200, [])
    user_id = find_external(db, (call.ids["auth_type"], call.ids["external_id"]))
    found = db.execute("SELECT * FROM students WHERE user_id = ?", (user_id,))
    return Answer(200, [_shown(db, row) for row in found])


def search_users(db: Connection, call: Call) -> Answer:
    """Answers `GET /v1/users/search?query=…`: at most 100 whose username, name or email holds the words."""
    words = call.query.get("query", "").strip()
    if not words:
        raise Refusal(400, "query: is missing")
    found = db.execute(
        "SELECT * FROM students WHERE instr(lower(username), lower(:words)) OR instr(lower(email), lower(:words))"
        " OR instr(lower(first_name || ' ' || last_name), lower(:words))"
        " ORDER BY username = :words DESC, user_id LIMIT 100",
        {"words": words},
    ).fetchall()
    return Answer(200, [_shown(db, row) for row in found])


def find_external(db: Connection, external: ExternalId) -> int | None:
    """The user id that an external id belongs to."""
    row = db.execute("SELECT user_id FROM external_ids WHERE auth_type = ? AND external_id = ?", external).fetchone()
    return None if row is None else int(row["user_id"])


def all_students(db: Connection) -> list[Json]:
    """Every learner, for the sandbox's own pages."""
    rows = db.execute("SELECT * FROM students ORDER BY user_id").fetchall()
    return [_shown(db, row) | {"passwordSet": bool(row["password_set"])} for row in rows]


def save_student(db: Connection, body: Json) -> Row:
    """Makes or changes a learner by username; a member that is left out keeps its value, `""` clears it.

    The external ids that are given take the place of those in the same auth systems. The password itself is not kept.

    Raises:
        Refusal: 400 for what is wrong in the body, 409 for an external id of somebody else.
    """
    read = Reader(body)
    username = read.text("username", needed=True, most=_MAX_USERNAME)
    given = {
        "first_name": read.text("firstName"),
        "last_name": read.text("lastName"),
        "email": read.email("email"),
        "password_set": 1 if read.text("password") else None,
    }
    externals = _external_ids(read)
    read.close()
    row = _upsert(db, str(username), {name: value for name, value in given.items() if value is not None})
    if externals is not None:
        _replace_external_ids(db, row["user_id"], externals)
    return row


def _external_ids(read: Reader) -> list[ExternalId] | None:
    items = read.items("externalIds")
    if items is None:
        return None
    externals = []
    for item in items:
        pair = item.text("authType", needed=True), item.text("externalId", needed=True)
        item.done()
        if pair[0] and pair[1]:
            externals.append((pair[0], pair[1]))
    return externals


def _upsert(db: Connection, username: str, given: dict[str, str | int]) -> Row:
    read = "SELECT * FROM students WHERE username = ?"
    row: Row | None = db.execute(read, (username,)).fetchone()
    values = {"first_name": "", "last_name": "", "email": "", "password_set": 0} if row is None else dict(row)
    values |= given | {"username": username}
    if row is None:
        db.execute(
            "INSERT INTO students (username, first_name, last_name, email, password_set)"
            " VALUES (:username, :first_name, :last_name, :email, :password_set)",
            values,
        )
    else:
        db.execute(
            "UPDATE students SET first_name = :first_name, last_name = :last_name, email = :email,"
            " password_set = :password_set WHERE username = :username",
            values,
        )
    saved: Row = db.execute(read, (username,)).fetchone()
    return saved


def _replace_external_ids(db: Connection, user_id: int, externals: Iterable[ExternalId]) -> None:
    externals = dict.fromkeys(externals)
    for external in externals:
        if find_external(db, external) not in (None, user_id):
            raise Refusal(409, f"externalId {external[1]} ({external[0]}) belongs to another user")
    for auth_type in {auth_type for auth_type, _ in externals}:
        db.execute("DELETE FROM external_ids WHERE user_id = ? AND auth_type = ?", (user_id, auth_type))
    db.executemany(
        "INSERT INTO external_ids (auth_type, external_id, user_id) VALUES (?, ?, ?)",
        [(*external, user_id) for external in externals],
    )


def _shown(db: Connection, row: Row) -> dict[str, Json]:
    externals = db.execute(
        "SELECT auth_type, external_id FROM external_ids WHERE user_id = ? ORDER BY auth_type, external_id",
        (row["user_id"],),
    )
    return {
        "userId": row["user_id"],
        "username": row["username"],
        "firstName": row["first_name"],
        "lastName": row["last_name"],
        "email": row["email"],
        "externalIds": [{"authType": e["auth_type"], "externalId": e["external_id"]} for e in externals],
    }
