"""What changed in a directory since a mark: by its times, or by the numbers that Active Directory counts changes with.

A time's mark is `20260520070000Z`, a number's is `HOST:NUMBER`: each server of Active Directory counts for itself.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from sync.errors import SourceError
from sync.records.extract import Since
from sync.sources.ldap.search import Entry, Searches
from sync.sources.ldap.values import generalized, moment_of

_TIMES = ("modifytimestamp", "whenchanged")
_NUMBER = "usnchanged"
_FULL = "read it in full once, which is without --changed"


@dataclass(slots=True)
class Changes:
    """One reading of changes.

    Attributes:
        attribute: what says when an entry changed; it has to be asked for.
        condition: which entries are new, as a filter; empty for all.
    """

    place: str
    attribute: str
    condition: str
    _mark: str
    _latest: datetime | None = None
    _bound: datetime | None = None
    _overlap: timedelta = timedelta()

    def narrowed(self, filter_: str) -> str:
        """The filter for those that changed."""
        return f"(&{filter_}{self.condition})" if self.condition else filter_

    def see(self, number: int, entry: Entry) -> None:
        """Looks at when an entry changed.

        Raises:
            SourceError: it does not say, so its next change would not be seen.
        """
        values = entry.values.get(self.attribute.lower())
        if not values:
            reason = f"has no '{self.attribute}', so its changes can't be told"
            remedy = "let this account read that attribute, or take 'updated_column' out"
            raise SourceError(f"{self.place} entry {number}", reason, remedy)
        if self._bound:
            self._see_time(number, values[0])

    def mark(self) -> str:
        """From where the next reading starts."""
        if self._bound and self._latest:
            return generalized(min(self._latest, self._bound) - self._overlap)
        return self._mark

    def _see_time(self, number: int, value: bytes) -> None:
        try:
            moment = moment_of(value.decode())
        except ValueError:
            reason = f"has in '{self.attribute}' what is no time"
            raise SourceError(
                f"{self.place} entry {number}", reason, "take 'updated_column' out"
            ) from None
        self._latest = max(self._latest or moment, moment)


def changes(
    searches: Searches, since: Since, attribute: str, overlap: timedelta, now: datetime
) -> Changes:
    """What to ask for, and the mark for the next time. `now` is this machine's clock before the reading.

    Raises:
        SourceError: this attribute can't tell, or the mark is none that this server can start from.
    """
    place, kind = searches.place, attribute.lower()
    root = searches.root("currentTime", "highestCommittedUSN", "dnsHostName")
    active = "highestcommittedusn" in root
    if kind not in (*_TIMES, _NUMBER):
        reason = f"can't tell what changed by '{since.column}'"
        raise SourceError(
            place, reason, "set 'updated_column' to modifyTimestamp, whenChanged or uSNChanged"
        )
    if active != (kind in ("whenchanged", _NUMBER)):
        fit = "uSNChanged or whenChanged" if active else "modifyTimestamp"
        raise SourceError(
            place,
            f"this directory can't be searched by '{attribute}'",
            f"set 'updated_column' to {fit}",
        )
    if kind == _NUMBER:
        return _by_number(place, since, attribute, root)
    return _by_time(place, since, attribute, overlap, now, root.get("currenttime", ""))


def _by_number(place: str, since: Since, attribute: str, root: dict[str, str]) -> Changes:
    host, highest = root.get("dnshostname", "").lower(), root["highestcommittedusn"]
    condition = ""
    if since.mark:
        found = re.fullmatch(r"(?P<host>[^:]*):(?P<number>[0-9]{1,19})", since.mark)
        if found is None:
            raise _unusable(place)
        if found["host"] != host:
            reason = (
                "another server answers than the last time, and each counts its changes for itself"
            )
            raise SourceError(place, reason, f"{_FULL}, or name one server only")
        if int(found["number"]) > int(highest):
            raise SourceError(
                place, "the server counts fewer changes than the last time: it was restored", _FULL
            )
        condition = f"({attribute}>={int(found['number']) + 1})"
    return Changes(place, attribute, condition, f"{host}:{highest}")


def _by_time(
    place: str, since: Since, attribute: str, overlap: timedelta, now: datetime, clock: str
) -> Changes:
    condition = ""
    if since.mark:
        if not re.fullmatch(r"[0-9]{14}Z", since.mark):
            raise _unusable(place)
        written = (
            since.mark.replace("Z", ".0Z") if attribute.lower() == "whenchanged" else since.mark
        )
        condition = f"({attribute}>={written})"
    if clock:
        return Changes(place, attribute, condition, generalized(moment_of(clock) - overlap))
    # Changes during the reading may have been missed although later ones were seen: not beyond its beginning.
    return Changes(place, attribute, condition, since.mark, _bound=now, _overlap=overlap)


def _unusable(place: str) -> SourceError:
    return SourceError(place, "the mark of the last reading is of another kind", _FULL)
