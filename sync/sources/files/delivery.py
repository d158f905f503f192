"""Files that others deliver into a folder: which one to read, and whether it is complete."""

import hashlib
import re
import stat
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePath
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, WithJsonSchema

from sync.config_base.base import ColumnName, validation_error
from sync.errors import SourceError
from sync.sources.files.archive import SUFFIXES
from sync.sources.files.open import OpenFile, disk_errors, open_error

_PATTERN = re.compile(r"[*?\[]")
_PART = re.compile(r"\{(file|stem)\}")
_LONGEST_LIST = 1 << 20
_CHECK_MARKER = "check that the export ends by writing it, or correct 'done_marker'"

SelectBy = Literal["time", "name"]


def _companion(template: str) -> str:
    rest = _PART.sub("", template)
    if "{" in rest or "}" in rest:
        raise validation_error("has an unknown part in braces", "use {file} or {stem}")
    if "/" in rest or template in ("{file}", "{stem}", ".", ".."):
        raise validation_error(
            "does not name another file in the same folder", "write it like '{file}.done'"
        )
    return template


CompanionName = Annotated[
    ColumnName,
    AfterValidator(_companion),
    WithJsonSchema({"type": "string", "examples": ["{file}.done"]}),
]
"""The name of another file in the same folder, built from the file's name: `{file}` or `{stem}`."""


def _pattern_last(path: Path) -> Path:
    if any(_is_pattern(part) for part in path.parts[:-1]):
        raise validation_error("has a pattern for a folder", "use * ? and [ in the last part only")
    return path


FilePath = Annotated[Path, AfterValidator(_pattern_last)]
"""A path whose last part may be a pattern."""


class Delivery(NamedTuple):
    """How files are delivered.

    Attributes:
        select_by: what makes a file the newest: the time when it was written, or its name.
        done_marker: the name of the marker of a complete file.
        sha256: the name of the file with the checksum.
    """

    select_by: SelectBy = "time"
    done_marker: str | None = None
    sha256: str | None = None

    def choose(self, path: Path, place: str) -> Path:
        """Return the path itself, or for a pattern the newest complete file that matches it.

        A marker or a checksum of another file never counts as a file itself.

        Raises:
            SourceError: the folder can't be listed, no file matches, or none of them is complete.
        """
        if not _is_pattern(path.name):
            return path
        found = sorted(self._candidates(path, place), reverse=True)
        for candidate in found:
            if self.done_marker is None or not _incomplete(
                candidate.path, candidate.written_ns, self.done_marker
            ):
                return candidate.path
        if not found:
            raise SourceError(place, "no file matches", "check 'path', and that the export has run")
        marker = companion_of(found[0].path, self.done_marker or "").name
        which = (
            "the file that matches is not"
            if len(found) == 1
            else f"none of the {len(found)} files that match is"
        )
        reason = f"{which} marked as complete by a marker such as '{marker}', written after it"
        raise SourceError(place, reason, _CHECK_MARKER)

    def _candidates(self, pattern: Path, place: str) -> list["_Candidate"]:
        try:
            paths = [path for path in pattern.parent.iterdir() if _matches(path.name, pattern.name)]
            templates = [name for name in (self.done_marker, self.sha256) if name]
            companions = {companion_of(path, name) for path in paths for name in templates}
            return [
                candidate
                for path in paths
                if path not in companions
                for candidate in _candidate(path, self.select_by)
            ]
        except OSError as error:
            raise open_error(place, error) from None

    def require_proofs(self, opened: OpenFile) -> None:
        """Make sure that the file is complete and intact, by the proofs it is delivered with.

        Raises:
            SourceError: it is not, or a proof is missing.
        """
        if self.done_marker is not None:
            try:
                reason = _incomplete(opened.path, opened.written_ns, self.done_marker)
            except OSError as error:
                reason = f"can't be checked: its marker can't be read ({error.strerror})"
            if reason:
                raise SourceError(opened.place, reason, _CHECK_MARKER)
        if self.sha256 is not None:
            _require_checksum(opened, companion_of(opened.path, self.sha256))


def _is_pattern(name: str) -> bool:
    return _PATTERN.search(name) is not None


def companion_of(path: Path, template: str) -> Path:
    """Return the path of the other file that belongs to this one."""
    return path.with_name(
        _PART.sub(lambda part: path.name if part[1] == "file" else stem_of(path), template)
    )


def stem_of(path: PurePath) -> str:
    """Return the name without its suffixes: `students-24` for `students-24.csv.gz`."""
    inner = PurePath(path.stem) if path.suffix.lower() in SUFFIXES else path
    return inner.stem


class _Candidate(NamedTuple):
    """A file that matches, in the order from the oldest to the newest."""

    rank: tuple[int, str]
    path: Path
    written_ns: int


def _matches(name: str, pattern: str) -> bool:
    # As in a shell, `*` does not match a leading dot: programs name files so during a transfer.
    return fnmatchcase(name, pattern) and (not name.startswith(".") or pattern.startswith("."))


def _candidate(path: Path, select_by: SelectBy) -> Iterator[_Candidate]:
    try:
        status = path.stat()
    except FileNotFoundError:  # moved away since the folder was listed
        return
    if stat.S_ISREG(status.st_mode):
        written = status.st_mtime_ns
        yield _Candidate((written if select_by == "time" else 0, path.name), path, written)


def _incomplete(path: Path, written_ns: int, template: str) -> str | None:
    """Return why the file does not count as complete; None if it does."""
    marker = companion_of(path, template)
    if marker == path:
        return "is not complete: by 'done_marker' it would be its own marker"
    try:
        marked_ns = marker.stat().st_mtime_ns
    except FileNotFoundError:
        return f"is not complete: its marker '{marker.name}' is not there"
    if marked_ns < written_ns:
        # The export has begun to write the next delivery, and has not marked it yet.
        return (
            f"is not complete: its marker '{marker.name}' is older than the file,"
            " and belongs to an earlier delivery"
        )
    return None


def _require_checksum(opened: OpenFile, companion: Path) -> None:
    """Make sure that the file has the SHA-256 checksum that was delivered with it.

    Read the file once, and go back to its start.

    Raises:
        SourceError: it has another checksum, or its checksum can't be read.
    """
    delivered = _read_checksum(opened, companion)
    with disk_errors(opened.place):
        actual = hashlib.file_digest(opened.file, "sha256").hexdigest()
        opened.file.seek(0)
    if actual != delivered:
        opened.require_unchanged()
        raise SourceError(
            opened.place,
            "does not have the SHA-256 checksum that was delivered with it",
            "deliver both again: the file is damaged, or the checksum is of another file",
        )


def _read_checksum(opened: OpenFile, companion: Path) -> str:
    """Return the checksum that `sha256sum` wrote, from its line or from a list with other files."""
    try:
        with companion.open("rb") as file:
            text = file.read(_LONGEST_LIST).decode("utf-8", "replace")
    except OSError as error:
        raise SourceError(
            opened.place,
            f"its checksum '{companion.name}' can't be read ({error.strerror})",
            "check that it is delivered with the file, or correct 'sha256'",
        ) from None
    lines = [line.split(maxsplit=1) for line in text.splitlines() if line.strip()]
    named = [
        line
        for line in lines
        if PurePath(line[-1].strip().removeprefix("*")).name == opened.path.name
    ]
    chosen = named or lines
    if len(chosen) == 1 and re.fullmatch(r"[0-9a-fA-F]{64}", chosen[0][0]):
        return chosen[0][0].lower()
    raise SourceError(
        opened.place,
        f"'{companion.name}' does not contain its SHA-256 checksum",
        "write it as sha256sum does, one file per line",
    )
