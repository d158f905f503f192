"""The sections of reports on a plan, a run and what is held, read while they are written."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import islice

from sqlalchemy import Connection

from sync.engine.plan import PlanResult
from sync.planning.decided import DecidedChange
from sync.planning.freeze import digest_of
from sync.planning.guard import may_be_approved
from sync.planning.reasons import general_reason
from sync.records.base import Kind
from sync.records.changes import Cause, PlannedChange, Verdict
from sync.records.kinds import ON_A_TEST, PEOPLE, PERSON_OF
from sync.report.explanations import explanation_of
from sync.report.plan_text import CHECKED_AT_APPLY
from sync.report.report_items import change_item, row_error_item, split_reason
from sync.report.report_model import Group, Item, NamedTest, Section, SectionName
from sync.state import decisions, holds, past_changes
from sync.state.history import read_findings
from sync.state.holds import Hold
from sync.state.named_records import find_names, find_test
from sync.state.store import Store

_AT_ONCE = 500
_FIRST_KINDS = (Kind.TEST, Kind.CANDIDATE)
KINDS = (*_FIRST_KINDS, *(kind for kind in Kind if kind not in _FIRST_KINDS))
"""The kinds in the order in which people look for them."""

PLURALS = {kind: f"{kind.capitalize()}{'' if kind is Kind.STAFF else 's'}" for kind in Kind}
_TITLES = {
    SectionName.HELD: ("Held", "A person must decide. Nothing of this is sent until then."),
    SectionName.ERRORS: (
        "Errors",
        "These rows can't be used. What is known about their records stays as it is.",
    ),
    SectionName.WAITING: ("Waiting", "This follows by itself once something else is in Inspera."),
    SectionName.DEFERRED: ("Deferred", "This is not sent now. Each cause says what clears it."),
    SectionName.CHANGES: ("Changes", f"The next run sends this. {CHECKED_AT_APPLY}"),
}


@dataclass(frozen=True)
class Names:
    """The names of tests and people, wanted ones before known ones."""

    connection: Connection
    _test: Callable[[str], NamedTest] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_test", lru_cache(maxsize=4096)(self._find_test))

    def _find_test(self, key: str) -> NamedTest:
        found = find_test(self.connection, key)
        return NamedTest(key, *found) if found else NamedTest(key)

    def add(self, items: Iterable[Item]) -> Iterator[Item]:
        """Yield the items with the names of their tests and people."""
        rest = iter(items)
        while some := list(islice(rest, _AT_ONCE)):
            names = {kind: self._people(kind, some) for kind in PEOPLE}
            for item in some:
                who = _person_of(item)
                test = self._test(item.key[0]) if item.key and _has_test(item) else None
                yield replace(item, test=test, person=names[who[0]].get(who[1]) if who else None)

    def _people(self, kind: Kind, items: Sequence[Item]) -> Mapping[str, str]:
        keys = {who[1] for item in items if (who := _person_of(item)) and who[0] is kind}
        return find_names(self.connection, kind, keys)


def _has_test(item: Item) -> bool:
    return bool(item.key and item.key[0]) and (item.kind is Kind.TEST or item.kind in ON_A_TEST)


def _person_of(item: Item) -> tuple[Kind, str] | None:
    """Return the kind and the key of the person that an item is about."""
    if item.key and item.kind in PEOPLE:
        return item.kind, item.key[0]
    if item.key and item.kind in PERSON_OF and len(item.key) > 1:
        return PERSON_OF[item.kind], item.key[1]
    return None


def _section(name: SectionName, total: int, groups: Iterable[Group], about: str = "") -> Section:
    title, usual = _TITLES[name]
    return Section(name=name, title=title, about=about or usual, total=total, groups=groups)


def plan_totals(store: Store) -> dict[SectionName, int]:
    """Return how many items each section of a plan has."""
    verdicts: Counter[Verdict] = Counter()
    for (_, _, verdict), number in store.plan.tally().items():
        verdicts[verdict] += number
    return {
        SectionName.HELD: verdicts[Verdict.HELD],
        SectionName.ERRORS: store.staging.row_error_count(),
        SectionName.WAITING: verdicts[Verdict.WAITING],
        SectionName.DEFERRED: verdicts[Verdict.DEFERRED],
        SectionName.CHANGES: verdicts[Verdict.PASS],
    }


def plan_sections(store: Store, planning: PlanResult, names: Names) -> Iterator[Section]:
    """Yield the sections of a plan."""
    for name, total in plan_totals(store).items():
        groups = {
            SectionName.ERRORS: _row_errors(store, names, total),
            SectionName.CHANGES: _passing(store, names),
        }
        verdict = Verdict(name) if name not in groups else None
        yield _section(
            name, total, groups[name] if not verdict else _stopped(store, planning, names, verdict)
        )


def _row_errors(store: Store, names: Names, total: int) -> Iterator[Group]:
    items = names.add(map(row_error_item, store.staging.row_errors()))
    if total:
        yield Group(cause="row error", title="Rows in error", total=total, items=items)


def _passing(store: Store, names: Names) -> Iterator[Group]:
    totals = Counter[Kind]()
    for (kind, _, verdict), number in store.plan.tally().items():
        totals[kind] += number if verdict is Verdict.PASS else 0
    for kind in (kind for kind in KINDS if totals[kind]):
        items = (
            change_item(line.change, line.verdict, note=line.change.reason)
            for line in store.plan.read_passing(kind)
        )
        title = PLURALS[kind]
        yield Group(cause=kind, title=title, total=totals[kind], items=names.add(items))


def _stopped(store: Store, planning: PlanResult, names: Names, verdict: Verdict) -> Iterator[Group]:
    """Yield what does not go ahead by cause: the largest last, as people read the others too."""
    causes = [(cause, n) for (of, cause), n in store.plan.causes().items() if of is verdict]
    for cause, total in sorted(causes, key=lambda one: (one[1], one[0])):
        # Outside the pilot group may be a whole university: their number is enough.
        outside = cause is Cause.PILOT
        stopped = () if outside else store.plan.read_stopped(verdict, cause)
        items = (
            change_item(line.change, verdict, line.reason, shared=shared, digest=_digest(line))
            for shared, line in stopped
        )
        notes = [
            f"{scope.scope.name}: {scope.excess}; {scope.remedy}"
            for scope in planning.shown_scopes
            if scope.cause is cause and not scope.allowed
        ]
        yield _cause_group(cause, total, names.add(items), notes)


def _digest(line: PlannedChange) -> str | None:
    """Return the hash of a change that a person may allow: it is held, or its reason names it."""
    if line.verdict is Verdict.WAITING:
        return None
    digest = digest_of(line.change)
    return digest if line.verdict is Verdict.HELD or digest in line.reason else None


def _cause_group(
    cause: Cause | str, total: int, items: Iterable[Item], notes: Sequence[str] = ()
) -> Group:
    title, text, rule = explanation_of(cause)
    return Group(
        cause=cause,
        title=title,
        explanation=text,
        rule=rule,
        total=total,
        items=items,
        notes=notes,
    )


def run_totals(connection: Connection, run_id: int) -> dict[SectionName, int]:
    """Return how many items each section of a past run has."""
    found = Counter(dict.fromkeys(SectionName, 0))
    for (type_, _), number in past_changes.count_findings(connection, run_id).items():
        found[_section_of(type_)] += number
    found[SectionName.CHANGES] += sum(past_changes.count_done(connection, run_id).values())
    return {name: found[name] for name in SectionName}


def _section_of(finding: str) -> SectionName:
    if finding == "note":
        return SectionName.CHANGES
    if finding == "not needed":
        return SectionName.DEFERRED
    known = {SectionName.HELD, SectionName.WAITING, SectionName.DEFERRED}
    return SectionName(finding) if finding in known else SectionName.ERRORS


def run_sections(connection: Connection, run_id: int, names: Names) -> Iterator[Section]:
    """Yield the sections of a past run."""
    found = Counter[str]()
    for (type_, _), number in past_changes.count_findings(connection, run_id).items():
        found[type_] += number
    for name, total in run_totals(connection, run_id).items():
        groups = [
            Group(
                cause=type_,
                title=_FINDINGS.get(type_, type_.capitalize()),
                total=number,
                items=names.add(_findings(connection, run_id, type_)),
            )
            for type_, number in found.items()
            if _section_of(type_) is name
        ]
        if name is SectionName.CHANGES:
            groups = [*_done(connection, run_id, names), *groups]
        yield _section(name, total, groups, _ABOUT_RUNS.get(name, ""))


_FINDINGS = {
    "row error": "Rows in error",
    "refused": "Refused by Inspera",
    "unknown": "Sent, but without an answer",
    "no updates": "Inspera takes no updates of people",
    "export": "An export of people that was not believed",
    "not sent": "Not sent",
    "not needed": "Not needed after all",
    "drift": "Not in Inspera as it was sent",
    "held": "What this run held",
    "waiting": "What was waiting",
    "deferred": "What was deferred",
    "note": "Sent, with a note",
}
_ABOUT_RUNS = {
    SectionName.ERRORS: "Rows that could not be used, and changes that failed.",
    SectionName.CHANGES: "This was sent, and Inspera has it.",
}


def _findings(connection: Connection, run_id: int, type_: str) -> Iterator[Item]:
    for found in read_findings(connection, run_id, type_):
        shared = general_reason(found.kind, found.key, found.text) if found.key else found.text
        # A row error has its remedy in its own words, not in those of a command.
        own = _section_of(type_) is SectionName.ERRORS
        reason, remedy = (found.text, "") if own else split_reason(shared)
        yield Item(
            kind=found.kind,
            key=found.key,
            result=type_,
            place=found.place,
            reason=reason,
            remedy=remedy,
        )


def _done(connection: Connection, run_id: int, names: Names) -> Iterator[Group]:
    totals = Counter[Kind]()
    for (kind, _), number in past_changes.count_done(connection, run_id).items():
        totals[kind] += number
    for kind in (kind for kind in KINDS if totals[kind]):
        items = (
            change_item(change, "done", note=message)
            for change, message in past_changes.read_done(connection, run_id, kind)
        )
        yield Group(cause=kind, title=PLURALS[kind], total=totals[kind], items=names.add(items))


def held_sections(connection: Connection, found: Sequence[Hold], names: Names) -> Iterator[Section]:
    """Yield the section of what is held and not rejected."""
    decided = {one.digest: one for one in decisions.read(connection)}
    groups = (_hold_group(connection, hold, names, decided) for hold in found)
    yield _section(SectionName.HELD, sum(map(hold_total, found)), groups)


def hold_total(hold: Hold) -> int:
    """Return how many changes of a hold are to be decided."""
    return sum(hold.sizes.values())


def _hold_group(
    connection: Connection, hold: Hold, names: Names, decided: Mapping[str, DecidedChange]
) -> Group:
    items = (
        change_item(
            held.change,
            "held",
            held.reason,
            digest=held.digest,
            note=_decision_text(decided.get(held.digest)),
        )
        for held in holds.read_changes(connection, hold.id)
        if held.digest not in decided or not decided[held.digest].rejected
    )
    notes = [": ".join(filter(None, [hold.name, hold.reason]))]
    if may_be_approved(hold.cause):
        notes.append(f"To decide: approve {hold.id} --why TEXT, or reject {hold.id} --why TEXT.")
    notes.append(f"Held since {hold.since}.")
    return _cause_group(hold.cause, hold_total(hold), names.add(items), notes)


def _decision_text(decided: DecidedChange | None) -> str:
    """Return what was decided and why, but not who did."""
    if decided is None:
        return ""
    until = f" until {decided.expires}" if decided.expires else ""
    return f"{decided.verdict}{until}: {decided.why}"
