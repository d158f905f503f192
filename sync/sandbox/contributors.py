"""The contributors of a test (vendor contract, Test API: contributors)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from sqlite3 import Connection

from sync.sandbox.batches import (
    external_user_ids,
    find_all,
    read_batch,
    read_person,
    read_places,
    remove_batch,
)
from sync.sandbox.committees import committee_names, leave_all, memberships, no_committee, put_into
from sync.sandbox.reader import BodyReader
from sync.sandbox.tests import find_test
from sync.sandbox.wire import Answer, Json, ReceivedCall, Refusal

ROLES = ("evaluate", "monitor", "plan", "author", "invigilate", "chief_invigilate", "review")

_NEW = {"roles": "[]", "room": None, "building": None, "notified": 0}


@dataclass(frozen=True, slots=True)
class ContributorEntry:
    """A contributor in a call: columns with values, and committees. Others keep their values."""

    given: Mapping[str, str | None]
    committees: list[str] | None
    notify: bool = False


def post_contributors(db: Connection, call: ReceivedCall) -> Answer:
    """Answer `POST /v1/test/{testId}/contributors`: add and change, the whole batch or nothing.

    A committee that the test does not have is an error in a 200.
    """
    test = find_test(db, call)
    auth_type, entries = read_batch(call.json(), "contributors", _entry)
    people = find_all(db, auth_type, entries, "staff")
    named = {name for entry in entries.values() for name in entry.committees or ()}
    missing = sorted(named - committee_names(db, test["run_id"]))
    if missing:
        raise Refusal(200, *map(no_committee, missing), success=True)
    for external_id, entry in entries.items():
        save_contributor(db, test["run_id"], people[external_id], entry)
    return Answer(200, {"success": True})


def delete_contributors(db: Connection, call: ReceivedCall) -> Answer:
    """Answer `DELETE /v1/test/{testId}/contributors`: the whole batch or none of it."""
    run_id = find_test(db, call)["run_id"]
    return remove_batch(db, call.json(), "contributor", partial(remove_contributor, db, run_id))


def save_contributor(db: Connection, run_id: int, user_id: int, entry: ContributorEntry) -> None:
    """Put a member of staff on a test, or change their entry; count their notifications."""
    old = db.execute(
        "SELECT * FROM contributors WHERE run_id = ? AND user_id = ?", (run_id, user_id)
    ).fetchone()
    values = (_NEW if old is None else dict(old)) | dict(entry.given)
    db.execute(
        "INSERT OR REPLACE INTO contributors (run_id, user_id, roles, room, building, notified)"
        " VALUES (:run_id, :user_id, :roles, :room, :building, :notified + :now)",
        values | {"run_id": run_id, "user_id": user_id, "now": int(entry.notify)},
    )
    if entry.committees is not None:
        put_into(db, run_id, user_id, entry.committees)


def remove_contributor(db: Connection, run_id: int, user_id: int | None) -> bool:
    """Take a member of staff off a test; tell whether they were on it."""
    gone = (
        db.execute(
            "DELETE FROM contributors WHERE run_id = ? AND user_id = ?", (run_id, user_id)
        ).rowcount
        > 0
    )
    if gone and user_id is not None:
        leave_all(db, run_id, user_id)
    return gone


def read_contributor(read: BodyReader, committees: str, *, roles_needed: bool) -> ContributorEntry:
    """Read a contributor. `committees` is the member that lists them."""
    given = read_places(read)
    roles = read.texts("roles", needed=roles_needed, choices=ROLES)
    names = read.texts(committees)
    return ContributorEntry(given if roles is None else given | {"roles": json.dumps(roles)}, names)


def all_contributors(db: Connection, run_id: int) -> list[dict[str, Json]]:
    """Return all contributors of a test, with everything that is stored about them."""
    rows = db.execute(
        "SELECT contributors.*, username, first_name, last_name"
        " FROM contributors JOIN people USING (user_id) WHERE run_id = ? ORDER BY user_id",
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
    entry = read_contributor(item, "committeesName", roles_needed=True)
    return replace(entry, notify=bool(item.flag("sendNotification")))
