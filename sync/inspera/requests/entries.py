"""The bodies of calls that put entries on a test or remove them, many of one kind at a time."""

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
"""The fields of the person that are sent with each contributor, with the vendor's names."""


def candidates(call: Call, entries: Sequence[Assignment]) -> object:
    """Return the body that puts learners of one auth system on a test.

    The form is inferred (vendor contract, Test API: candidates).
    """
    return _people(call, entries, [copied(CANDIDATE, entry.fields) for entry in entries])


def contributors(call: Call, entries: Sequence[Assignment]) -> object:
    """Return the body that puts staff of one auth system on a test.

    Each entry contains whether to notify the person, because the vendor's default is not known
    (vendor contract, Test API: contributors).
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
    """Return the body that removes people of one auth system from a test.

    The form is inferred (vendor contract, Test API).
    """
    return _people(call, entries, [{} for _ in entries])


def committees(call: Call, entries: Sequence[Assignment]) -> object:
    """Return the body that adds committees to a test (vendor contract, Test API: committees)."""
    return wrapped(
        call,
        [{"name": entry.external_id, **copied(COMMITTEE, entry.fields)} for entry in entries],
    )


def leaving_committees(call: Call, entries: Sequence[Assignment]) -> object:
    """Return the body that removes committees from a test (vendor contract, Test API: committees)."""
    return wrapped(call, [{"name": entry.external_id} for entry in entries])


def options(call: Call, entries: Sequence[Assignment]) -> object:
    """Return the body that sets options of a test; all others keep their values.

    See vendor contract, Test API: settings.
    """
    groups: dict[str, list[dict[str, object]]] = {}
    for entry in entries:
        group = groups.setdefault(call.groups[str(entry.fields["group"])], [])
        group.append({"option": entry.external_id, "value": _option_value(entry.fields)})
    return wrapped(call, groups)


def secrets(entries: Sequence[Assignment]) -> tuple[str, ...]:
    """Return the texts that a message must not repeat from a response.

    These are the values of secret options, and the names and addresses of people.
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
