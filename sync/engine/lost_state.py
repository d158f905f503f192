"""The probe for a lost state: an empty state while Inspera already has our records."""

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from sync.engine.protocols import Target
from sync.errors import CallMissing, NotThere, Refused
from sync.records.base import Kind
from sync.records.changes import PlannedChange
from sync.records.kinds import PEOPLE
from sync.records.remote import RemotePerson
from sync.state.store import Store

SAMPLE = 20
"""How many records of a kind are looked up before an empty state sends anything.

They are spread over the plan: enough to meet a test of ours, and a few seconds at most.
"""


@dataclass(frozen=True, slots=True)
class LostStateProbe:
    """What Inspera already has of the first records that an empty state would create.

    Attributes:
        lost: why this looks like a lost state, so that nothing may be sent; empty when it does not.
        note: what a person should know all the same; empty when there is nothing.
        logins: those of the people that were found, by kind.
    """

    lost: str = ""
    note: str = ""
    logins: Mapping[Kind, Collection[str]] = field(default_factory=dict)


def probe(store: Store, target: Target) -> LostStateProbe:
    """Look up some of what an empty state would create; a state that knows something needs no look.

    Tests under our own external ids were made by us, or by somebody with the same feed: that is a
    lost state. Accounts prove nothing: a tenant has people before its first run, from other
    integrations or by hand.

    Raises:
        CallError: the look-ups could not be made.
    """
    if not store.known.is_blank():
        return LostStateProbe()
    if tests := sum(_has_test(target, line) for line in store.plan.sample(Kind.TEST, SAMPLE)):
        return LostStateProbe(
            f"this looks like a lost state: nothing is known here, but Inspera already has {tests} "
            "of the tests looked up; nothing was sent; if this tool put them there, take them back "
            "with `adopt --managed`, and with `adopt` if somebody else did"
        )
    samples = {kind: store.plan.sample(kind, SAMPLE) for kind in PEOPLE}
    found = {
        kind: [one for line in samples[kind] for one in _find(target, line)] for kind in PEOPLE
    }
    people = sum(len(matches) for matches in found.values())
    if not people:
        return LostStateProbe()
    total = sum(len(lines) for lines in samples.values())
    return LostStateProbe(
        logins={
            kind: [one.username for one in matches if one.username]
            for kind, matches in found.items()
        },
        note=f"Inspera already has {people} of the {total} people looked up: they count as "
        "found, so they are "
        "never disabled or deleted by this tool. If this state was lost, take back what is "
        "managed with `adopt --managed`.",
    )


def _has_test(target: Target, line: PlannedChange) -> bool:
    try:
        return bool(target.find_test(str(line.change.after["external_test_id"])))
    except (CallMissing, NotThere):
        return False


def _find(target: Target, line: PlannedChange) -> list[RemotePerson]:
    """Return the account of a new person by external id or else by login, at most one."""
    fields = line.change.after
    found: list[RemotePerson] = []
    with suppress(CallMissing, NotThere):
        found = target.find_person(str(fields["auth_system"]), str(fields["external_id"]))
    if not found and fields.get("username"):
        with suppress(CallMissing, Refused):
            found = target.find_person_by_login(str(fields["username"]))
    return found[:1]
