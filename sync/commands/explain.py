"""`explain`: everything about one record, and why it is or is not sent. Sends and stores nothing.

This shows people's data, on purpose; `--redact` masks it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice

from sqlalchemy import Connection

from sync.app import App, Say, now
from sync.commands.earlier import gate_of
from sync.commands.explain_rows import (
    DEPARTS,
    MOST_NEAR,
    RowExplainer,
    WatchedFeed,
    near_keys,
    watch_feeds,
)
from sync.commands.plan import make_store
from sync.engine.candidate_numbers import defer_as_before
from sync.engine.plan import KEEP, PlanResult, Policy, plan_status
from sync.engine.run import plan_only
from sync.errors import UsageError
from sync.exit_codes import Exit, worst
from sync.planning.nothing import RowState, Standing, why_nothing
from sync.progress import Progress
from sync.records.base import Key, Kind, RowError
from sync.records.changes import REMOVALS, Action, PlannedChange, line_key
from sync.records.kinds import KEY_FIELDS
from sync.records.rule_numbers import SafetyRule, rule_of
from sync.report.explain_json import explain_document
from sync.report.explain_text import explain_text
from sync.report.explanation import (
    ExplainedCall,
    ExplainedChange,
    ExplainedRecord,
    ExplainedRow,
    Explanation,
    PastRunFinding,
)
from sync.report.redaction import REDACTED, Redaction, personal_values
from sync.report.wording import key_text
from sync.state.record_history import (
    KnownRecord,
    PastCall,
    RecordHistory,
    read_history,
    read_keys,
    read_surroundings,
)
from sync.state.store import Store
from sync.text.masking import masked

_ALONE = (Kind.LEARNER, Kind.STAFF, Kind.TEST)
"""Kinds that a key names by itself, without the kind before it."""


@dataclass(frozen=True, slots=True)
class ExplainOptions:
    """What the explain command was asked for: the kind and the key, or a key alone."""

    record: tuple[str, ...]
    as_json: bool = False
    redact: bool = False


def explain(app: App, options: ExplainOptions, say: Say, progress: Progress) -> Exit:
    """Explain one record. Makes no call, leaves the state unchanged.

    Raises:
        UsageError: the kind or the key is not valid, or the key alone names several records.
    """
    asked = _asked(options.record)
    app.prepare()
    with app.state.open_to_read() as connection:
        store = make_store(app, connection)
        watched = {kind: watch_feeds(app.feeds, kind, key) for kind, key in asked}
        numbered = {one.number: one.feed for each in watched.values() for one in each}
        feeds = [numbered.get(number, feed) for number, feed in enumerate(app.feeds, start=1)]
        decided = app.state.read_decided(connection, now())
        policy = replace(app.policy(), gate=gate_of(app, make_store), decided=decided)
        planning = plan_only(feeds, store, policy, now(), progress)
        defer_as_before(store)
        explainer = _Explainer(app, connection, store, policy, planning)
        explained = _chosen([explainer.explain(kind, key, watched[kind]) for kind, key in asked])
        status = plan_status(store, planning)
        personal = personal_values(explained, explainer.person_fields(explained[0]))
    redaction = Redaction(personal if options.redact else frozenset(), active=options.redact)
    _show(explained, redaction, options, say)
    unknown = all(one.is_unknown for one in explained)
    return worst(source=status is Exit.SOURCE, row_errors=unknown)


def _asked(words: Sequence[str]) -> list[tuple[Kind, Key]]:
    """Return the record that the words name, or for a key alone each that they may name."""
    if len(words) == 1 and words[0] not in list(Kind):
        return [(kind, (words[0],)) for kind in _ALONE]
    kind, *key = words
    if kind not in list(Kind):
        raise UsageError(
            f"explain: {kind!r} is not a kind of record; use {', '.join(Kind)}, or a key alone"
        )
    names = KEY_FIELDS[Kind(kind)]
    if len(key) != len(names):
        raise UsageError(
            f"explain: a {kind} is named by {len(names)} key{'s' * (len(names) > 1)}: explain "
            f"{kind} {' '.join(names).upper()}"
        )
    return [(Kind(kind), tuple(key))]


def _chosen(explained: list[Explanation]) -> list[Explanation]:
    """Return the one that exists; all of them when none does.

    Raises:
        UsageError: several do.
    """
    there = [one for one in explained if not one.is_unknown]
    if len(there) > 1:
        kinds = " or ".join(f"`explain {one.kind} {' '.join(one.key)}`" for one in there)
        raise UsageError(f"explain: several records have the key {there[0].key[0]!r}: use {kinds}")
    return there or [one for one in explained if one.feeds_read] or explained


def _show(
    explained: Sequence[Explanation], redaction: Redaction, options: ExplainOptions, say: Say
) -> None:
    if options.as_json:
        documents = [redaction.of_values(explain_document(one)) for one in explained]
        shown = {"redacted": options.redact, "records": documents}
        say(masked(json.dumps(shown, ensure_ascii=False, indent=1)))
        return
    if options.redact:
        say(REDACTED)
    for line in chain.from_iterable(map(explain_text, explained)):
        say(line.rewritten(lambda text: masked(redaction(text))))


@dataclass(frozen=True, slots=True)
class _Explainer:
    """A finished plan, its state, and the configuration, from which records are explained."""

    app: App
    connection: Connection
    store: Store
    policy: Policy
    planning: PlanResult

    def explain(self, kind: Kind, key: Key, watched: Sequence[WatchedFeed]) -> Explanation:
        """Return everything about one record."""
        tracer = RowExplainer(self.app, self.store, self.planning.extracted)
        rows = [row for one in watched for row in tracer.rows(one)]
        history = read_history(self.connection, kind, key)
        line = self.store.plan.find(kind, key)
        errors = [one for one in self.store.staging.row_errors() if _concerns(one, kind, key, rows)]
        nothing, rule = ("", None) if line else self._why_nothing(kind, key, rows, errors, history)
        near = self._near(tracer, watched, kind, key) if not (rows or history.known) else []
        asked_by = self.store.staging.wanted_where(kind, key)
        return Explanation(
            kind=kind,
            key=key,
            rows=rows,
            asked_by=asked_by if asked_by and not rows else "",
            row_errors=errors,
            known=None if history.known is None else _known(history, history.known),
            change=_change(line),
            activation=_change(self._activation(kind, key)),
            nothing=nothing,
            nothing_rule=rule,
            findings=[PastRunFinding(one.type, one.text, one.rule) for one in history.findings],
            found_by="run {} ({})".format(*history.found_by) if history.found_by else "",
            decisions=[(one.at, one.text) for one in history.decisions],
            calls=[_call(one) for one in history.calls],
            call_count=history.call_count,
            near=near,
            feeds_read=[f"feeds[{one.number}] {one.original.place}" for one in watched],
            problems=self.planning.extracted.unhealthy,
        )

    def _activation(self, kind: Kind, key: Key) -> PlannedChange | None:
        if kind is not Kind.TEST:
            return None
        return self.store.plan.find(kind, line_key(Action.ACTIVATE, key))

    def _near(
        self, tracer: RowExplainer, watched: Sequence[WatchedFeed], kind: Kind, key: Key
    ) -> list[str]:
        """Return keys that are nearly this one, each with its row, or where else it is."""
        near = {other: place for one in watched for other, place in tracer.near(one).items()}
        known = (other for other in read_keys(self.connection, kind) if near_keys(key, other))
        for other in islice(known, MOST_NEAR):
            near.setdefault(other, "in the state or in a source")
        return [f"{key_text(other)} ({place})" for other, place in sorted(near.items())][:MOST_NEAR]

    def _why_nothing(
        self,
        kind: Kind,
        key: Key,
        rows: Sequence[ExplainedRow],
        errors: Sequence[RowError],
        history: RecordHistory,
    ) -> tuple[str, int | None]:
        around = read_surroundings(self.connection, kind, key)
        mine = [one for one in errors if not one.left_out]
        wanted = self.store.staging.wanted(kind, key) is not None
        state = RowState.MISSING
        if wanted:
            state = RowState.WANTED
        elif any(one.key == key or one.where in _places(rows) for one in mine):
            state = RowState.ROW_ERROR
        elif rows:
            departs = any(row.outcome == DEPARTS for row in rows)
            state = RowState.DEPARTED if departs else RowState.NOT_SELECTED
        known = history.known
        return why_nothing(
            Standing(
                kind=kind,
                row=state,
                lifecycle=known.lifecycle if known else None,
                managed=known.managed if known else True,
                has_feed=kind in self.planning.extracted.kinds or wanted,
                unsent=around.unsent,
                retired=around.retired,
                kept=self.policy.on_absence.get(kind) == KEEP,
                named_by=around.named_by,
                row_error_rule=mine[0].rule if mine else None,
            )
        )

    def person_fields(self, explained: Explanation) -> list[dict[str, object]]:
        """Return what is known and wanted of the people in the key, for `--redact`."""
        found: list[dict[str, object]] = []
        for kind in (Kind.LEARNER, Kind.STAFF):
            for part in explained.key:
                for fields in (
                    self.store.known.find(kind, (part,)),
                    self.store.staging.wanted(kind, (part,)),
                ):
                    found.append(dict(fields or {}))
        return found


def _places(rows: Sequence[ExplainedRow]) -> set[str]:
    return {place for row in rows for place in (row.place, row.numbered_place)}


def _concerns(error: RowError, kind: Kind, key: Key, rows: Sequence[ExplainedRow]) -> bool:
    """Tell whether a row error is about this record, or about its test as a whole."""
    if error.kind is not kind:
        return False
    if error.key == key or error.where in _places(rows):
        return True
    # A row that names somebody unknown may mean anyone that no row names (rules 30)
    partly = error.key is not None and "" in error.key and len(key) > 1 and not rows
    return partly and all(part in ("", own) for part, own in zip(error.key or (), key, strict=True))


def _known(history: RecordHistory, known: KnownRecord) -> ExplainedRecord:
    created = history.created
    if created:
        put = "put there" if created.outcome == "done" else "found there"
        origin = f"{put} by run {created.run} ({created.command}) at {created.at}"
    elif known.managed:
        origin = "no run of this state created it: it was taken in as ours"
    else:
        origin = "taken in as Inspera has it"
    named = {None: "its source was never stored", "": "no source names it any more"}
    return ExplainedRecord(
        known.fields,
        known.lifecycle,
        known.managed,
        known.remote_id,
        origin,
        named.get(known.source, f"last named by the source {known.source}"),
        known.updated,
    )


def _change(line: PlannedChange | None) -> ExplainedChange | None:
    if line is None:
        return None
    change, rule = line.change, rule_of(line.cause, line.change.kind)
    if rule is None and change.action in REMOVALS:
        rule = SafetyRule.ABSENCE  # by which it counts as gone
    return ExplainedChange(change, line.verdict, line.reason or change.reason, rule)


def _call(call: PastCall) -> ExplainedCall:
    return ExplainedCall(
        call.at,
        call.run,
        call.command,
        call.action,
        call.outcome or "outcome not known yet",
        call.message,
        call.approved,
    )
