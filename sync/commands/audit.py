"""`audit`: verifies and exports the audit log. It only reads."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from sync.app import App, Say
from sync.errors import UsageError
from sync.exit_codes import Exit
from sync.records.base import utc_text
from sync.state.audit.chain import Anchor
from sync.state.audit.reader import ReadLine, read_lines, verify, waiting
from sync.text.masking import masked


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What the export was asked for: lines since a time or a day, as JSON lines or as text."""

    since: str | None = None
    as_text: bool = False


def audit_verify(app: App, anchor: str | None, say: Say) -> Exit:
    """Check the whole log, and print its anchor. A broken log ends with status 1."""
    expected = _anchor(anchor) if anchor else None
    with app.state.open_to_read() as connection:
        broken, end = verify(connection, expected)
        left = waiting(connection)
    if broken:
        say(
            f"Audit log: broken at {broken}. Keep a copy of the state as it is now, and find out "
            "who could write to it; `inspera-sync help audit` says how."
        )
        return Exit.ERRORS
    say(f"Audit log: {end.lines:,} lines, each as it was written.")
    if left:
        say(f"Waiting: {left:,} more, which the next run appends.")
    say(f"Anchor: {end}")
    return Exit.OK


def _anchor(text: str) -> Anchor:
    try:
        return Anchor.parse(text)
    except ValueError:
        raise UsageError(
            f"--anchor {text}: is not an anchor; copy it whole from an earlier `audit verify`"
        ) from None


def audit_export(app: App, options: ExportOptions, say: Say) -> Exit:
    """Print the lines of the log, oldest first."""
    since = _since(options.since) if options.since else ""
    with app.state.open_to_read() as connection:
        for read in read_lines(connection, since):
            say(text_of(read) if options.as_text else json.dumps(to_dict(read)))
    return Exit.OK


def _since(text: str) -> str:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"--since {text}: is not a time; write it as 2026-11-23 or 2026-11-23T08:00Z"
        ) from None
    return utc_text((time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC))


def to_dict(read: ReadLine) -> dict[str, object]:
    """Return a line with its hash, and the key of its person as long as it is known."""
    line = asdict(read.line)
    line["details"] = json.loads(read.line.details) if read.line.details else {}
    return {**line, "hash": read.digest, "key": read.person}


def text_of(read: ReadLine) -> str:
    """Return a line as people read it."""
    line = read.line
    whose = read.person or (f"person {line.person[:8]}" if line.person else "")
    run = f"run {line.run}" if line.run is not None else ""
    parts = (line.event, line.action, line.kind, line.record, whose, line.outcome, line.details)
    words = " ".join(part for part in (*parts, run) if part)
    return masked(f"{line.number} {line.at} {line.who}: {words}")
