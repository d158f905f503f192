"""One record, explained in plain words, in the order in which a person asks."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from sync.mapping import ConditionTrace, FieldTrace
from sync.records.base import DIGEST_PREFIX, RowError, listed, utc_text
from sync.records.changes import Action, Result, Verdict
from sync.records.fields import FieldValue
from sync.records.kinds import LISTS
from sync.records.rule_numbers import cited
from sync.report.explanation import ExplainedChange, ExplainedRow, Explanation
from sync.report.lines import Line, Tone, heading, section
from sync.report.sample_text import printable
from sync.report.sampled import HIDDEN
from sync.report.wording import key_text, plural
from sync.text.characters import escaped

_VERBS = {
    Verdict.PASS: "Would be done",
    Verdict.WAITING: "Waits",
    Verdict.DEFERRED: "Deferred (clears by itself)",
    Verdict.HELD: "Held for a person to decide",
}


def explain_text(found: Explanation) -> Iterator[Line]:
    """Yield the lines of an explanation."""
    yield heading(f"{found.kind} {key_text(found.key)}")
    yield from (Line(f"Source: {problem}", Tone.ERROR) for problem in found.problems)
    if found.is_unknown:
        yield from _unknown(found)
        return
    yield from section("Source rows that name it", _rows(found))
    yield from section("Row errors", map(_row_error, found.row_errors))
    yield from section("What is known", _known(found))
    yield from section("What `apply` would do now", _outcome(found))
    who = f", {found.found_by}," if found.found_by else ""
    yield from section(f"What the last run{who} found", _findings(found))
    decided = (_line(f"{at}  {text}" if at else text) for at, text in found.decisions)
    yield from section("Decisions, and what is open", decided)
    yield from section("Past calls, newest first", _calls(found))


def _line(text: str, tone: Tone | None = None, indent: int = 2) -> Line:
    line = escaped(text).replace("\n", "\\n")  # not cut: the end of a reason is what to do
    return Line(" " * indent + line, tone)


def _why(text: str, rule: int | None) -> str:
    """Return a reason with the rule behind it."""
    return f"{text} ({cited(rule)})" if rule else text


def _unknown(found: Explanation) -> Iterator[Line]:
    yield _line("No source row names it, and this state does not know it.", Tone.ERROR)
    yield from section("Keys that are nearly this one", map(_line, found.near))
    if not found.near:
        yield _line("No key differs only by upper and lower case, zeros or one character.")
    yield from section("Feeds that were read", map(_line, found.feeds_read))
    if not found.feeds_read:
        yield _line(f"No feed is of kind {found.kind}.")


def _rows(found: Explanation) -> Iterator[Line]:
    if found.asked_by:
        yield _line(f"none now; asked for by {found.asked_by}, or as it was read before")
    elif not found.rows:
        read = ", ".join(found.feeds_read) or f"no feed is of kind {found.kind}"
        yield _line(f"none (read: {read})")
    for row in found.rows:
        yield _line(f"{row.place}, read by feeds[{row.feed}]: {row.outcome}")
        yield from _pairs(row.cells)
        for place, cells in row.joined.items():
            yield _line(f"joined: {place}", indent=4)
            yield from _pairs(cells, indent=6)
        yield from _selection(row)
        yield _line("mapped to", indent=4)
        width = max((len(way.field) for way in row.trace.fields), default=0)
        for way in row.trace.fields:
            tone = Tone.ERROR if way.error else None
            yield _line(f"{way.field:<{width}}  {way_text(way, row)}", tone, indent=6)


def _selection(row: ExplainedRow) -> Iterator[Line]:
    """Yield whether the feed selects the row, and by which conditions."""
    conditions = row.trace.conditions
    if not conditions:
        yield _line("selected: yes, the feed has no conditions", indent=4)
        return
    yield _line(f"selected: {'yes' if row.trace.selected else 'no'}", indent=4)
    yield from (_line(_condition(one), indent=6) for one in conditions)


def _pairs(cells: Mapping[str, object], indent: int = 6) -> Iterator[Line]:
    width = max((len(printable(name)) for name in cells), default=0)
    for name, value in cells.items():
        yield _line(f"{name:<{width}}  {printable(_shown(name, value))}".rstrip(), indent=indent)


def _condition(one: ConditionTrace) -> str:
    """Return a condition in words: `where status: 'gone' is not one of its values`."""
    cell = f"{one.setting} {one.column}: {one.cell!r} is"
    if one.setting == "where_not":
        return f"{cell} {'not ' if one.met else ''}ruled out"
    return f"{cell} {'' if one.met else 'not '}one of its values"


def way_text(way: FieldTrace, row: ExplainedRow) -> str:
    """Return the way of one field, from its value back to its source."""
    hidden = way.field in row.hidden
    source = way.steps[0].what if way.steps else "mapped"
    raw = ", ".join(repr(cell) for cell in way.cells.values())
    text = f"← {source}{f' {HIDDEN if hidden else raw}' if raw else ''}"
    for step in way.steps[1:]:
        text += f" → {step.what}: {HIDDEN if hidden and step.value else step_text(step.value)}"
    if way.error:
        return f"{text}: {way.error}"
    value = way.steps[-1].value if way.steps else None
    shown = "(cleared)" if value == "" else step_text(value)
    return f"{HIDDEN if hidden and value else shown} {text}"


def step_text(value: FieldValue) -> str:
    """Return the value after a step in words."""
    if value is None:
        return "(left alone)"
    if isinstance(value, datetime):
        return utc_text(value)
    return ", ".join(listed(str(value))) or "(blank)"


def _shown(name: str, value: object) -> str:
    if value in (None, ""):
        return "" if value == "" else "(nothing)"
    if str(value).startswith(DIGEST_PREFIX):
        return HIDDEN
    return ", ".join(listed(value)) if name in LISTS else str(value)


def _row_error(error: RowError) -> Line:
    text = f"{error.where}: {error.field}: {error.reason}; {error.remedy}"
    return _line(_why(text, error.rule), Tone.ERROR)


def _known(found: Explanation) -> Iterator[Line]:
    known = found.known
    if known is None:
        yield _line("nothing: this state does not know it")
        return
    managed = "managed (put there by us)" if known.managed else "existing (was there before us)"
    yield _line(f"{known.lifecycle}, {managed}; Inspera's id {known.remote_id or 'unknown'}")
    yield _line(f"{known.origin}; last confirmed {known.updated}; {known.named_by}")
    yield from _pairs(known.fields, indent=4)


def _outcome(found: Explanation) -> Iterator[Line]:
    if found.activation:
        yield from change_lines(found.activation)
    if found.change is None:
        if not found.activation:
            yield _line(_why(f"Nothing: {found.nothing}", found.nothing_rule))
        return
    yield from change_lines(found.change)
    stopped = {one.type for one in found.findings}.intersection({Result.HELD, Result.DEFERRED})
    if found.change.verdict is Verdict.PASS and stopped:
        yield _line("but the last run has not done it, for the reason below", Tone.HELD, indent=4)


def change_lines(planned: ExplainedChange) -> Iterator[Line]:
    """Yield the plan's line about the record: verdict, fields from old to new, and why."""
    change = planned.change
    tone = Tone.HELD if planned.verdict is Verdict.HELD else None
    yield _line(f"{_VERBS[planned.verdict]}: {change.action} {change.kind}", tone)
    for name in change.changed:
        before, after = (_shown(name, side.get(name)) for side in (change.before, change.after))
        old = "" if change.action is Action.CREATE else f"{before or '(nothing)'} → "
        yield _line(f"{name}: {old}{after or '(nothing)'}", indent=4)
    if planned.reason:
        yield _line(_why(f"why: {planned.reason}", planned.rule), tone, indent=4)


def _findings(found: Explanation) -> Sequence[Line]:
    """Return what the last run found and the plan does not repeat."""
    said = {one.reason for one in (found.change, found.activation) if one}
    return [
        _line(_why(f"{one.type}: {one.text}", one.rule))
        for one in found.findings
        if one.text not in said
    ]


def _calls(found: Explanation) -> Iterator[Line]:
    for call in found.calls:
        words = f": {call.message}" if call.message else ""
        who = ", allowed by a person" if call.approved else ""
        text = f"{call.at}  run {call.run} ({call.command}): {call.action}{who}, {call.outcome}"
        yield _line(f"{text}{words}")
    if more := found.call_count - len(found.calls):
        yield _line(f"… and {plural(more, 'call')} before")
