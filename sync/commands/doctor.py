"""`doctor`: the calls that a configuration needs, how sure each is, and checks of all around it."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sync.app import App, Say
from sync.commands.doctor_checks import Check, CheckVerdict, checks
from sync.commands.doctor_probe import probe
from sync.commands.needed_calls import NeededCall, used_calls
from sync.config.model import Settings
from sync.errors import UsageError
from sync.exit_codes import Exit
from sync.inspera.schema_check import (
    Assumption,
    ComparedCall,
    Match,
    Schema,
    SchemaError,
    SchemaFinding,
    Settled,
    compare,
    settle,
)
from sync.report.verdict import verdict_text
from sync.report.wording import plural
from sync.text.masking import masked

MOST_BYTES: Final = 32 * 1024 * 1024
"""The largest schema that is read; a tenant's own is far smaller."""

_FIRST: Final = (Exit.USAGE, Exit.INSPERA, Exit.SOURCE, Exit.HELD, Exit.ERRORS)
"""Exit statuses, of which the first that applies is given."""


@dataclass(frozen=True, slots=True)
class DoctorOptions:
    """What the doctor command was asked for.

    Attributes:
        apidoc: the file with the tenant's own schema.
        probe: the file to be written with the forms of Inspera's answers.
    """

    apidoc: Path | None = None
    offline: bool = False
    as_json: bool = False
    probe: Path | None = None


def doctor(app: App, options: DoctorOptions, say: Say) -> Exit:
    """Run all checks and say what to do. Change nothing, neither in Inspera nor in the state.

    Raises:
        UsageError: the file with the schema can't be used, or the one of the probe can't be
            written.
    """
    if options.probe:
        if options.apidoc or options.offline or options.as_json:
            raise UsageError("--probe FILE: takes no other option of doctor; name it alone")
        return probe(app, options.probe, say)
    settings = app.loaded.settings
    used = used_calls(settings)
    compared = None if options.apidoc is None else _compare(options.apidoc, used, settings)
    results = [] if options.apidoc else list(checks(app, offline=options.offline))
    status = _status(results, compared)
    if options.as_json:
        say(
            masked(
                json.dumps(_document(used, compared, results, status), ensure_ascii=False, indent=1)
            )
        )
        return status
    _say_calls(used, say)
    found = (
        _say_checks(results, say)
        if compared is None
        else _say_compared(compared, str(options.apidoc), say)
    )
    say(verdict_text("Doctor", found, status))
    return status


def _schema(path: Path) -> Schema:
    """Return the tenant's own schema, from the file in which it was saved."""
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a file name"
        raise UsageError(
            f"{path}: can't be read ({reason}); save the tenant's schema there"
        ) from None
    if len(raw) > MOST_BYTES:
        raise UsageError(
            f"{path}: is above {MOST_BYTES // 1024**2} MB; save only the tenant's schema there"
        )
    remedy = "save the JSON that your tenant shows under /apidoc"
    try:
        return Schema(json.loads(raw))
    except SchemaError as error:
        raise UsageError(f"{path}: {error}; {remedy}") from None
    except (ValueError, RecursionError):
        raise UsageError(f"{path}: is not JSON; {remedy}") from None


@dataclass(frozen=True, slots=True)
class SchemaReport:
    """What a tenant's own schema says of each call that is used, and of what is assumed of it."""

    calls: Sequence[tuple[NeededCall, ComparedCall]]
    assumptions: Sequence[tuple[Assumption, SchemaFinding]]

    @property
    def sound(self) -> bool:
        """Tell whether all calls that the configuration needs work as they are sent."""
        needed = {call.call.name for call, _ in self.calls if call.needed}
        return not (
            any(call.needed and answer.match is not Match.PRESENT for call, answer in self.calls)
            or any(
                assumption.essential
                and assumption.call.name in needed
                and finding.settled is Settled.DIFFERENT
                for assumption, finding in self.assumptions
            )
        )


def _compare(path: Path, used: Sequence[NeededCall], settings: Settings) -> SchemaReport:
    schema = _schema(path)
    compared = {
        answer.call.name: answer
        for answer in compare(
            settings.inspera.calls_in_force().values(), schema, settings.inspera.staff_body
        )
    }
    return SchemaReport(
        [(needed, compared[needed.call.name]) for needed in used],
        settle(schema, [needed.call for needed in used], settings.inspera.staff_body),
    )


def _status(results: Sequence[Check], compared: SchemaReport | None) -> Exit:
    statuses = {check.status for check in results}
    if compared is not None and not compared.sound:
        statuses.add(Exit.ERRORS)
    return next((status for status in _FIRST if status in statuses), Exit.OK)


def _say_calls(used: Sequence[NeededCall], say: Say) -> None:
    say("Calls that this configuration needs, and how sure the form of each is:")
    for line in _table([each for each in used if each.needed]):
        say(line)
    more = [each for each in used if not each.needed]
    if more:
        say("Used by `adopt` and `reconcile`, and to read back what was written:")
    for line in _table(more):
        say(line)
    assumed = [each.call.name for each in used if each.assumed]
    if assumed:
        say(f"These rest on an assumption (inferred): {', '.join(assumed)}.")
        say(
            "`doctor --apidoc FILE` holds them against the schema that your tenant shows under "
            "/apidoc."
        )
        say("Where one is different, set its method, path or wrapper under inspera.calls.")
    say("")


def _table(used: Sequence[NeededCall]) -> list[str]:
    width = max((len(each.call.name) for each in used), default=0)
    return [
        f"  {each.call.proof:<10}  {each.call.name:<{width}}  {each.call.method:<6} {each.call.path}"
        f"{'  (changed in inspera.calls)' if each.changed else ''}"
        for each in used
    ]


def _say_compared(compared: SchemaReport, place: str, say: Say) -> str:
    """Show how each call compares with the schema; return the figures."""
    say(f"Against {place}:")
    for call, answer in compared.calls:
        line = f"  {answer.match:<9}  {call.call.name}{'' if call.needed else ' (not needed)'}"
        if answer.differences:
            line += f": {'; '.join(answer.differences)}; {answer.remedy}"
        say(masked(line))
    _say_assumptions(compared.assumptions, say)
    needed = [answer for call, answer in compared.calls if call.needed]
    sound = sum(answer.match is Match.PRESENT for answer in needed)
    calls = plural(len(needed), "call")
    return f"{sound} of the {calls} that this configuration needs are as the schema has them"


def _say_assumptions(assumptions: Sequence[tuple[Assumption, SchemaFinding]], say: Say) -> None:
    """Show what the schema says of everything that is assumed about these calls."""
    if not assumptions:
        return
    say("What is assumed, and what the schema says of it:")
    for assumption, finding in assumptions:
        line = f"  {finding.settled:<10}  {assumption.name} {assumption.assumed}"
        found = "; ".join(text for text in (finding.found, finding.remedy) if text)
        say(masked(f"{line}: {found}" if found else line))


def _say_checks(results: Sequence[Check], say: Say) -> str:
    """Show the result of each check; return the figures."""
    say("Looked at:")
    for check in results:
        say(masked(f"  {check}"))
    verdicts = Counter(check.verdict for check in results)
    notes = plural(verdicts[CheckVerdict.NOTE], "note")
    return f"{verdicts[CheckVerdict.WRONG]} wrong, {notes}"


def _document(
    used: Sequence[NeededCall],
    compared: SchemaReport | None,
    results: Sequence[Check],
    status: Exit,
) -> dict[str, Any]:
    """Return the report for programs."""
    document: dict[str, Any] = {"calls": [_call(each) for each in used]}
    if compared is None:
        document["checks"] = [
            {
                "what": check.what,
                "verdict": check.verdict,
                "found": check.found,
                "remedy": check.remedy,
            }
            for check in results
        ]
    else:
        document["schema"] = [
            {
                "name": answer.call.name,
                "match": answer.match,
                "differences": answer.differences,
                "remedy": answer.remedy,
            }
            for _, answer in compared.calls
        ]
        document["assumptions"] = [
            {
                "name": assumption.name,
                "assumed": assumption.assumed,
                "call": assumption.call.name,
                "settled": finding.settled,
                "found": finding.found,
                "remedy": finding.remedy,
            }
            for assumption, finding in compared.assumptions
        ]
    return {**document, "exit_status": int(status)}


def _call(needed: NeededCall) -> dict[str, Any]:
    call = needed.call
    return {
        "name": call.name,
        "method": call.method,
        "path": call.path,
        "wrapper": call.wrapper,
        "confidence": call.proof,
        "needed": needed.needed,
        "changed": needed.changed,
    }
