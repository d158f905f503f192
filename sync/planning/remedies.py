"""The remedies where Inspera and the source disagree, as commands to type. Pure."""

import shlex
from collections.abc import Iterable

from sync.records.base import Key, Kind, listed
from sync.records.changes import Fields, Value

_UNTOLD = frozenset({"first_name", "last_name", "email"})
"""Fields that identify a person: a message names the fields that differ, not their values."""


def adopt(kind: Kind, key: Key, flag: str = "") -> str:
    """Return the command that settles one record, such as `adopt test INF1000-H26 --keep`."""
    words = ["adopt", kind.value, *map(shlex.quote, key), *([flag] if flag else [])]
    return f"`{' '.join(words)}`"


def accept_shrink(source: str) -> str:
    """Return the command that confirms a source although it has become shorter."""
    return f"`apply --accept-shrink {source}`"


def allow(*digests: str, accepted: Iterable[str] = ()) -> str:
    """Return the command that lets the changes of these hashes pass.

    `accepted` are the sources that a person has accepted although they have become shorter.
    """
    flags = [f"--accept-shrink {source}" for source in accepted]
    return " ".join(("apply", *flags, *(f"--allow {digest}" for digest in digests)))


def fields_text(fields: Fields, names: Iterable[str]) -> str:
    """Return these fields with their values: `start 2026-12-01T08:00:00Z, room B12`."""
    return ", ".join(
        name if name in _UNTOLD else f"{name} {_shown(fields.get(name))}" for name in names
    )


def _shown(value: Value) -> str:
    return "(nothing)" if value in (None, "") else " and ".join(listed(value))


def sends_text(wanted: Fields, names: Iterable[str], where: str) -> str:
    """Return what the next `apply` sends of these fields, and which row; empty for nothing."""
    sent = [name for name in names if wanted.get(name) is not None]
    if not sent:
        return ""
    return f"send {fields_text(wanted, sent)}{f' ({where})' if where else ''}"


def disputed(kind: Kind, key: Key, wanted: Fields, names: Iterable[str], where: str) -> str:
    """Return what a person can do about fields that somebody has changed in Inspera."""
    sends = sends_text(wanted, names, where)
    if not sends:
        return f"{adopt(kind, key)} takes Inspera's value as known; the source says nothing of it"
    return (
        f"{adopt(kind, key)} lets the next `apply` {sends}; {adopt(kind, key, '--keep')} keeps "
        "Inspera's value until the source's changes"
    )


def archived_text(words: str) -> str:
    """Return why nothing on an archived test changes, with Inspera's words."""
    return (
        f"the test is archived in Inspera and takes no changes ({words}); restore it there and "
        "run `inspera-sync apply --retry-refused`, or leave it out of the source"
    )


PARENT = (
    "the test is a parent of other tests (isAssessmentPath), which have the candidates; correct "
    "the source"
)
"""Why nothing is done with the candidates of a parent unasked, and what to do."""
