"""Those whom no source names any more, and who stay since this tool did not put them there."""

from collections.abc import Iterator, Mapping, Sequence

from sync.records.base import Key, Kind
from sync.report.wording import key_text, plural

FIRST = 5
"""Keys that are named unless all are asked for."""

_REMEDY = {
    Kind.STAFF: "disable them in Inspera, or take one of this tool's as managed with `adopt staff KEY --managed`",
    Kind.CONTRIBUTOR: "remove them in Inspera, or take one of this tool's as managed with `adopt contributor TEST STAFF --managed`",
    Kind.CANDIDATE: "remove them in Inspera, or take one of this tool's as managed with `adopt candidate TEST LEARNER --managed`",
}


def stays_text(stays: Mapping[Kind, Sequence[Key]], most: int | None = FIRST) -> Iterator[str]:
    """Return a line for each kind: how many stay, the first keys, and what to do if they are not to stay."""
    for kind, keys in stays.items():
        named = ", ".join(key_text(key) for key in keys[:most])
        more = (
            ""
            if most is None or len(keys) <= most
            else f" and {len(keys) - most:,} more (--all shows them)"
        )
        verb = "stays" if len(keys) == 1 else "stay"
        yield (
            f"Stays: {plural(len(keys), kind)} {verb}, put there by hand, although no source names them any more: "
            f"{named}{more}; if they are to go, {_REMEDY[kind]}"
        )


def stays_json(stays: Mapping[Kind, Sequence[Key]]) -> list[dict[str, object]]:
    """Return the same for programs."""
    return [
        {"kind": kind, "count": len(keys), "keys": [list(key) for key in keys]}
        for kind, keys in stays.items()
    ]
