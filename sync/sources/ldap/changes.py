"""Reads of changes: by times, or by the change numbers of Active Directory.

The mark of a time is `20260520070000Z`. The mark of a number is `HOST:NUMBER`, because each server
of Active Directory counts its own changes.
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
_READ_ALL = "run once without --changed"


@dataclass(slots=True)
class ChangeReader:
    """One read of changes.

    Attributes:
        place: the source, for people.
        attribute: the attribute with the time or the number of the last change.
        condition: a filter for the entries that changed; empty for all.
    """

    place: str
    attribute: str
    condition: str
    _mark: str
    _latest: datetime | None = None
    _bound: datetime | None = None
    _overlap: timedelta = timedelta()

    def narrow(self, filter_: str) -> str:
        """Return the filter for those entries that changed."""
        return f"(&{filter_}{self.condition})" if self.condition else filter_

    def see(self, number: int, entry: Entry) -> None:
        """Note when an entry changed.

        Raises:
            SourceError: the entry has no such value, so its next change would be missed.
        """
        values = entry.values.get(self.attribute.lower())
        if not values:
            reason = f"has no '{self.attribute}', so its changes can't be found"
            remedy = "let this account read that attribute, or remove 'updated_column'"
            raise SourceError(f"{self.place} entry {number}", reason, remedy)
        if self._bound:
            self._see_time(number, values[0])

    def mark(self) -> str:
        """Return the mark from which the next read starts."""
        if self._bound and self._latest:
            return generalized(min(self._latest, self._bound) - self._overlap)
        return self._mark

    def _see_time(self, number: int, value: bytes) -> None:
        try:
            moment = moment_of(value.decode())
        except ValueError:
            reason = f"the value of '{self.attribute}' is not a time"
            raise SourceError(
                f"{self.place} entry {number}", reason, "remove 'updated_column'"
            ) from None
        self._latest = max(self._latest or moment, moment)


def open_changes(
    searches: Searches, since: Since, attribute: str, overlap: timedelta, now: datetime
) -> ChangeReader:
    """Prepare a read of changes. `now` is this machine's time before the read.

    Raises:
        SourceError: this server can't find changes by this attribute, or not since this mark.
    """
    place, kind = searches.place, attribute.lower()
    root = searches.root("currentTime", "highestCommittedUSN", "dnsHostName")
    active = "highestcommittedusn" in root
    if kind not in (*_TIMES, _NUMBER):
        reason = f"can't find changes by '{since.column}'"
        raise SourceError(
            place, reason, "set 'updated_column' to modifyTimestamp, whenChanged or uSNChanged"
        )
    if active != (kind in ("whenchanged", _NUMBER)):
        fit = "uSNChanged or whenChanged" if active else "modifyTimestamp"
        raise SourceError(
            place,
            f"this server can't be searched by '{attribute}'",
            f"set 'updated_column' to {fit}",
        )
    if kind == _NUMBER:
        return _by_number(place, since, attribute, root)
    return _by_time(place, since, attribute, overlap, now, root.get("currenttime", ""))


def _by_number(place: str, since: Since, attribute: str, root: dict[str, str]) -> ChangeReader:
    host, highest = root.get("dnshostname", "").lower(), root["highestcommittedusn"]
    condition = ""
    if since.mark:
        match = re.fullmatch(r"(?P<host>[^:]*):(?P<number>[0-9]{1,19})", since.mark)
        if match is None:
            raise _unusable(place)
        if match["host"] != host:
            reason = (
                "another server answers than the last time, and each server counts its own changes"
            )
            raise SourceError(place, reason, f"{_READ_ALL}, or set 'servers' to one server")
        if int(match["number"]) > int(highest):
            raise SourceError(
                place, "the server has fewer changes than the last time: it was restored", _READ_ALL
            )
        condition = f"({attribute}>={int(match['number']) + 1})"
    return ChangeReader(place, attribute, condition, f"{host}:{highest}")


def _by_time(
    place: str, since: Since, attribute: str, overlap: timedelta, now: datetime, clock: str
) -> ChangeReader:
    condition = ""
    if since.mark:
        if not re.fullmatch(r"[0-9]{14}Z", since.mark):
            raise _unusable(place)
        written = (
            since.mark.replace("Z", ".0Z") if attribute.lower() == "whenchanged" else since.mark
        )
        condition = f"({attribute}>={written})"
    if clock:
        return ChangeReader(place, attribute, condition, generalized(moment_of(clock) - overlap))
    # A change during the read may be missed although a later one was seen: the next read never
    # starts after the beginning of this one.
    return ChangeReader(place, attribute, condition, since.mark, _bound=now, _overlap=overlap)


def _unusable(place: str) -> SourceError:
    return SourceError(place, "the mark of the last read is of another kind", _READ_ALL)
