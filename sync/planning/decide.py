"""One pair, decided: `diff` says what it means, `guard` whether it may go ahead. Pure."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace

from sync.planning.decided import NOTHING_DECIDED, DecidedChange, DecidedChanges
from sync.planning.diff import Context, diff
from sync.planning.freeze import adding_part, digest_of
from sync.planning.guard import PASS, Facts, Ruling, judge
from sync.planning.remedies import allow
from sync.records.base import Key, Kind, RowError, utc_time
from sync.records.changes import ADDITIONS, Action, Cause, Change, Fields, Verdict
from sync.records.checks import email_errors, time_conflicts
from sync.records.kinds import COMPARED, PEOPLE, PERSON_OF, RECORD_CLASSES
from sync.records.rule_numbers import rule_of_field


@dataclass(frozen=True, slots=True)
class Pair:
    """One record's two sides, with all that is needed to decide about it.

    `feed` is the number of the feed whose row is wanted. `follows` are the fields that are taken
    away in Inspera when that row has no value any more.
    """

    kind: Kind
    key: Key
    wanted: Fields | None
    known: Fields | None
    about: Context
    facts: Facts
    where: str = ""
    fingerprint: bytes | None = None
    secret: str | None = field(default=None, repr=False)
    feed: int | None = None
    follows: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class DraftedChange:
    """A change with the guard's ruling, and what only its sending needs.

    `allowed` is the hash by which a person has let it pass; empty when nobody had to. `decided` is
    its hash when a person has decided about it, whatever the ruling is; else empty.
    """

    change: Change
    ruling: Ruling
    fingerprint: bytes | None = None
    secret: str | None = field(default=None, repr=False)
    allowed: str = ""
    decided: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What is drafted for a pair, or the row errors that prevent it.

    Next to a draft, the row errors are of fields that stay as they are.

    `settled` says that the two sides agree although their fingerprints do not, so that the known
    one can be renewed. `stays` says that no source names the record any more, and that it is not
    removed since it was not put there by us.
    """

    drafted: DraftedChange | None = None
    row_errors: tuple[RowError, ...] = ()
    settled: bool = False
    stays: bool = False


_OF_A_PERSON = ("username", "external_id", "auth_system")
NEEDED = {
    Kind.LEARNER: _OF_A_PERSON,
    Kind.STAFF: _OF_A_PERSON,
    Kind.TEST: ("external_test_id", "title", "start", "end", "duration"),
    Kind.CONTRIBUTOR: ("roles",),
}
"""Fields without which a record can't be made (vendor contract, Users API and Test API)."""


def decide(
    pair: Pair, allowed: Collection[str] = (), decided: DecidedChanges = NOTHING_DECIDED
) -> Decision:
    """Return the change that this pair calls for, with the guard's ruling on it.

    Args:
        pair: the two sides of a record.
        allowed: the hashes that a person gave: they let exactly those changes pass.
        decided: what people have decided about single changes before.
    """
    wanted, left_out = _usable(pair)
    wanted, sure = _without_lost(pair, wanted)
    change = diff(pair.kind, pair.key, wanted, pair.known, pair.about, pair.where)
    if change is None:
        settled = wanted is not None and not left_out and sure
        return Decision(row_errors=left_out, settled=settled, stays=_stays(pair))
    row_errors = tuple(_row_errors(change)) if change.action in ADDITIONS else ()
    if row_errors:
        return Decision(row_errors=row_errors)
    if left_out or not sure:
        # Without a fingerprint it is decided again in the next run, so that the row error is
        # reported until it is fixed.
        pair = replace(pair, fingerprint=None)
    decision = decided.find(change)
    if decision is None:
        return Decision(_drafted(change, pair, allowed), left_out)
    doubt = pair.facts.trouble
    if decision.approved and doubt and doubt.needs_person:
        # A person has said of exactly this record that its absence is right. All else still holds.
        pair = replace(pair, facts=replace(pair.facts, trouble=None))
    # Nobody was asked about the freeze: it may have begun since.
    asked = decision.approved and judge(change, pair.facts).cause not in (Cause.FREEZE, Cause.ENDED)
    drafted = _drafted(change, pair, (decision.digest,) if asked else allowed)
    if drafted.change is change and (ruling := _not_decided_for(decision, drafted)):
        drafted = DraftedChange(change, ruling, pair.fingerprint, pair.secret)
    return Decision(replace(drafted, decided=decision.digest), left_out)


def _not_decided_for(decision: DecidedChange, drafted: DraftedChange) -> Ruling | None:
    """Return the ruling on what a person has rejected or left open; None if it stays as it is."""
    verdict = drafted.ruling.verdict
    # Also what is deferred: its group has a hash that would send it.
    if decision.rejected and (verdict in (Verdict.PASS, Verdict.HELD) or drafted.ruling.allowable):
        return Ruling(Verdict.DEFERRED, decision.reason, Cause.REJECTED)
    # Alone it may be within the limit by now, and would be sent though nobody has decided that.
    if not decision.approved and verdict is Verdict.PASS and not drafted.allowed:
        return Ruling(Verdict.HELD, decision.reason, Cause.LIMIT)
    return None


def _drafted(change: Change, pair: Pair, allowed: Collection[str]) -> DraftedChange:
    ruling = judge(change, pair.facts)
    digest = digest_of(change) if ruling.allowable or allowed else ""
    # Some are only held once Inspera has been read
    if digest in allowed and (ruling.allowable or ruling == PASS):
        return DraftedChange(change, PASS, pair.fingerprint, pair.secret, digest)
    if not ruling.allowable:
        return DraftedChange(change, ruling, pair.fingerprint, pair.secret)
    part = (
        adding_part(change)
        if ruling.cause in (Cause.FREEZE, Cause.ZEROS) and change.action is Action.UPDATE
        else None
    )
    if part:  # without a fingerprint, so that the next run decides about the rest
        return DraftedChange(part, judge(part, pair.facts), None, pair.secret)
    if ruling.cause is Cause.GRACE:  # the group of its kind names one hash for all
        return DraftedChange(change, ruling, pair.fingerprint, pair.secret)
    way_out = "if that is right" if ruling.verdict is Verdict.HELD else "to send it now"
    if ruling.cause is Cause.UNDONE:
        way_out = "if it should be sent again"
    reason = f"{ruling.reason}; {way_out}: {allow(digest)}"
    return DraftedChange(change, replace(ruling, reason=reason), pair.fingerprint, pair.secret)


def _stays(pair: Pair) -> bool:
    """Tell whether somebody has left the source, and would be removed if they were managed."""
    about = pair.about
    gone = (
        pair.wanted is None
        and pair.known is not None
        and pair.kind in _PEOPLES
        and not pair.facts.trouble
    )
    return (
        gone
        and not about.managed
        and about.lifecycle == "active"
        and not (about.ended or about.covered)
    )


_PEOPLES = (Kind.STAFF, *PERSON_OF)
"""The kinds that say of a person what they may do: staff, contributors, candidates."""


def _usable(pair: Pair) -> tuple[Fields | None, tuple[RowError, ...]]:
    """Return what is wanted without unusable optional fields, and their row errors."""
    wanted, known = pair.wanted, pair.known or {}
    if (
        pair.kind not in PEOPLE
        or wanted is None
        or not wanted.get("email")
        or wanted["email"] == known.get("email")
    ):
        return wanted, ()
    values = {name: wanted.get(name) for name in COMPARED[pair.kind]}
    record = RECORD_CLASSES[pair.kind](pair.key[0], **values)  # type: ignore[arg-type]
    row_errors = tuple(email_errors(record, pair.where))
    return ({**wanted, "email": None}, row_errors) if row_errors else (wanted, ())


def _without_lost(pair: Pair, wanted: Fields | None) -> tuple[Fields | None, bool]:
    """Return what is wanted, with an empty text for what the rows have lost of what we had put.

    And whether that is sure: while a feed or a row is in doubt, everything stays as it is (rules 5
    and 12). Nobody else could have put a room on a test that was made by this interface, so a blank
    takes away nobody's work.
    """
    if wanted is None or pair.known is None or not pair.about.managed:
        return wanted, True
    lost = [name for name in pair.follows if wanted.get(name) is None and pair.known.get(name)]
    if not lost or pair.facts.trouble:
        return wanted, not lost
    return {**wanted, **dict.fromkeys(lost, "")}, True


def _row_errors(change: Change) -> list[RowError]:
    """Return what only shows once the record is known to be new or different."""
    needed = NEEDED.get(change.kind, ()) if change.action is Action.CREATE else ()
    missing = [name for name in needed if not change.after.get(name)]
    found = [
        RowError(
            change.where,
            name,
            f"is blank, but a new {change.kind} needs it",
            "fill it in",
            change.kind,
            change.key,
        )
        for name in missing
    ]
    if change.kind in PEOPLE and not (
        change.after.get("first_name") or change.after.get("last_name")
    ):
        found.append(
            RowError(
                change.where,
                "last_name",
                "both names are blank",
                "fill in at least one",
                change.kind,
                change.key,
            )
        )
    return found or list(_late(change))


def _late(change: Change) -> Iterator[RowError]:
    after = change.after
    if change.kind is Kind.TEST:
        # Here with what is known filled in: a row may move the start and leave the duration blank
        times = {name: utc_time(str(after[name])) for name in ("start", "end") if after.get(name)}
        for bad in time_conflicts({**times, "duration": after.get("duration")}):
            yield RowError(
                change.where,
                bad.field,
                bad.reason,
                bad.remedy,
                change.kind,
                change.key,
                rule=rule_of_field(bad.field),
            )
