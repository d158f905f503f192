"""The result of a run as text: the changes that were not carried out, then the figures."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Protocol
from zoneinfo import ZoneInfo

from sync.exit_codes import Exit
from sync.planning.reasons import general_reason
from sync.records.base import Key, Kind
from sync.report.local_time import with_local_times
from sync.report.verdict import verdict_text
from sync.report.wording import first_keys_text, key_text, plural
from sync.text.masking import masked


class Finding(Protocol):
    """A row error, hold, failure or the like of a run, for a person to look at."""

    @property
    def type(self) -> str:
        """Return what it is: a row error, or a result."""

    @property
    def kind(self) -> Kind:
        """Return the record's kind."""

    @property
    def key(self) -> Key | None:
        """Return the record's key, where it could be read."""

    @property
    def place(self) -> str:
        """Return the row's place, where there is one."""

    @property
    def text(self) -> str:
        """Return why, and what to do."""


def finding_text(finding: Finding) -> str:
    """Return a finding in one line."""
    return masked(f"{finding.type}: {_record_text(finding)}: {finding.text}")


def findings_text(
    findings: Iterable[Finding], most: int | None, zone: ZoneInfo | None = None
) -> Iterator[str]:
    """Yield the findings of one run, a line a cause, at most `most`; with None each of them.

    `zone` is that of the tests, for times; None shows UTC alone.
    """
    groups: dict[tuple[str, ...], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.type, finding.kind, _cause(finding, most)), []).append(finding)
    for number, group in enumerate(groups.values()):
        if most is not None and number >= most:
            rest = sum(len(one) for one in islice(groups.values(), number, None))
            yield f"  … and {rest:,} more (--all shows them)"
            return
        for line in _group_text(group, most):
            yield with_local_times(line, zone)


def _cause(finding: Finding, most: int | None) -> str:
    """Return what findings of one cause share; where each is listed, its own text."""
    if most is None or not finding.key:
        return finding.text
    return general_reason(finding.kind, finding.key, finding.text)


def _group_text(group: Sequence[Finding], most: int | None) -> Iterator[str]:
    first = group[0]
    if len(group) == 1:
        yield f"  {finding_text(first)}"
        return
    text = masked(f"  {first.type}: {plural(len(group), first.kind)}: {_cause(first, most)}")
    if most is None:
        yield text
        yield from (f"    {masked(_record_text(finding))}" for finding in group)
        return
    keys = [finding.key or (finding.place,) for finding in group]
    yield f"{text}; {first_keys_text(keys, len(group))}"


def _record_text(finding: Finding) -> str:
    key = f" {key_text(finding.key)}" if finding.key else ""
    place = f" ({finding.place})" if finding.place else ""
    return f"{finding.kind}{key}{place}"


def outcomes_text(
    findings: Iterable[Finding], most: int | None, zone: ZoneInfo | None = None
) -> Iterator[str]:
    """Yield the changes that were to be sent and were not carried out."""
    for number, line in enumerate(findings_text(findings, most, zone)):
        if number == 0:
            yield from ("", "Not carried out, or not as planned:")
        yield line


def run_text(counts: Mapping[str, int], status: int, word: str = "done") -> str:
    """Return the figures of a run in one line; `word` is how it ended."""
    figures = figures_text(counts, complete=status == Exit.OK)
    return verdict_text("Run", figures, status, counts, word)


def figures_text(counts: Mapping[str, int], *, complete: bool) -> str:
    """Return the figures of a run; `complete` tells whether it did all that it should."""
    figures = ", ".join(f"{number:,} {name}" for name, number in sorted(counts.items()) if number)
    # A run that was stopped before it had a plan does not know what there is to do.
    return figures or ("nothing to do" if complete else "nothing was sent")
