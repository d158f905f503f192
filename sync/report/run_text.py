"""What became of a run, as text: every change that was not carried out by name, then the figures."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Protocol

from sync.records.base import Key, Kind
from sync.report.plan_text import capped
from sync.report.verdict import verdict_text
from sync.report.wording import key_text
from sync.text.masking import masked


class Finding(Protocol):
    """Something of a run that a person may want to look at."""

    @property
    def type(self) -> str:
        """What it is: a row error, or a result."""

    @property
    def kind(self) -> Kind:
        """Of the record."""

    @property
    def key(self) -> Key | None:
        """Of the record, where it could be read."""

    @property
    def place(self) -> str:
        """The row, where there is one."""

    @property
    def text(self) -> str:
        """What there is to say."""


def finding_text(finding: Finding) -> str:
    """Return a finding in one line."""
    return masked(f"{finding.type}: {_about(finding)}: {finding.text}")


def findings_text(findings: Iterable[Finding], most: int | None) -> Iterator[str]:
    """Return the findings of one run, with a text that several share said once; each list is cut to `most`."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.type, finding.text), []).append(finding)
    for number, group in enumerate(groups.values()):
        if most is not None and number >= most:
            rest = sum(len(one) for one in islice(groups.values(), number, None))
            yield f"  … and {rest:,} more (--all shows them)"
            return
        yield from _group_text(group, most)


def _group_text(group: Sequence[Finding], most: int | None) -> Iterator[str]:
    if len(group) == 1:
        yield f"  {finding_text(group[0])}"
        return
    yield masked(f"  {group[0].type}: {len(group):,} records: {group[0].text}")
    yield from capped((f"    {masked(_about(finding))}" for finding in group), most, indent="    ")


def _about(finding: Finding) -> str:
    key = f" {key_text(finding.key)}" if finding.key else ""
    place = f" ({finding.place})" if finding.place else ""
    return f"{finding.kind}{key}{place}"


def outcomes_text(findings: Iterable[Finding], most: int | None) -> Iterator[str]:
    """Yield the changes that were to be sent and were not carried out, without what the plan showed."""
    for number, line in enumerate(findings_text(findings, most)):
        if number == 0:
            yield from ("", "Not carried out, or not as planned:")
        yield line


def run_text(counts: Mapping[str, int], status: int) -> str:
    """Return the figures of a run in one line."""
    told = ", ".join(f"{number:,} {name}" for name, number in sorted(counts.items()) if number)
    return verdict_text("Run", told or "nothing to do", status)
