"""What is put on a test, or taken off it, in the vendor's words: many entries of one kind in one body."""

from collections.abc import Mapping, Sequence
from typing import Final

from sync.contract import Call
from sync.inspera.requests.bodies import lists, worded, wrapped
from sync.records.changes import Fields, Value
from sync.records.remote import Assignment

_CANDIDATE: Final = {
    "candidate_id": "candidateId",
    "extra_time": "extraTimeMins",
    "room": "roomName",
    "building": "buildingName",
}
_CONTRIBUTOR: Final = {
    "first_name": "firstName",
    "last_name": "lastName",
    "email": "email",
    "room": "roomName",
    "building": "buildingName",
}
_LISTS: Final = {"roles": "roles", "committees": "committeesName"}
_GROUPS: Final = {
    "security": "securityOptions",
    "explanation": "explanationOptions",
    "exam_day": "examDayOptions",
    "general": "generalOption",
}


def candidates(call: Call, entries: Sequence[Assignment]) -> object:
    """Learners for a test, all of one auth system (vendor contract, Test API: candidates; inferred)."""
    committees = {"committees": _LISTS["committees"]}
    return _people(
        call,
        entries,
        [
            {**worded(_CANDIDATE, entry.fields), **lists(committees, entry.fields)}
            for entry in entries
        ],
    )


def contributors(call: Call, entries: Sequence[Assignment]) -> object:
    """Staff for a test, all of one auth system (vendor contract, Test API: contributors).

    That nobody is to be told is said each time, since the vendor's default is not known.
    """
    return _people(
        call,
        entries,
        [
            {
                **worded(_CONTRIBUTOR, entry.fields),
                "sendNotification": bool(entry.fields.get("notify")),
                **lists(_LISTS, entry.fields),
            }
            for entry in entries
        ],
    )


def leaving_people(call: Call, entries: Sequence[Assignment]) -> object:
    """People to be taken off a test, all of one auth system (vendor contract, Test API; inferred)."""
    return _people(call, entries, [{} for _ in entries])


def committees(call: Call, entries: Sequence[Assignment]) -> object:
    """Committees for a test (vendor contract, Test API: committees)."""
    return wrapped(
        call,
        [
            {"name": entry.external_id, **worded({"type": "type"}, entry.fields)}
            for entry in entries
        ],
    )


def leaving_committees(call: Call, entries: Sequence[Assignment]) -> object:
    """Committees to be taken off a test (vendor contract, Test API: committees)."""
    return wrapped(call, [{"name": entry.external_id} for entry in entries])


def options(call: Call, entries: Sequence[Assignment]) -> object:
    """Settings of a test, those given and no others (vendor contract, Test API: settings)."""
    groups: dict[str, list[dict[str, object]]] = {}
    for entry in entries:
        group = groups.setdefault(_GROUPS[str(entry.fields["group"])], [])
        group.append({"option": entry.external_id, "value": _option_value(entry.fields)})
    return wrapped(call, groups)


def secrets(entries: Sequence[Assignment]) -> tuple[str, ...]:
    """What an answer must not make us repeat: the values of secret options, and names and addresses of people."""
    hidden = [
        entry.fields.get(name) for entry in entries for name in ("first_name", "last_name", "email")
    ]
    hidden += [entry.fields.get("value") for entry in entries if entry.fields.get("secret")]
    return tuple(str(value) for value in hidden if value)


def _people(
    call: Call, entries: Sequence[Assignment], rest: Sequence[Mapping[str, object]]
) -> object:
    auth_system = {"authenticationSystem": entries[0].auth_system}
    people = [
        {"externalId": entry.external_id, **more} for entry, more in zip(entries, rest, strict=True)
    ]
    if not call.wrapper:
        # A bare list leaves no other place for it, and an id alone could be somebody else's.
        return [{**auth_system, **person} for person in people]
    return {**auth_system, call.wrapper: people}


def _option_value(fields: Fields) -> Value:
    value = fields.get("value")
    return value == "true" if fields.get("type") == "switch" else value
