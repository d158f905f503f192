"""Contributors of a test as Inspera keeps them (vendor contract, Test API: contributors)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from sqlite3 import Connection

from sync.sandbox.batches import external_user_ids, find_all, read_batch, read_nothing, read_person
from sync.sandbox.committees import committee_names, leave_all, memberships, no_committee, put_into
from sync.sandbox.people import find_external
from sync.sandbox.reader import BodyReader
from sync.sandbox.tests import find_test
from sync.sandbox.wire import Answer, Call, Json, Refusal

ROLES = ("evaluate", "monitor", "plan", "author", "invigilate", "chief_invigilate", "review")

_TEXTS = {"roomName": "room", "buildingName": "building"}
_NEW = {"roles": "[]", "room": None, "building": None, "notified": 0}


@dataclass(frozen=True, slots=True)
class ContributorEntry:
    """What a call says about a contributor: columns with values, and committees. What is left out keeps its value."""

    given: Mapping[str, str | None]
    committees: list[str] | None
    notify: bool = False


def post_contributors(db: Connection, call: Call) -> Answer:
    """Answers `POST /v1/test/{testId}/contributors`: adds and changes, the whole batch or none of it.

    A committee that the test does not have is an error in a 200.
    """
    test = find_test(db, call)
    auth_type, places = read_batch(call.json(), "contributors", _entry)
    people = find_all(db, auth_type, places, "staff")
    named = {name for place in places.values() for name in place.committees or ()}
    missing = sorted(named - committee_names(db, test["run_id"]))
    if missing:
        raise Refusal(200, *map(no_committee, missing), success=True)
    for external_id, place in places.items():
        save_contributor(db, test["run_id"], people[external_id], place)
    return Answer(200, {"success": True})


def delete_contributors(db: Connection, call: Call) -> Answer:
    """Answers `DELETE /v1/test/{testId}/contributors`: the whole batch or none of it."""
    test = find_test(db, call)
    auth_type, entries = read_batch(call.json(), "contributors", read_nothing)
    missing = [
        external_id
        for external_id in entries
        if not remove_contributor(db, test["run_id"], find_external(db, (auth_type, external_id)))
    ]
    if missing:
        raise Refusal(
            404,
            *(
                f"externalId {one} ({auth_type}): is not a contributor of this test"
                for one in missing
            ),
        )
    return Answer(200, {"success": True})


def save_contributor(db: Connection, run_id: int, user_id: int, place: ContributorEntry) -> None:
    """Puts a member of staff on a test, or changes what they do there; counts how often they were told."""
    old = db.execute(
        "SELECT * FROM contributors WHERE run_id = ? AND user_id = ?", (run_id, user_id)
    ).fetchone()
    values = (_NEW if old is None else dict(old)) | dict(place.given)
    db.execute(
        "INSERT OR REPLACE INTO contributors (run_id, user_id, roles, room, building, notified)"
        " VALUES (:run_id, :user_id, :roles, :room, :building, :notified + :now)",
        values | {"run_id": run_id, "user_id": user_id, "now": int(place.notify)},
    )
    if place.committees is not None:
        put_into(db, run_id, user_id, place.committees)


def remove_contributor(db: Connection, run_id: int, user_id: int | None) -> bool:
    """Takes a member of staff off a test; tells whether they were on it."""
    gone = (
        db.execute(
            "DELETE FROM contributors WHERE run_id = ? AND user_id = ?", (run_id, user_id)
        ).rowcount
        > 0
    )
    if gone and user_id is not None:
        leave_all(db, run_id, user_id)
    return gone


def read_place(read: BodyReader, committees: str, *, roles_needed: bool) -> ContributorEntry:
    """What an entry says about a contributor; empty text clears. `committees` is the member that names them."""
    texts = {column: read.text(name) for name, column in _TEXTS.items()}
    given = {column: text or None for column, text in texts.items() if text is not None}
    roles = read.texts("roles", needed=roles_needed, choices=ROLES)
    names = read.texts(committees)
    return ContributorEntry(given if roles is None else given | {"roles": json.dumps(roles)}, names)


def all_contributors(db: Connection, run_id: int) -> list[dict[str, Json]]:
    """Everybody who works on a test, with everything that is kept about it."""
    rows = db.execute(
        "SELECT contributors.*, username, first_name, last_name FROM contributors JOIN people USING (user_id)"
        " WHERE run_id = ? ORDER BY user_id",
        (run_id,),
    ).fetchall()
    externals = external_user_ids(db, run_id) if rows else {}
    committees = memberships(db, run_id) if rows else {}
    return [
        {
            "userId": row["user_id"],
            "username": row["username"],
            "firstName": row["first_name"],
            "lastName": row["last_name"],
            "externalUserIds": externals.get(row["user_id"], []),
            "roles": json.loads(row["roles"]),
            "committees": committees.get(row["user_id"], []),
            "roomName": row["room"],
            "buildingName": row["building"],
            "notified": row["notified"],
        }
        for row in rows
    ]


def _entry(item: BodyReader) -> ContributorEntry:
    read_person(item)
    place = read_place(item, "committeesName", roles_needed=True)
    return replace(place, notify=bool(item.flag("sendNotification")))
