"""The vendor's limits of access groups: what is beyond them becomes a row error, by name."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from sync.contract import MAX_ACCESS_GROUPS, MAX_GROUP_MEMBERS
from sync.records.base import Kind, RowError, listed
from sync.state.dialect import stream
from sync.state.staging.scratch import add_row_errors, drop_invalid, read_pages

_MOST_COUNTED = 10 * MAX_ACCESS_GROUPS
"""The most groups that are counted; each further one is beyond the limit in any case."""

_WANTED = (
    "SELECT rowid, key, feed, line, accesses FROM wanted_staff WHERE rowid > :last"
    " AND accesses <> '' AND coalesce(status, '') <> 'disabled' ORDER BY rowid LIMIT 2000"
)
_REMEDY = "leave it out of the source, or translate it with a `lookup` in the map of `accesses`"


def find_excess(connection: Connection, places: Sequence[str]) -> None:
    """Turn wanted staff with an access group beyond the vendor's limits into row errors.

    Groups and members that Inspera is known to have come first. `places` name the feeds' sources
    by the feed's number.
    """
    sizes = _sizes(connection)
    large = {group for group, size in sizes.items() if size > MAX_GROUP_MEMBERS}
    if len(sizes) <= MAX_ACCESS_GROUPS and not large:
        return  # As on most days.
    members = _known_members(connection, sizes, large)
    kept = sorted(sizes, key=lambda group: (group not in members, -sizes[group], group))
    judge = _Judge(frozenset(kept[:MAX_ACCESS_GROUPS]), large, members)
    add_row_errors(
        connection,
        (error for row in read_pages(connection, _WANTED) for error in judge.errors(row, places)),
    )
    drop_invalid(connection, Kind.STAFF)


def _sizes(connection: Connection) -> Counter[str]:
    """Return how many wanted staff each group has."""
    sizes = Counter[str]()
    for row in read_pages(connection, _WANTED):
        for group in listed(row.accesses):
            if group in sizes or len(sizes) < _MOST_COUNTED:
                sizes[group] += 1
    return sizes


def _known_members(
    connection: Connection, sizes: Mapping[str, int], large: Collection[str]
) -> dict[str, set[str]]:
    """Return the groups that Inspera is known to have, and the members of those too large."""
    members: dict[str, set[str]] = {}
    known = "SELECT key, accesses FROM known_staff WHERE accesses <> ''"
    for row in stream(connection, known):
        for group in listed(row.accesses):
            if group in sizes:
                members.setdefault(group, set()).update({row.key} if group in large else ())
    return members


class _Judge:
    """What each row may have of the groups, in the order of the rows."""

    def __init__(
        self, kept: Collection[str], large: Collection[str], members: Mapping[str, set[str]]
    ) -> None:
        self._kept, self._members = kept, members
        self._free = {group: MAX_GROUP_MEMBERS - len(members.get(group, ())) for group in large}

    def errors(self, row: Any, places: Sequence[str]) -> Iterator[RowError]:
        """Yield what is wrong with a row."""
        for group in listed(row.accesses):
            reason = self._reason(group, row.key)
            if reason:
                where = f"{places[row.feed]} {row.line}"
                yield RowError(where, "accesses", reason, _REMEDY, Kind.STAFF, (row.key,))

    def _reason(self, group: str, key: str) -> str:
        if group not in self._kept:
            return f"{group!r} is beyond the {MAX_ACCESS_GROUPS:,} access groups of a tenant"
        if group not in self._free or key in self._members.get(group, ()):
            return ""
        self._free[group] -= 1
        full = f"access group {group!r} has more than the {MAX_GROUP_MEMBERS:,} members of a group"
        return "" if self._free[group] >= 0 else full
