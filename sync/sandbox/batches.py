"""Batches of candidates or contributors: one auth system, a list of people, all or none."""

from collections.abc import Callable, Mapping
from sqlite3 import Connection
from typing import TypeVar

from sync.sandbox.people import PersonKind, find_external
from sync.sandbox.reader import BodyReader
from sync.sandbox.wire import Answer, Json, Refusal

Entry = TypeVar("Entry")

_PERSON_TEXTS = ("firstName", "lastName")
_PLACES = {
    "roomName": ("room", "removeRoomName"),
    "buildingName": ("building", "removeBuildingName"),
}


def read_batch(
    body: Json, name: str, entry: Callable[[BodyReader], Entry]
) -> tuple[str, dict[str, Entry]]:
    """Return a batch's auth system and its entries by external id; `name` is the list's member.

    Raises:
        Refusal: 400 for everything that is wrong in it.
    """
    read = BodyReader(body)
    auth_type = read.text("authenticationSystem", needed=True)
    entries: dict[str, Entry] = {}
    for item in read.items(name, needed=True) or ():
        external_id = item.text("externalId", needed=True)
        parsed = entry(item)
        item.done()
        if external_id in entries:
            item.complain("externalId", f"{external_id} is in this batch twice")
        if external_id:
            entries[external_id] = parsed
    read.close()
    return str(auth_type), entries


def remove_batch(
    db: Connection, body: Json, noun: str, remove: Callable[[int | None], bool]
) -> Answer:
    """Remove the people of a batch from a test; `remove` tells whether the person was on it.

    Raises:
        Refusal: 400 for all that is wrong in the batch, 404 with everyone who is not on the test.
    """
    auth_type, entries = read_batch(body, f"{noun}s", _read_nothing)
    missing = [
        external_id
        for external_id in entries
        if not remove(find_external(db, (auth_type, external_id)))
    ]
    if missing:
        raise Refusal(
            404,
            *(
                f"externalId {external_id} ({auth_type}): is not a {noun} of this test"
                for external_id in missing
            ),
        )
    return Answer(200, {"success": True})


def _read_nothing(_: BodyReader) -> None:
    """Read the entry of a removal, which has an external id and nothing else."""


def read_person(item: BodyReader) -> None:
    """Read names and email, which change nothing: what the vendor does with them is not known."""
    for name in _PERSON_TEXTS:
        item.text(name)
    item.email("email")


def read_places(item: BodyReader) -> dict[str, str | None]:
    """Read room and building: the columns that change. An empty text changes nothing.

    Only the flag takes one away (vendor contract, Test API: candidates).
    """
    given: dict[str, str | None] = {}
    for name, (column, removal) in _PLACES.items():
        text, removed = item.text(name), item.flag(removal)
        if text and removed:
            # It is not known which the vendor would follow, so the sandbox is strict.
            item.complain(removal, f"contradicts {name}")
        if text or removed:
            given[column] = None if removed else text
    return given


def find_all(
    db: Connection, auth_type: str, entries: Mapping[str, object], kind: PersonKind
) -> dict[str, int]:
    """Return the user ids of all people in a batch, by external id.

    Raises:
        Refusal: 400 with every external id that nobody of that kind has.
    """
    user_ids = {
        external_id: find_external(db, (auth_type, external_id), kind) for external_id in entries
    }
    unknown = [
        f"externalId {external_id} ({auth_type}): no such user"
        for external_id, user_id in user_ids.items()
        if user_id is None
    ]
    if unknown:
        raise Refusal(400, *unknown)
    return {
        external_id: user_id for external_id, user_id in user_ids.items() if user_id is not None
    }


def external_user_ids(db: Connection, run_id: int) -> dict[int, list[Json]]:
    """Return the external ids of all people on a test as Inspera shows them, by user id."""
    external_ids: dict[int, list[Json]] = {}
    for row in db.execute(
        "SELECT user_id, auth_type, external_id FROM external_ids WHERE user_id IN"
        " (SELECT user_id FROM candidates WHERE run_id = :run_id UNION ALL"
        " SELECT user_id FROM contributors WHERE run_id = :run_id) ORDER BY auth_type, external_id",
        {"run_id": run_id},
    ):
        pair = {"authType": row["auth_type"], "externalUserId": row["external_id"]}
        external_ids.setdefault(row["user_id"], []).append(pair)
    return external_ids
