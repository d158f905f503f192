"""Why the plan has no change for a record. Pure.

`diff` and the pairs of the state leave these records out; this says why, for people who ask.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from sync.records.base import Kind
from sync.records.kinds import PEOPLE
from sync.records.rule_numbers import SafetyRule


class RowState(StrEnum):
    """What the sources contain about a record in this run."""

    MISSING = "missing"
    NOT_SELECTED = "not selected"
    DEPARTED = "departed"
    ROW_ERROR = "row error"
    WANTED = "wanted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What decides about a record of which the plan has no line.

    Attributes:
        lifecycle: of the known record; None when it is not known.
        managed: whether this tool put it into Inspera.
        has_feed: whether the configuration has a feed of this kind.
        unsent: its test had ended before it was ever sent.
        retired: its test is retired, or retires in this run.
        kept: `on_absence` keeps records of this kind.
        named_by: how many candidates or contributors name this person.
        row_error_rule: the rule of the row error that concerns it; None without one.
    """

    kind: Kind
    row: RowState
    lifecycle: str | None
    managed: bool = True
    has_feed: bool = True
    unsent: bool = False
    retired: bool = False
    kept: bool = False
    named_by: int = 0
    row_error_rule: int | None = None


def why_nothing(about: Standing) -> tuple[str, int | None]:
    """Return why nothing is done about this record, and the number of the rule, if there is one."""
    if not about.has_feed:
        return f"no feed is of kind {about.kind}, so nothing is decided about it", None
    if about.row is RowState.ROW_ERROR:
        stays = "what is known about it stays" if about.lifecycle else "so it is not sent"
        return f"its row has an error, and {stays}", about.row_error_rule or SafetyRule.ROW_ERRORS
    if about.unsent:
        return "its test had ended before it was ever sent, so it is left out", SafetyRule.TIMES
    if about.row is RowState.WANTED:
        return _wanted(about)
    return _absent(about)


def _wanted(about: Standing) -> tuple[str, int | None]:
    if about.retired and about.kind is not Kind.TEST:
        return "its test is retired, so it is ignored", SafetyRule.BEGUN_TESTS
    if about.lifecycle is None:
        return "the source leaves it as it is in Inspera (blank, or disabled already)", None
    return "what is known in Inspera is what the sources want", SafetyRule.PAIRS


def _absent(about: Standing) -> tuple[str, int | None]:
    missing = {
        RowState.MISSING: "no source names it",
        RowState.NOT_SELECTED: "its row is not selected",
        RowState.DEPARTED: "its row says that it departs",
    }[about.row]
    text, rule = next((text, rule) for holds, text, rule in _reasons(about) if holds)
    return f"{missing}{text}", rule


def _reasons(about: Standing) -> Iterator[tuple[bool, str, int | None]]:
    """Yield why an absent record stays as it is; the first that holds counts."""
    unmanaged = not about.managed and about.kind not in (Kind.LEARNER, Kind.TEST)
    yield about.lifecycle is None, ", and this state does not know it", SafetyRule.ABSENCE
    yield (
        about.lifecycle not in ("active", "refused"),
        f", and it is {about.lifecycle} already",
        SafetyRule.BEGUN_TESTS if about.lifecycle == "retired" else None,
    )
    yield (
        about.row_error_rule is not None,
        ", but a row with an error may mean it, so it stays",
        about.row_error_rule,
    )
    yield unmanaged, "; it was in Inspera before us, so it stays there", SafetyRule.EXISTING
    yield about.kept, f"; on_absence.{about.kind} is keep, so it stays", None
    yield (
        about.kind in PEOPLE and about.named_by > 0,
        ", but tests that are known or wanted still have this person",
        SafetyRule.WHO_REMOVES,
    )
    yield about.retired, "; its test has ended, so it stays in Inspera", SafetyRule.BEGUN_TESTS
    yield about.kind is Kind.OPTION, "; an option is never unset, so it stays as it is", None
    yield True, ", and its absence changes nothing", SafetyRule.ABSENCE
