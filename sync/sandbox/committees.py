"""The committees of a test and their members (vendor contract, Test API: committees)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from sqlite3 import Connection

from sync.sandbox.reader import BodyReader
from sync.sandbox.tests import find_test
from sync.sandbox.wire import Answer, Json, ReceivedCall, Refusal

TYPES = ("GRADING", "REASSESSMENT")
"""The default first."""

MAX_NAME = 50


def post_committees(db: Connection, call: ReceivedCall) -> Answer:
    """Answer `POST /v1/test/{testId}/committees`, the whole batch or none of it.

    An existing name is refused. It is not known what the vendor does, so the sandbox is strict.
    """
    test = find_test(db, call)
    make_committees(db, test["run_id"], _batch(call.json()))
    return Answer(200, {"success": True})


def delete_committees(db: Connection, call: ReceivedCall) -> Answer:
    """Answer `DELETE /v1/test/{testId}/committees`: the whole batch or nothing; members stay."""
    test = find_test(db, call)
    missing = [
        name for name in _batch(call.json()) if not remove_committee(db, test["run_id"], name)
    ]
    if missing:
        raise Refusal(404, *map(no_committee, missing))
    return Answer(200, {"success": True})


def make_committees(db: Connection, run_id: int, committees: Mapping[str, str]) -> None:
    """Create committees, given as names with their types.

    Raises:
        Refusal: 400 with every name that exists.
    """
    existing = committees.keys() & committee_names(db, run_id)
    if existing:
        raise Refusal(400, *(f"Committee {name} exists already" for name in sorted(existing)))
    db.executemany(
        "INSERT INTO committees (run_id, name, type) VALUES (?, ?, ?)",
        [(run_id, name, kind) for name, kind in committees.items()],
    )


def remove_committee(db: Connection, run_id: int, name: str) -> bool:
    """Remove a committee; tell whether it existed."""
    return (
        db.execute("DELETE FROM committees WHERE run_id = ? AND name = ?", (run_id, name)).rowcount
        > 0
    )


def read_committee(read: BodyReader) -> tuple[str, str]:
    """Read a committee's name, empty when it is invalid, and its type."""
    name, kind = read.text("name", needed=True, most=MAX_NAME), read.choice("type", TYPES)
    return name or "", kind or TYPES[0]


def all_committees(db: Connection, run_id: int) -> list[Json]:
    """Return the committees of a test, as Inspera shows them."""
    rows = db.execute("SELECT name, type FROM committees WHERE run_id = ? ORDER BY name", (run_id,))
    return [dict(row) for row in rows]


def committee_names(db: Connection, run_id: int) -> set[str]:
    """Return the names of a test's committees."""
    return {
        row["name"] for row in db.execute("SELECT name FROM committees WHERE run_id = ?", (run_id,))
    }


def no_committee(name: str) -> str:
    """Return Inspera's message about a committee that a test does not have."""
    return f"Committee {name} does not exist"


def put_into(db: Connection, run_id: int, user_id: int, names: Iterable[str]) -> None:
    """Put a person on a test into exactly these committees, which must exist."""
    leave_all(db, run_id, user_id)
    db.executemany(
        "INSERT INTO members (run_id, user_id, committee) VALUES (?, ?, ?)",
        [(run_id, user_id, name) for name in names],
    )


def leave_all(db: Connection, run_id: int, user_id: int) -> None:
    """Take a person out of all committees of a test."""
    db.execute("DELETE FROM members WHERE run_id = ? AND user_id = ?", (run_id, user_id))


def memberships(db: Connection, run_id: int) -> dict[int, list[str]]:
    """Return the sorted committees of all people on a test, by user id."""
    found: dict[int, list[str]] = defaultdict(list)
    for row in db.execute(
        "SELECT user_id, committee FROM members WHERE run_id = ? ORDER BY committee", (run_id,)
    ):
        found[row["user_id"]].append(row["committee"])
    return found


def _batch(body: Json) -> dict[str, str]:
    read = BodyReader(body)
    committees: dict[str, str] = {}
    for item in read.items("committees", needed=True) or ():
        name, kind = read_committee(item)
        item.done()
        if name and name in committees:
            item.complain("name", f"{name} is in this batch twice")
        committees[name] = kind
    read.close()
    return committees
