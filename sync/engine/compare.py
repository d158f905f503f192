"""The comparison of what is known with what Inspera shows.

A field that Inspera does not show, or that is not known, does not differ.
"""

from sync.records.base import Kind, listed
from sync.records.changes import Fields, Value
from sync.records.kinds import COMPARED
from sync.records.remote import Member, RemotePerson, RemoteTest

There = RemotePerson | RemoteTest | Member


def differences(kind: Kind, known: Fields, there: There) -> tuple[str, ...]:
    """Return the fields in which Inspera differs from what is known.

    None, an empty text and zero minutes count as equal.
    """
    return tuple(name for name in COMPARED[kind] if _differ(known.get(name), shown(there, name)))


def _differ(known: Value, there: Value) -> bool:
    return known is not None and there is not None and (known or None) != (there or None)


def shown(there: There, name: str) -> Value:
    """Return a field as Inspera shows it; None when it does not."""
    value: Value = getattr(there, name, None)
    return value


def taken_over(kind: Kind, known: Fields, there: There) -> Fields:
    """Return what is known once Inspera's values are taken over."""
    values = {name: shown(there, name) for name in COMPARED[kind]}
    return {name: known.get(name) if value is None else value for name, value in values.items()}


def given_by_hand(wanted: Fields, seat: Member) -> tuple[str, ...]:
    """Return what a member has beyond the source and would lose, and in which fields.

    Empty when that is nothing.
    """
    minutes = wanted.get("extra_time")
    if minutes is not None and (seat.extra_time or 0) > int(minutes):
        return (
            f"Inspera gives {seat.extra_time} minutes of extra time, the source {minutes}",
            "extra_time",
        )
    further = sorted(set(listed(seat.roles)) - set(listed(wanted.get("roles"))))
    return (
        (f"Inspera has further roles ({', '.join(further)}) than the source", "roles")
        if further
        else ()
    )
