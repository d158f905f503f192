"""What is put on a test, or taken off it, in the vendor's words.

Many entries of one kind in one body.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from sync.contract import Call
from sync.inspera.requests.bodies import copied, wrapped
from sync.records.candidate import CANDIDATE
from sync.records.changes import Fields, Value
from sync.records.committee import COMMITTEE
from sync.records.contributor import CONTRIBUTOR
from sync.records.remote import Assignment
from sync.records.staff import STAFF

NAMES: Final = {name: STAFF.copied[name] for name in ("first_name", "last_name", "email")}
"""What is sent of the person with each contributor, with the vendor's names."""

_GROUPS: Final = {
    "security": "securityOptions",
    "explanation": "explanationOptions",
    "exam_day": "examDayOptions",
    "general": "generalOption",
}


def candidates(call: Call, entries: Sequence[Assignment]) -> object:
    """Return learners for a test, all of one auth system.

    Vendor contract, Test API: candidates, inferred.
    """
    return _people(call, entries, [copied(CANDIDATE, entry.fields) for entry in entries])


def contributors(call: Call, entries: Sequence[Assignment]) -> object:
    """Return staff for a test, all of one auth system (vendor contract, Test API: contributors).

    Each entry says whether the person is notified, since the vendor's default is not known.
    """
    people = [
        {
            **{
                theirs: entry.fields[name]
                for name, theirs in NAMES.items()
                if entry.fields.get(name) is not None
            },
            "sendNotification": bool(entry.fields.get("notify")),
            **copied(CONTRIBUTOR, entry.fields),
        }
        for entry in entries
    ]
    return _people(call, entries, people)


def leaving_people(call: Call, entries: Sequence[Assignment]) -> object:
    """Return people to be taken off a test, all of one auth system.

    Vendor contract, Test API: inferred.
    """
    return _people(call, entries, [{} for _ in entries])


def committees(call: Call, entries: Sequence[Assignment]) -> object:
    """Return committees for a test (vendor contract, Test API: committees)."""
    return wrapped(
        call,
        [{"name": entry.external_id, **copied(COMMITTEE, entry.fields)} for entry in entries],
    )


def leaving_committees(call: Call, entries: Sequence[Assignment]) -> object:
    """Return committees to be taken off a test (vendor contract, Test API: committees)."""
    return wrapped(call, [{"name": entry.external_id} for entry in entries])


def options(call: Call, entries: Sequence[Assignment]) -> object:
    """Return settings of a test, those given and no others.

    Vendor contract, Test API: settings.
    """
    groups: dict[str, list[dict[str, object]]] = {}
    for entry in entries:
        group = groups.setdefault(_GROUPS[str(entry.fields["group"])], [])
        group.append({"option": entry.external_id, "value": _option_value(entry.fields)})
    return wrapped(call, groups)


def secrets(entries: Sequence[Assignment]) -> tuple[str, ...]:
    """Return what an answer must not make us repeat.

    The values of secret options, and names and addresses of people.
    """
    hidden = [entry.fields.get(name) for entry in entries for name in NAMES]
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
