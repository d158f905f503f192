"""Who gets a role for the whole tenant because they are put on a test."""

from collections.abc import Iterable, Iterator

from sync.contract import ROLE_TITLES
from sync.planning.tenant_roles import RoleGain
from sync.text.masking import masked

FIRST = 5
"""Keys that are named unless all are asked for."""


def role_gains_text(gains: Iterable[RoleGain]) -> Iterator[str]:
    """Yield a line for each role: who gets it, or may get it."""
    for gain in gains:
        named = ", ".join(map(masked, gain.keys))
        title = ROLE_TITLES.get(gain.role, gain.role)
        verb = "becomes" if gain.total == 1 else "become"
        verb = verb if gain.certain else "may become"
        who, after = named, ""
        if gain.total > 1:
            more = gain.total - len(gain.keys)
            who, after = f"{gain.total:,} staff", f": {named}"
            after += f" and {more:,} more (--all shows them)" if more else ""
        yield (
            f"Roles: {who} {verb} {title} of the tenant (role {gain.role}) by being put on a "
            f"test{after}; taking them off the test does not take the role back"
        )


def role_gains_json(gains: Iterable[RoleGain]) -> list[dict[str, object]]:
    """Return the same for programs."""
    return [
        {
            "role": gain.role,
            "certain": gain.certain,
            "count": gain.total,
            "keys": [masked(key) for key in gain.keys],
        }
        for gain in gains
    ]
