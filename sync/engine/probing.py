"""An empty state against a tenant that already has our records looks like a lost state: nothing is sent then."""

from sync.engine.doors import Store, Target
from sync.errors import CallMissing, NotThere
from sync.model import PEOPLE, Kind
from sync.plan import Planned

SAMPLE = 20
"""How many tests, learners and staff are looked up before the first run on an empty state sends anything."""


def looks_lost(store: Store, target: Target) -> str:
    """Why this looks like a lost state; empty when it does not, or when something is known already.

    Raises:
        CallError: the look-ups could not be made.
    """
    if not store.is_blank():
        return ""
    tests = sum(_has_test(target, line) for line in store.sample(Kind.TEST, SAMPLE))
    people = sum(_has_person(target, line) for kind in PEOPLE for line in store.sample(kind, SAMPLE))
    if not tests and not people:
        return ""
    return (
        f"this looks like a lost state: nothing is known here, but Inspera already has {tests} of the tests and "
        f"{people} of the people looked up; nothing was sent; if this tool put them there, take them back with "
        "`adopt --ours`, and with `adopt` if somebody else did"
    )


def _has_test(target: Target, line: Planned) -> bool:
    try:
        return bool(target.find_test(str(line.change.after["external_test_id"])))
    except (CallMissing, NotThere):
        return False


def _has_person(target: Target, line: Planned) -> bool:
    fields = line.change.after
    try:
        return bool(target.find_person(str(fields["auth_system"]), str(fields["external_id"])))
    except (CallMissing, NotThere):
        return False
