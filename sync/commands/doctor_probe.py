"""`doctor --probe FILE`: a few calls that only read, and a file with the forms of their answers."""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Final

from sync import __version__
from sync.app import App, Say, now
from sync.errors import CallError, UsageError
from sync.exit_codes import Exit
from sync.report.verdict import verdict_text
from sync.report.wording import plural
from sync.text.masking import masked

if TYPE_CHECKING:
    from sync.inspera.form_probe import ProbedCall, ProbeReport

_PRIVATE: Final = 0o600
_HOLDS: Final = (
    "It holds, for each call: its method and path, the status, the time, and the names and types",
    "of the members of the answer; of members named `status` and `roles` also their words; how",
    "pages of a search compare, the names of headers about limits, and the offset of the clock.",
    "It holds no other value: no name, id, title, address or key. Read it before you send it.",
)


def probe(app: App, file: Path, say: Say) -> Exit:
    """Try the calls that only read, and write the forms of the answers to a new file.

    Raises:
        UsageError: the file can't be written, or exists already.
    """
    from sync.inspera.target import InsperaTarget

    _check_place(file)
    say("Makes about 12 calls that change nothing, at the configured rate.")
    try:
        with InsperaTarget(app.connection(), Event(), now) as target:
            report = target.probe_forms()
    except CallError as error:
        say(masked(f"wrong  inspera: {error}"))
        say(verdict_text("Doctor", "nothing was written", Exit.INSPERA))
        return Exit.INSPERA
    _write(file, json.dumps(_document(report), ensure_ascii=False, indent=1) + "\n")
    for line in _lines(report):
        say(line)
    say(f"Wrote {file}, which only you can read.")
    for line in _HOLDS:
        say(line)
    say(verdict_text("Doctor", plural(len(report.calls), "call"), Exit.OK))
    return Exit.OK


def _check_place(file: Path) -> None:
    """Check, before any call is made, that a new file may be written there."""
    if os.path.lexists(file):
        raise UsageError(
            f"--probe {file}: exists already, and is never overwritten; name another file"
        )
    if not file.parent.is_dir():
        raise UsageError(f"--probe {file}: the folder {file.parent} is missing; create it first")


def _write(file: Path, content: str) -> None:
    """Write a new file that only its owner can read; nothing is left of one that fails."""
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
    except OSError as error:
        raise UsageError(f"--probe {file}: cannot be written ({error.strerror})") from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(content)
    except OSError as error:
        with suppress(OSError):
            file.unlink()
        raise UsageError(f"--probe {file}: cannot be written ({error.strerror})") from None


def _lines(report: "ProbeReport") -> list[str]:
    lines = []
    for one in report.calls:
        status = "no answer" if one.status is None else str(one.status)
        refused = ", reports a failure" if one.failed and status.startswith("2") else ""
        lines.append(
            f"  {status:<9}  {one.call.name}: {one.what} ({one.milliseconds:,} ms{refused})"
        )
    lines += [f"  not made   {name}: {why}" for name, why in report.skipped.items()]
    lines += [f"  page {number} of a search: {text}" for number, text in report.pages.items()]
    return lines


def _document(report: "ProbeReport") -> dict[str, Any]:
    """Return the file's content."""
    return {
        "probe": 1,
        "version": __version__,
        "calls": [_call(one) for one in report.calls],
        "not_made": dict(report.skipped),
        "pages": dict(report.pages),
        "clock_offset_seconds": (
            None if report.clock_offset is None else round(report.clock_offset, 1)
        ),
    }


def _call(one: "ProbedCall") -> dict[str, Any]:
    members: Mapping[str, tuple[str, ...]] = one.form.members if one.form else {}
    words: Mapping[str, tuple[str, ...]] = one.form.words if one.form else {}
    return {
        "name": one.call.name,
        "asked": one.what,
        "method": one.call.method,
        "path": one.call.path,
        "status": one.status,
        "failed": one.failed,
        "milliseconds": one.milliseconds,
        "json": one.form is not None,
        "limit_headers": list(one.limit_headers),
        "members": {place: list(types) for place, types in members.items()},
        "words": {place: list(found) for place, found in words.items()},
    }
