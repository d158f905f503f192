"""The manifest of a OneRoster bundle: its version, and which files are complete or deltas."""

import re
from collections.abc import Collection, Mapping
from typing import NamedTuple

from sync.errors import SourceError
from sync.sources.oneroster.bundle import MANIFEST, Bundle
from sync.text.masking import quoted_value

BULK, DELTA, ABSENT = "bulk", "delta", "absent"

_FILE = re.compile(r"file\.([A-Za-z]+)")
_VERSION = re.compile(r"1\.([12])(\.[0-9]+)*")
_EXPORT_AGAIN = "have the bundle exported again, complete"


class Manifest(NamedTuple):
    """The manifest of a bundle.

    Attributes:
        place: its name for people.
        minor: 1 or 2, for OneRoster 1.1 or 1.2.
        modes: `bulk`, `delta` or `absent` by file; a file without a mode is absent, too.
    """

    place: str
    minor: int
    modes: Mapping[str, str]

    def has(self, file: str) -> bool:
        """Tell whether the manifest lists this file, such as `users`, as present."""
        return self.modes.get(file, ABSENT) != ABSENT

    def require(self, files: Collection[str], rows_of: str) -> None:
        """Make sure that the manifest lists these files as present.

        Raises:
            SourceError: a file is absent, or is not listed.
        """
        for file in sorted(files):
            if not self.has(file):
                absent = "says that {} is absent" if file in self.modes else "does not list {}"
                raise SourceError(
                    self.place,
                    f"{absent.format(f'{file}.csv')}, which rows of {rows_of} need",
                    f"have the bundle exported with {file}.csv",
                )

    def partial_reason(self, files: Collection[str]) -> str:
        """Return why rows from these files are not all rows; empty if each file is complete."""
        deltas = [f"{file}.csv" for file in sorted(files) if self.modes.get(file) == DELTA]
        if not deltas:
            return ""
        names = deltas[0] if len(deltas) == 1 else f"{', '.join(deltas[:-1])} and {deltas[-1]}"
        return f"the bundle says that {names} {'is a delta' if len(deltas) == 1 else 'are deltas'}"


def read_manifest(bundle: Bundle) -> Manifest:
    """Read the manifest, and compare it with the files that are there.

    Raises:
        SourceError: the manifest is missing or not valid, it is of another version of OneRoster, or
            a file that it lists is missing.
    """
    place = f"{bundle.place}/{MANIFEST}"
    if not bundle.has_file(MANIFEST):
        remedy = "check that the export writes it: each bundle of OneRoster 1.1 or 1.2 has one"
        raise SourceError(place, "is not there", remedy)
    properties = _read_properties(bundle)
    modes = {
        match[1]: _mode(place, name, value)
        for name, value in properties.items()
        if (match := _FILE.fullmatch(name))
    }
    for file, mode in modes.items():
        if mode != ABSENT and not bundle.has_file(f"{file}.csv"):
            raise SourceError(
                f"{bundle.place}/{file}.csv",
                f"is not there, but the manifest says '{mode}'",
                _EXPORT_AGAIN,
            )
    return Manifest(place, _minor(place, properties), modes)


def _read_properties(bundle: Bundle) -> dict[str, str]:
    table = bundle.table(MANIFEST)
    table.require("propertyName", "value")
    properties: dict[str, str] = {}
    for row in table.rows:
        name, value = row.values["propertyName"].strip(), row.values["value"].strip()
        if properties.setdefault(name, value) != value:
            reason = "gives another value for a property than a line above"
            raise SourceError(f"{table.place} line {row.line}", reason, _EXPORT_AGAIN)
    return properties


def _mode(place: str, name: str, value: str) -> str:
    mode = value.lower()
    if mode not in (BULK, DELTA, ABSENT):
        reason = f"{name}: {quoted_value(value, code=True)} is not a mode"
        raise SourceError(place, reason, "have it exported as bulk, delta or absent")
    return mode


def _minor(place: str, properties: Mapping[str, str]) -> int:
    version = properties.get("oneroster.version", "")
    match = _VERSION.fullmatch(version)
    if match is None:
        reason = (
            f"is for OneRoster {quoted_value(version)}" if version else "has no 'oneroster.version'"
        )
        raise SourceError(place, reason, "have the bundle exported as OneRoster 1.1 or 1.2")
    return int(match[1])
