"""Learners and staff, created and changed by username.

A tenant updates an account whose username is posted again, or refuses it as existing (vendor
contract, Users API). Old tenants may have two accounts of one username.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from enum import StrEnum
from sqlite3 import Connection, Row
from typing import Literal

from sync.sandbox.reader import BodyReader
from sync.sandbox.wire import Json, Refusal

PersonKind = Literal["student", "staff"]

ExternalId = tuple[str, str]
"""An auth system such as FEIDE, and the id in it."""

STATUSES = ("ACTIVE", "DISABLED")

_MAX_USERNAME = 255
_FLAT = frozenset({"externalId", "externalSystem", "orgUnitName", "roles"})
_NESTED = frozenset({"externalIds", "authorizedAccesses", "organisations"})
_NEW = {
    "first_name": "",
    "last_name": "",
    "email": "",
    "password_set": 0,
    "status": "ACTIVE",
    "accesses": "[]",
    "organisations": "[]",
}


class Existing(StrEnum):
    """What becomes of a post whose username exists: the vendor's two ways, and that of old ones."""

    UPDATE = "update"
    REFUSE = "refuse"
    SECOND = "make a second account"


def save_student(db: Connection, body: Json, existing: Existing = Existing.UPDATE) -> Row:
    """Create or change a learner by username; a missing member keeps its value, `""` clears it.

    The given external ids replace those of the same auth systems. The password itself is not
    stored.

    Raises:
        Refusal: 400 for an invalid body or a username that exists where that is refused, 409 for a
            username or external id of another person.
    """
    return _save(db, "student", BodyReader(body), existing)


def save_staff(db: Connection, body: Json, existing: Existing = Existing.UPDATE) -> Row:
    """Create or change a member of staff, as `save_student` does; lists are replaced as a whole.

    The body is flat (`externalId`, `externalSystem`, `orgUnitName`, `roles`) or nested
    (`externalIds`, `organisations`, `authorizedAccesses`). `userType` is accepted and not stored:
    no known response of the vendor shows it.

    Raises:
        Refusal: as `save_student`.
    """
    read = BodyReader(body)
    if read.text("userType") == "student":
        read.complain("userType", "must not be student; learners have their own call")
    flat = isinstance(body, dict) and not _FLAT.isdisjoint(body)
    if flat and not _NESTED.isdisjoint(body):
        read.complain("the body", "must be flat or nested, and not both")
    lists = {
        "accesses": read.texts("roles" if flat else "authorizedAccesses"),
        "organisations": _unit(read) if flat else read.texts("organisations"),
    }
    given = {name: json.dumps(values) for name, values in lists.items() if values is not None}
    status = read.choice("status", STATUSES)
    more = given if status is None else given | {"status": status}
    return _save(db, "staff", read, existing, more, flat=flat)


def _unit(read: BodyReader) -> list[str] | None:
    name = read.text("orgUnitName")
    return None if name is None else [name] if name else []


def _save(
    db: Connection,
    kind: PersonKind,
    read: BodyReader,
    existing: Existing,
    more: Mapping[str, str] | None = None,
    *,
    flat: bool = False,
) -> Row:
    username = read.text("username", needed=True, most=_MAX_USERNAME)
    given = {
        "first_name": read.text("firstName"),
        "last_name": read.text("lastName"),
        "email": read.email("email"),
        "password_set": 1 if read.text("password") else None,
    }
    externals = _flat_external_id(read) if flat else _external_ids(read)
    read.close()
    columns = {name: value for name, value in given.items() if value is not None} | dict(more or {})
    row = _upsert(db, kind, str(username), columns, existing)
    if externals is not None:
        _replace_external_ids(db, row["user_id"], externals)
    return row


def _flat_external_id(read: BodyReader) -> list[ExternalId] | None:
    external_id, system = read.text("externalId"), read.text("externalSystem")
    return [(system, external_id)] if system and external_id else None


def _external_ids(read: BodyReader) -> list[ExternalId] | None:
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


def _upsert(
    db: Connection,
    kind: PersonKind,
    username: str,
    given: Mapping[str, str | int],
    existing: Existing,
) -> Row:
    row: Row | None = db.execute(
        "SELECT * FROM people WHERE username = ? ORDER BY user_id", (username,)
    ).fetchone()
    if row is not None and row["kind"] != kind:
        raise Refusal(409, f"username {username} belongs to another user")
    if row is not None and existing is Existing.REFUSE:
        raise Refusal(400, f"a user with username {username} already exists")
    if existing is Existing.SECOND:
        row = None
    values = (
        (_NEW if row is None else dict(row)) | dict(given) | {"username": username, "kind": kind}
    )
    user_id = None if row is None else row["user_id"]
    if user_id is None:
        user_id = db.execute(
            "INSERT INTO people"
            " (kind, username, first_name, last_name, email, password_set, status, accesses,"
            " organisations) VALUES (:kind, :username, :first_name, :last_name, :email,"
            " :password_set, :status, :accesses, :organisations)",
            values,
        ).lastrowid
    else:
        db.execute(
            "UPDATE people SET first_name = :first_name, last_name = :last_name, email = :email,"
            " password_set = :password_set, status = :status, accesses = :accesses,"
            " organisations = :organisations WHERE user_id = :user_id",
            values,
        )
    saved: Row = db.execute("SELECT * FROM people WHERE user_id = ?", (user_id,)).fetchone()
    return saved


def _replace_external_ids(db: Connection, user_id: int, externals: Iterable[ExternalId]) -> None:
    externals = dict.fromkeys(externals)
    for external in externals:
        if find_external(db, external) not in (None, user_id):
            raise Refusal(409, f"externalId {external[1]} ({external[0]}) belongs to another user")
    for auth_type in {auth_type for auth_type, _ in externals}:
        db.execute(
            "DELETE FROM external_ids WHERE user_id = ? AND auth_type = ?", (user_id, auth_type)
        )
    db.executemany(
        "INSERT INTO external_ids (auth_type, external_id, user_id) VALUES (?, ?, ?)",
        [(*external, user_id) for external in externals],
    )


def find_external(
    db: Connection, external: ExternalId, kind: PersonKind | None = None
) -> int | None:
    """Return the user id that an external id belongs to, if that person is of the kind."""
    row = db.execute(
        "SELECT user_id FROM external_ids JOIN people USING (user_id)"
        " WHERE auth_type = ? AND external_id = ? AND kind = coalesce(?, kind)",
        (*external, kind),
    ).fetchone()
    return None if row is None else int(row["user_id"])


def find_username(db: Connection, username: str, kind: PersonKind) -> int | None:
    """Return the user id that a username belongs to, if that person is of the kind."""
    row = db.execute(
        "SELECT user_id FROM people WHERE username = ? AND kind = ? ORDER BY user_id",
        (username, kind),
    ).fetchone()
    return None if row is None else int(row["user_id"])


def remove_person(db: Connection, user_id: int) -> None:
    """Remove a person from Inspera and from all tests; the user id is never used again."""
    db.execute("DELETE FROM people WHERE user_id = ?", (user_id,))


def shown(db: Connection, row: Row) -> dict[str, Json]:
    """Return a person as Inspera shows them (vendor contract, Users API).

    That staff have a status there is an assumption.
    """
    externals = db.execute(
        "SELECT auth_type, external_id FROM external_ids WHERE user_id = ?"
        " ORDER BY auth_type, external_id",
        (row["user_id"],),
    )
    return _shown(row, externals)


def all_people(db: Connection, kind: PersonKind) -> list[tuple[Row, dict[str, Json]]]:
    """Return all people of a kind: their rows, and how Inspera shows them."""
    externals: dict[int, list[Row]] = defaultdict(list)
    for one in db.execute(
        "SELECT external_ids.* FROM external_ids JOIN people USING (user_id) WHERE kind = ?"
        " ORDER BY auth_type, external_id",
        (kind,),
    ):
        externals[one["user_id"]].append(one)
    rows = db.execute("SELECT * FROM people WHERE kind = ? ORDER BY user_id", (kind,)).fetchall()
    return [(row, _shown(row, externals[row["user_id"]])) for row in rows]


def contents_of_students(db: Connection) -> list[Json]:
    """Return all learners, for the sandbox's own pages."""
    return [
        person | {"passwordSet": bool(row["password_set"])}
        for row, person in all_people(db, "student")
    ]


def contents_of_staff(db: Connection) -> list[Json]:
    """Return all staff, for the sandbox's own pages."""
    return [
        person
        | {
            "passwordSet": bool(row["password_set"]),
            "authorizedAccesses": json.loads(row["accesses"]),
        }
        | {"organisations": json.loads(row["organisations"])}
        for row, person in all_people(db, "staff")
    ]


def _shown(row: Row, externals: Iterable[Row]) -> dict[str, Json]:
    person = {
        "userId": row["user_id"],
        "username": row["username"],
        "firstName": row["first_name"],
        "lastName": row["last_name"],
        "email": row["email"],
        "externalIds": [
            {"authType": one["auth_type"], "externalId": one["external_id"]} for one in externals
        ],
    }
    return person | {"status": row["status"]} if row["kind"] == "staff" else person
