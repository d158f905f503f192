"""One pair, decided: `diff` says what it means, `guard` whether it may go ahead. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from sync.diff import Circumstances, diff
from sync.guard import Facts, Ruling, judge
from sync.mapping import conflicts, late_faults
from sync.model import COMPARED, PEOPLE, RECORD_TYPES, Fault, Key, Kind, utc_time
from sync.plan import ADDITIONS, Action, Change, Fields


@dataclass(frozen=True, slots=True)
class Pair:
    """One record's two sides, with all that is needed to decide about it."""

    kind: Kind
    key: Key
    wanted: Fields | None
    known: Fields | None
    about: Circumstances
    facts: Facts
    where: str = ""
    fingerprint: bytes | None = None
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Drafted:
    """A change with the guard's ruling, and what only its sending needs."""

    change: Change
    ruling: Ruling
    fingerprint: bytes | None = None
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be drafted for a pair, or the faults that keep its record (or, beside a draft, one field) as it is.

    `settled` says that the two sides agree although their fingerprints do not, so that the known one can be renewed.
    """

    drafted: Drafted | None = None
    faults: tuple[Fault, ...] = ()
    settled: bool = False


_OF_A_PERSON = ("username", "external_id", "auth_system")
NEEDED = {
    Kind.LEARNER: _OF_A_PERSON,
    Kind.STAFF: _OF_A_PERSON,
    Kind.TEST: ("external_test_id", "title", "start", "end", "duration"),
    Kind.CONTRIBUTOR: ("roles",),
}
"""Fields without which a record can't be made (vendor contract, Users API and Test API)."""


def decide(pair: Pair) -> Decision:
    """The change that this pair calls for, with the guard's ruling on it."""
    wanted, left_out = _usable(pair)
    change = diff(pair.kind, pair.key, wanted, pair.known, pair.about, pair.where)
    if change is None:
        return Decision(faults=left_out, settled=wanted is not None and not left_out)
    faults = tuple(_faults(change)) if change.action in ADDITIONS else ()
    if faults:
        return Decision(faults=faults)
    # Without a fingerprint the record is looked at again in the next run: what is left out is said until it is right.
    fingerprint = None if left_out else pair.fingerprint
    return Decision(Drafted(change, judge(change, pair.facts), fingerprint, pair.secret), left_out)


def _usable(pair: Pair) -> tuple[Fields | None, tuple[Fault, ...]]:
    """Return what is wanted without the optional fields that can't be used, and the faults of these."""
    wanted, known = pair.wanted, pair.known or {}
    if pair.kind not in PEOPLE or wanted is None or not wanted.get("email") or wanted["email"] == known.get("email"):
        return wanted, ()
    values = {name: wanted.get(name) for name in COMPARED[pair.kind]}
    record = RECORD_TYPES[pair.kind](pair.key[0], **values)  # type: ignore[arg-type]
    faults = tuple(late_faults(record, pair.where))
    return ({**wanted, "email": None}, faults) if faults else (wanted, ())


def _faults(change: Change) -> list[Fault]:
    """What only shows (or is only worth the time to check) once the record is known to be new or different."""
    needed = NEEDED.get(change.kind, ()) if change.action is Action.CREATE else ()
    missing = [name for name in needed if not change.after.get(name)]
    found = [
        Fault(change.where, name, f"is blank, but a new {change.kind} needs it", "fill it in", change.kind, change.key)
        for name in missing
    ]
    if change.kind in PEOPLE and not (change.after.get("first_name") or change.after.get("last_name")):
        found.append(
            Fault(change.where, "last_name", "both names are blank", "fill in at least one", change.kind, change.key)
        )
    return found or list(_late(change))


def _late(change: Change) -> Iterator[Fault]:
    after = change.after
    if change.kind is Kind.TEST:
        # here with what is known filled in: a row may move the start and leave the duration blank
        times = {name: utc_time(str(after[name])) for name in ("start", "end") if after.get(name)}
        for field, bad in conflicts({**times, "duration": after.get("duration")}):
            yield Fault(change.where, field, bad.reason, bad.remedy, change.kind, change.key)
