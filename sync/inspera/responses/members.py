"""Who and what is on a test, in our words. A `ValueError` says that an answer is not of the expected form."""

from collections.abc import Callable, Mapping
from typing import Final

from sync.inspera.responses.shapes import (
    as_object,
    member,
    objects,
    pairs,
    text,
    unwrapped,
    whole_number,
)
from sync.records.base import joined
from sync.records.remote import Member, Members

_ROLE_PREFIX: Final = "ar_"

ReadSeat = Callable[[Mapping[str, object]], Member]


def candidates(document: object) -> Members:
    """The candidates of a test (vendor contract, Test API: read; inferred). One with several ids is under each."""
    return _people(member(unwrapped(document), "candidates"), _candidate)


def contributors(document: object) -> Members:
    """The contributors that reading a test shows (vendor contract, Test API: read)."""
    row = unwrapped(document)
    if "contributors" not in row:
        return _not_shown("contributors")
    return _people(row["contributors"], _contributor)


def committees(document: object) -> Members:
    """The committees that reading a test shows, as names or as objects (vendor contract, Test API: read)."""
    row = unwrapped(document)
    if "committees" not in row:
        return _not_shown("committees")
    shown = row["committees"]
    if not isinstance(shown, list):
        raise ValueError("not a list")  # noqa: TRY004 -- one error for every unexpected form
    named = [(_name(entry), _committee(entry)) for entry in shown]
    there = {("", name): seat for name, seat in named if name}
    return Members(readable=True, there=there, unnamed=sum(not name for name, _ in named))


def _people(rows: object, read: ReadSeat) -> Members:
    there: dict[tuple[str, str], Member] = {}
    unnamed: list[Member] = []
    for row in objects(rows):
        ids, seat = list(pairs(row.get("externalUserIds"), "externalUserId")), read(row)
        there.update(dict.fromkeys(ids, seat))
        unnamed += [] if ids else [seat]
    numbers = tuple(seat.candidate_id for seat in unnamed if seat.candidate_id)
    return Members(readable=True, there=there, unnamed=len(unnamed), unnamed_numbers=numbers)


def _candidate(row: Mapping[str, object]) -> Member:
    return Member(
        remote_user_id=text(row.get("userId")),
        candidate_id=text(row.get("candidateId")),
        extra_time=whole_number(row.get("extraTimeMins")),
        room=text(row.get("roomName")),
        building=text(row.get("buildingName")),
        committees=_committees(row),
    )


def _contributor(row: Mapping[str, object]) -> Member:
    roles = row.get("roles")
    words = [text(role) for role in roles] if isinstance(roles, list) else None
    return Member(
        remote_user_id=text(row.get("userId")),
        room=text(row.get("roomName")),
        building=text(row.get("buildingName")),
        committees=_committees(row),
        roles=None
        if words is None
        else joined(word.removeprefix(_ROLE_PREFIX) for word in words if word),
    )


def _committee(entry: object) -> Member:
    return Member(type=text(entry.get("type")) if isinstance(entry, dict) else None)


def _committees(row: Mapping[str, object]) -> str | None:
    """Names, as they are read (`committees`) or as they are sent (`committeesName`)."""
    shown = row.get("committees", row.get("committeesName"))
    if not isinstance(shown, list):
        return None
    return joined(name for name in map(_name, shown) if name)


def _name(entry: object) -> str | None:
    return text(as_object(entry).get("name")) if isinstance(entry, dict) else text(entry)


def _not_shown(what: str) -> Members:
    return Members(
        readable=False, message=f"the {what} of a test cannot be read: Inspera does not show them"
    )
