"""What became of a run, as text: every change that was not carried out by name, then the figures."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from sync.masking import masked
from sync.model import Key, Kind
from sync.report.plan_text import capped
from sync.report.wording import key_text


class Finding(Protocol):
    """Something of a run that a person may want to look at."""

    @property
    def type(self) -> str:
        """What it is: a fault, or a result."""

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
    """A finding in one line."""
    key = f" {key_text(finding.key)}" if finding.key else ""
    place = f" ({finding.place})" if finding.place else ""
    return masked(f"{finding.type}: {finding.kind}{key}{place}: {finding.text}")


def outcomes_text(findings: Iterable[Finding], most: int | None) -> Iterator[str]:
    """Every change that was sent, or about to be, and not carried out; what the plan has said is not among them."""
    lines = (f"  {finding_text(found)}" for found in findings)
    for number, line in enumerate(capped(lines, most)):
        if number == 0:
            yield from ("", "Not carried out, or not as planned:")
        yield line


def run_text(counts: Mapping[str, int], status: int) -> str:
    """The figures of a run in one line."""
    told = ", ".join(f"{number:,} {name}" for name, number in sorted(counts.items()) if number)
    return f"Run: {told or 'nothing to do'}; exit status {int(status)}."
