"""People that no source names any more, and who stay: this tool did not put them there."""

from collections.abc import Iterator, Mapping, Sequence

from sync.records.base import Key, Kind
from sync.report.wording import key_text, plural

FIRST = 5
"""Keys that are named unless all are asked for."""

_REMEDIES = {
    Kind.STAFF: ("disable", "staff KEY"),
    Kind.CONTRIBUTOR: ("remove", "contributor TEST STAFF"),
    Kind.CANDIDATE: ("remove", "candidate TEST LEARNER"),
}


def stays_text(stays: Mapping[Kind, Sequence[Key]], most: int | None = FIRST) -> Iterator[str]:
    """Yield a line for each kind: how many stay, the first keys, and how to remove them."""
    for kind, keys in stays.items():
        named = ", ".join(key_text(key) for key in keys[:most])
        more = (
            ""
            if most is None or len(keys) <= most
            else f" and {len(keys) - most:,} more (--all shows them)"
        )
        verb = "stays" if len(keys) == 1 else "stay"
        remove, record = _REMEDIES[kind]
        yield (
            f"Stays: {plural(len(keys), kind)} {verb}, put there by hand, although no source names "
            f"them any more: {named}{more}; if they are to go, {remove} them in Inspera, or run "
            f"`adopt {record} --managed` for one that this tool put there"
        )


def stays_json(stays: Mapping[Kind, Sequence[Key]]) -> list[dict[str, object]]:
    """Return the same for programs."""
    return [
        {"kind": kind, "count": len(keys), "keys": [list(key) for key in keys]}
        for kind, keys in stays.items()
    ]
