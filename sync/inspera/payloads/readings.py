"""The vendor's words into ours: what reads give. A `ValueError` says that an answer is not of the expected form."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sync.found import FoundPerson, FoundTest, Seat, Seats


@dataclass(frozen=True, slots=True)
class Page:
    """One page of results; `hits` counts those of all pages, `number` is this one's. `None` is what was not said."""

    rows: tuple[Mapping[str, object], ...]
    hits: int | None = None
    number: int | None = None


def page(document: object) -> Page:
    """A page of search results (vendor contract, Test API: search), or a bare list, which is all there is."""
    if isinstance(document, list):
        return Page(tuple(_objects(document)))
    outer = _object(document)
    rows = tuple(_objects(_member(outer, "results", "users")))
    return Page(rows, whole_number(outer.get("hits")), whole_number(outer.get("page")))


def found_test(row: Mapping[str, object]) -> FoundTest | None:
    """A test among search results, `None` for a template (vendor contract, Test API: search)."""
    if row.get("isTemplate") is True:
        return None
    return FoundTest(
        remote_id=_required(row, "assessmentRunId"),
        external_test_id=text(row.get("externalId")),
        title=text(row.get("assessmentRunTitle")),
        start=moment(row.get("startTime")),
        end=moment(row.get("endTime")),
        status=text(row.get("status")),
        duration=whole_number(row.get("duration")),
    )


def read_test(remote_id: str, document: object) -> FoundTest:
    """A test read by its id, which shows little but its name (vendor contract, Test API: read)."""
    row = _unwrapped(document)
    title = text(row.get("name")) or text(row.get("title"))
    if title is None:
        raise ValueError("a test without a name")
    return FoundTest(
        remote_id=remote_id,
        external_test_id=text(row.get("externalTestId")) or text(row.get("externalId")),
        title=title,
        start=moment(row.get("startTime")),
        end=moment(row.get("endTime")),
        status=text(row.get("status")),
        duration=whole_number(row.get("duration")),
    )


def found_person(row: Mapping[str, object]) -> FoundPerson:
    """A person read or found (vendor contract, Users API; Conventions on the two spellings of `username`)."""
    return FoundPerson(
        remote_id=text(row.get("userId")),
        username=text(row.get("username")) or text(row.get("userName")),
        external_ids=tuple(_pairs(row.get("externalIds"), "externalId")),
        first_name=text(row.get("firstName")),
        last_name=text(row.get("lastName")),
        email=text(row.get("email")),
    )


def seats(document: object) -> Seats:
    """The candidates of a test (vendor contract, Test API: read; inferred). One with several ids is under each."""
    there: dict[tuple[str, str], Seat] = {}
    unnamed = 0
    for row in _objects(_member(_unwrapped(document), "candidates")):
        seat = Seat(
            remote_user_id=text(row.get("userId")),
            candidate_id=text(row.get("candidateId")),
            extra_time=whole_number(row.get("extraTimeMins")),
            room=text(row.get("roomName")),
            building=text(row.get("buildingName")),
        )
        pairs = list(_pairs(row.get("externalUserIds"), "externalUserId"))
        there.update(dict.fromkeys(pairs, seat))
        unnamed += not pairs
    return Seats(readable=True, there=there, unnamed=unnamed)


def done(document: object) -> None:
    """Nothing but that there is an answer of the usual form (vendor contract, Conventions)."""
    _object(document)


def saved_test(document: object) -> tuple[str, bool]:
    """The id of a test that was saved, and whether it is new (vendor contract, Test API: create or update)."""
    row = _unwrapped(document)
    return _required(row, "assessmentRunId"), text(row.get("status")) != "updated"


def saved_learner(document: object) -> str | None:
    """The user id of a learner who was saved, when it was said (vendor contract, Users API)."""
    return text(_object(document).get("userId"))


def text(value: object) -> str | None:
    """An id or a word; numbers are taken for ids, anything else is nothing."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value)


def whole_number(value: object) -> int | None:
    """A whole number, also when it was given as text."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if isinstance(value, int) else None


def moment(value: object) -> str | None:
    """A time as plans have it, in UTC and whole seconds; one without an offset is not taken for any."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
        return None if at.tzinfo is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError):
        return None


def _pairs(value: object, name: str) -> Iterator[tuple[str, str]]:
    for entry in _objects(value) if isinstance(value, list) else ():
        auth_system, external_id = text(entry.get("authType")), text(entry.get(name))
        if auth_system and external_id:
            yield auth_system, external_id


def _unwrapped(document: object) -> Mapping[str, object]:
    outer = _object(document)
    inner = outer.get("result")
    return inner if isinstance(inner, dict) else outer


def _object(document: object) -> Mapping[str, object]:
    if not isinstance(document, dict):
        raise ValueError("not an object")  # noqa: TRY004 -- one error for every unexpected form
    return document


def _objects(value: object) -> Iterator[Mapping[str, object]]:
    if not isinstance(value, list):
        raise ValueError("not a list")  # noqa: TRY004 -- one error for every unexpected form
    return (_object(entry) for entry in value)


def _member(row: Mapping[str, object], *names: str) -> object:
    for name in names:
        if name in row:
            return row[name]
    raise ValueError("the list is missing")


def _required(row: Mapping[str, object], name: str) -> str:
    value = text(row.get(name))
    if not value:
        raise ValueError("an id is missing")
    return value
