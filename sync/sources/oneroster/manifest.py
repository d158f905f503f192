"""What a OneRoster bundle says of itself: its version, and which of its files are whole, deltas or absent."""

import re
from collections.abc import Collection, Mapping
from typing import NamedTuple

from sync.errors import SourceError
from sync.sources.oneroster.bundle import MANIFEST, Bundle
from sync.text.masking import quoted_value

BULK, DELTA, ABSENT = "bulk", "delta", "absent"

_FILE = re.compile(r"file\.([A-Za-z]+)")
_VERSION = re.compile(r"1\.([12])(\.[0-9]+)*")
_WHOLE = "have the bundle exported again, whole"


class Manifest(NamedTuple):
    """The manifest of a bundle.

    Attributes:
        place: what was read, as people know it.
        minor: 1 or 2, for OneRoster 1.1 or 1.2.
        modes: of each file that it names, `bulk`, `delta` or `absent`; a file that it does not name is absent, too.
    """

    place: str
    minor: int
    modes: Mapping[str, str]

    def has(self, file: str) -> bool:
        """Whether the bundle is said to have this file, such as `users`."""
        return self.modes.get(file, ABSENT) != ABSENT

    def require(self, files: Collection[str], why: str) -> None:
        """Makes sure that the bundle is said to have these files.

        Raises:
            SourceError: one is said to be absent, or is not named.
        """
        for file in sorted(files):
            if not self.has(file):
                said = "says that {} is absent" if file in self.modes else "does not name {}"
                reason = said.format(f"{file}.csv") + f", which rows of {why} need"
                raise SourceError(self.place, reason, f"have it exported with {file}.csv")

    def partial(self, files: Collection[str]) -> str:
        """Why rows that rest on these files are not all there are; empty when each of them is whole."""
        deltas = [f"{file}.csv" for file in sorted(files) if self.modes.get(file) == DELTA]
        if not deltas:
            return ""
        named = deltas[0] if len(deltas) == 1 else f"{', '.join(deltas[:-1])} and {deltas[-1]}"
        return f"the bundle says that {named} {'is a delta' if len(deltas) == 1 else 'are deltas'}"


def read_manifest(bundle: Bundle) -> Manifest:
    """Reads the manifest, and holds it against what is there.

    Raises:
        SourceError: there is none, it can't be understood, it is of another version of OneRoster, or a file that it
            promises is not there.
    """
    place = f"{bundle.place}/{MANIFEST}"
    if not bundle.holds(MANIFEST):
        remedy = "see that the export writes it: each bundle of OneRoster 1.1 or 1.2 has one, beside its other files"
        raise SourceError(place, "is not there", remedy)
    said = _properties(bundle)
    modes = {
        found[1]: _mode(place, name, value)
        for name, value in said.items()
        if (found := _FILE.fullmatch(name))
    }
    for file, mode in modes.items():
        if mode != ABSENT and not bundle.holds(f"{file}.csv"):
            raise SourceError(
                f"{bundle.place}/{file}.csv",
                f"is not there, but the manifest says '{mode}'",
                _WHOLE,
            )
    return Manifest(place, _minor(place, said), modes)


def _properties(bundle: Bundle) -> dict[str, str]:
    table = bundle.table(MANIFEST)
    table.require("propertyName", "value")
    said: dict[str, str] = {}
    for row in table.rows:
        name, value = row.values["propertyName"].strip(), row.values["value"].strip()
        if said.setdefault(name, value) != value:
            reason = "says something else of its property than a line above"
            raise SourceError(f"{table.place} line {row.line}", reason, _WHOLE)
    return said


def _mode(place: str, name: str, value: str) -> str:
    mode = value.lower()
    if mode not in (BULK, DELTA, ABSENT):
        said = quoted_value(value, code=True)
        raise SourceError(place, f"says {said} of '{name}'", "have it say bulk, delta or absent")
    return mode


def _minor(place: str, said: Mapping[str, str]) -> int:
    version = said.get("oneroster.version", "")
    found = _VERSION.fullmatch(version)
    if found is None:
        what = (
            f"is of OneRoster {quoted_value(version)}"
            if version
            else "does not say 'oneroster.version'"
        )
        raise SourceError(place, what, "have the bundle exported as OneRoster 1.1 or 1.2")
    return int(found[1])
