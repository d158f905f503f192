"""Files that others deliver into a folder: which of them counts, and what says that it is complete and unharmed."""

import hashlib
import re
import stat
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path, PurePath
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, WithJsonSchema

from sync.config_base.base import Named, told_one
from sync.errors import SourceError
from sync.sources.files.archive import SUFFIXES
from sync.sources.files.open import OpenFile, open_failure, reading

_PATTERN = re.compile(r"[*?\[]")
_PART = re.compile(r"\{(file|stem)\}")
_MOST_OF_A_LIST = 1 << 20

NewestBy = Literal["time", "name"]


def _beside(template: str) -> str:
    rest = _PART.sub("", template)
    if "{" in rest or "}" in rest:
        raise told_one("has a part in braces that is not known", "use {file} or {stem}")
    if "/" in rest or template in ("{file}", "{stem}", ".", ".."):
        raise told_one("names no other file in the same folder", "write such as '{file}.done'")
    return template


Beside = Annotated[
    Named, AfterValidator(_beside), WithJsonSchema({"type": "string", "examples": ["{file}.done"]})
]
"""The name of another file in the same folder, by the name of the one that it belongs to: `{file}`, or its `{stem}`."""


def _pattern_last(path: Path) -> Path:
    if any(is_pattern(part) for part in path.parts[:-1]):
        raise told_one("has a pattern for a folder", "only the last part may hold * ? or [")
    return path


FilePath = Annotated[Path, AfterValidator(_pattern_last)]
"""A path whose last part may be a pattern."""


class Delivery(NamedTuple):
    """How files are delivered.

    Attributes:
        select_by: what makes one the newest: the time when it was written, or its name.
        done: the name of the marker that says that a file is complete.
        sha256: the name of the file with its checksum.
    """

    select_by: NewestBy = "time"
    done_marker: str | None = None
    sha256: str | None = None

    def chosen(self, path: Path, place: str) -> Path:
        """The path itself, or of a pattern the newest complete file; raises `SourceError` as `newest` does."""
        return newest(path, place, self) if is_pattern(path.name) else path

    def require_proofs(self, opened: OpenFile) -> None:
        """Makes sure that the file is complete and unharmed, as far as it was delivered with proofs of that.

        Raises:
            SourceError: it isn't.
        """
        if self.done_marker is not None:
            require_marker(opened, self.done_marker)
        if self.sha256 is not None:
            require_checksum(opened, self.sha256)


def is_pattern(name: str) -> bool:
    """Whether the name stands for several files."""
    return _PATTERN.search(name) is not None


def beside(path: Path, template: str) -> Path:
    """The other file that belongs to this one."""
    return path.with_name(
        _PART.sub(lambda part: path.name if part[1] == "file" else stem_of(path), template)
    )


def stem_of(path: PurePath) -> str:
    """The name without `.gz` or `.zip` and without the suffix before it: `students-24` for `students-24.csv.gz`."""
    inner = PurePath(path.stem) if path.suffix.lower() in SUFFIXES else path
    return inner.stem


def newest(pattern: Path, place: str, drop: Delivery) -> Path:
    """The newest complete file that matches the last part of `pattern`. What belongs to another file is none itself.

    Raises:
        SourceError: the folder can't be listed, no file matches, or none of them is complete.
    """
    found = _matching(pattern, place, drop)
    if not found:
        raise SourceError(place, "no file matches", "check 'path', and that the export has run")
    for candidate in sorted(found, reverse=True):
        if drop.done_marker is None or not _unmarked(
            candidate.path, candidate.written_ns, drop.done_marker
        ):
            return candidate.path
    none = (
        "the file that matches is not"
        if len(found) == 1
        else f"none of the {len(found)} files that match is"
    )
    marker = beside(max(found).path, drop.done_marker or "").name
    reason = f"{none} marked as complete, such as by '{marker}', written after it"
    raise SourceError(
        place, reason, "see that the export ends by writing it, or correct 'done_marker'"
    )


class _Candidate(NamedTuple):
    """Comes after those that are older."""

    rank: tuple[int, str]
    path: Path
    written_ns: int


def _matching(pattern: Path, place: str, drop: Delivery) -> list[_Candidate]:
    try:
        every = list(pattern.parent.iterdir())
        named = [path for path in every if _matches(path.name, pattern.name)]
        belonging = {
            beside(path, template)
            for path in named
            for template in (drop.done_marker, drop.sha256)
            if template
        }
        return [
            one
            for path in named
            if path not in belonging
            for one in _candidates(path, drop.select_by)
        ]
    except OSError as error:
        raise open_failure(place, error) from None


def _matches(name: str, pattern: str) -> bool:
    """As in a shell, `*` does not stand for a leading dot: so are files named that are still being transferred."""
    return fnmatchcase(name, pattern) and (not name.startswith(".") or pattern.startswith("."))


def _candidates(path: Path, select_by: NewestBy) -> Iterable[_Candidate]:
    try:
        status = path.stat()
    except FileNotFoundError:  # moved away since the folder was listed
        return
    if stat.S_ISREG(status.st_mode):
        written = status.st_mtime_ns
        yield _Candidate((written if select_by == "time" else 0, path.name), path, written)


def require_marker(opened: OpenFile, template: str) -> None:
    """Makes sure that the file is marked as complete, by a marker that was not written before it.

    Raises:
        SourceError: it isn't.
    """
    try:
        why = _unmarked(opened.path, opened.written_ns, template)
    except OSError as error:
        why = f"its marker can't be looked at ({error.strerror})"
    if why:
        raise SourceError(
            opened.place, why, "see that the export ends by writing it, or correct 'done_marker'"
        )


def _unmarked(path: Path, written_ns: int, template: str) -> str:
    """Why the file does not count as complete; empty when it does."""
    marker = beside(path, template)
    if marker == path:
        return "is not complete: by 'done_marker' it would be its own marker"
    try:
        marked_ns = marker.stat().st_mtime_ns
    except FileNotFoundError:
        return f"is not complete: its marker '{marker.name}' is not there"
    older = f"its marker '{marker.name}' is older than itself, and belongs to an earlier delivery"
    return f"is not complete: {older}" if marked_ns < written_ns else ""


def require_checksum(opened: OpenFile, template: str) -> None:
    """Makes sure that the file has the SHA-256 that was delivered with it. Reads it once, and goes back to its start.

    Raises:
        SourceError: it has not, or there is none.
    """
    told = _told_checksum(opened, beside(opened.path, template))
    with reading(opened.place):
        found = hashlib.file_digest(opened.file, "sha256").hexdigest()
        opened.file.seek(0)
    if found != told:
        opened.refuse_change()
        remedy = (
            "deliver both again: the file is cut off or damaged, or the checksum is of another one"
        )
        raise SourceError(
            opened.place, "has not the SHA-256 checksum that was delivered with it", remedy
        )


def _told_checksum(opened: OpenFile, beside_it: Path) -> str:
    """What `sha256sum` wrote: the checksum, and (or not) the name of the file. A list may hold those of others, too."""
    try:
        with beside_it.open("rb") as file:
            text = file.read(_MOST_OF_A_LIST).decode("utf-8", "replace")
    except OSError as error:
        reason = f"its checksum '{beside_it.name}' can't be read ({error.strerror})"
        raise SourceError(
            opened.place, reason, "see that it is delivered with the file, or correct 'sha256'"
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
    reason = f"'{beside_it.name}' does not say its SHA-256 checksum"
    raise SourceError(opened.place, reason, "write it as sha256sum does, one file a line")
