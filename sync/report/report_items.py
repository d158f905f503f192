"""Changes, row errors and findings as the items of a report."""

import re
from collections.abc import Iterator

from sync.records.base import DIGEST_PREFIX, Kind, RowError
from sync.records.changes import Action, Change
from sync.records.kinds import COMPARED
from sync.report.report_model import FieldChange, Item

_COMMAND = re.compile(r"; (?=[^;]*\b(?:apply|approve|adopt|reject)\b)")
"""Where a reason ends and the command follows that settles it."""


def split_reason(reason: str) -> tuple[str, str]:
    """Return why, and what to do: the part of a reason from the first command on."""
    found = _COMMAND.search(reason)
    return (reason[: found.start()], reason[found.end() :]) if found else (reason, "")


def shared_remedy(item: Item) -> str:
    """Return what to do, unless that names the hash of this item alone."""
    return "" if item.digest and item.digest in item.remedy else item.remedy


def field_changes(change: Change) -> Iterator[FieldChange]:
    """Yield what differs in an update, and what a new record contains."""
    new = change.action in (Action.CREATE, Action.RESTORE, Action.ENABLE) and not change.before
    names = COMPARED[change.kind] if new else change.changed
    for name in names:
        before, after = change.before.get(name), change.after.get(name)
        if new and after in (None, ""):
            continue
        digests = any(str(value).startswith(DIGEST_PREFIX) for value in (before, after))
        yield FieldChange(name, before, after, change.kind is Kind.OPTION and digests)


def change_item(
    change: Change,
    result: str,
    reason: str = "",
    *,
    shared: str | None = None,
    digest: str | None = None,
    note: str = "",
) -> Item:
    """Return a change as an item; `shared` is its reason without what is its own."""
    why, remedy = split_reason(reason)
    return Item(
        kind=change.kind,
        key=change.key,
        result=result,
        action=change.action,
        fields=tuple(field_changes(change)),
        place=change.where,
        reason=why if shared is None else split_reason(shared)[0],
        remedy=remedy,
        digest=digest,
        note=note,
    )


def row_error_item(row_error: RowError) -> Item:
    """Return a row error as an item."""
    return Item(
        kind=row_error.kind,
        key=row_error.key,
        result="row error",
        place=row_error.where,
        reason=f"{row_error.field}: {row_error.reason}",
        remedy=row_error.remedy,
    )
