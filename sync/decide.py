"""One pair, decided: `diff` says what it means, `guard` whether it may go ahead. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from sync.diff import Circumstances, diff
from sync.guard import Facts, Ruling, judge
from sync.mapping import conflicts, late_faults
from sync.model import COMPARED, Fault, Key, Kind, Learner, utc_time
from sync.plan import Action, Change, Fields


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
    password: str | None = None


@dataclass(frozen=True, slots=True)
class Drafted:
    """A change with the guard's ruling, and what only its sending needs."""

    change: Change
    ruling: Ruling
    fingerprint: bytes | None = None
    password: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be drafted for a pair, or the faults that keep its record as it is.

    `settled` says that the two sides agree although their fingerprints do not, so that the known one can be renewed.
    """

    drafted: Drafted | None = None
    faults: tuple[Fault, ...] = ()
    settled: bool = False


NEEDED = {
    Kind.LEARNER: ("username", "external_id", "auth_system"),
    Kind.TEST: ("external_test_id", "title", "start", "end", "duration"),
    Kind.CANDIDATE: (),
}
"""Fields without which a record can't be made (vendor contract, Users API and Test API)."""


def decide(pair: Pair) -> Decision:
    """The change that this pair calls for, with the guard's ruling on it."""
    change = diff(pair.kind, pair.key, pair.wanted, pair.known, pair.about, pair.where)
    if change is None:
        return Decision(settled=pair.wanted is not None)
    faults = tuple(_faults(change)) if change.action in (Action.CREATE, Action.UPDATE) else ()
    if faults:
        return Decision(faults=faults)
    return Decision(Drafted(change, judge(change, pair.facts), pair.fingerprint, pair.password))


def _faults(change: Change) -> list[Fault]:
    """What only shows (or is only worth the time to check) once the record is known to be new or different."""
    missing = [name for name in NEEDED[change.kind] if change.action is Action.CREATE and not change.after.get(name)]
    found = [
        Fault(change.where, name, f"is blank, but a new {change.kind} needs it", "fill it in", change.kind, change.key)
        for name in missing
    ]
    if change.kind is Kind.LEARNER and not (change.after.get("first_name") or change.after.get("last_name")):
        found.append(
            Fault(change.where, "last_name", "both names are blank", "fill in at least one", change.kind, change.key)
        )
    return found or list(_late(change))


def _late(change: Change) -> Iterator[Fault]:
    after = change.after
    if change.kind is Kind.LEARNER:
        values = {name: None if after.get(name) is None else str(after[name]) for name in COMPARED[Kind.LEARNER]}
        yield from late_faults(Learner(change.key[0], **values), change.where)
    if change.kind is Kind.TEST:
        # here with what is known filled in: a row may move the start and leave the duration blank
        times = {name: utc_time(str(after[name])) for name in ("start", "end") if after.get(name)}
        for field, bad in conflicts({**times, "duration": after.get("duration")}):
            yield Fault(change.where, field, bad.reason, bad.remedy, change.kind, change.key)
