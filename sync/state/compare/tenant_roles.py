"""Who would get a role for the whole tenant, by the changes of a plan that pass."""

import json
from collections.abc import Iterator

from sqlalchemy import Connection, text

from sync.planning.tenant_roles import RoleGain
from sync.records.base import Kind, listed
from sync.records.changes import Action, Verdict
from sync.state.dialect import insert, stream
from sync.state.staging.scratch import chunks

_GIVEN = (
    "SELECT k2, before, after FROM plan"
    f" WHERE kind = '{Kind.CONTRIBUTOR}' AND verdict = '{Verdict.PASS}'"
    f" AND action IN ('{Action.CREATE}', '{Action.UPDATE}')"
)


def _holds(roles: str) -> str:
    """Return the SQL for whether a list of roles contains that of the row `g`."""
    items = f"'\n' || lower({roles}) || '\n'"
    plain, prefixed = (f"'\n{prefix}' || g.role || '\n'" for prefix in ("", "ar_"))
    return (
        f"(replace({items}, {plain}, '') <> {items} OR replace({items}, {prefixed}, '') <> {items})"
    )


_ACCESSES = "coalesce(w.accesses, k.accesses)"
# An account that is not known is made in this run, so that it has only the roles of its row. A role
# on a test that this tool has assigned before is one that the account has got by that.
_GAINS = f"""
    SELECT DISTINCT g.role AS role, g.staff AS staff,
        CASE WHEN {_ACCESSES} IS NULL AND k.key IS NOT NULL THEN 0 ELSE 1 END AS certain
    FROM given_role g
    LEFT JOIN wanted_staff w ON w.key = g.staff
    LEFT JOIN known_staff k ON k.key = g.staff
    WHERE NOT ({_ACCESSES} IS NOT NULL AND {_holds(_ACCESSES)})
      AND NOT EXISTS (SELECT 1 FROM known_contributor c
          WHERE c.staff = g.staff AND c.roles IS NOT NULL AND {_holds("c.roles")})
"""


def read_gains(connection: Connection, most: int | None) -> list[RoleGain]:
    """Return each role with how many people get it and the first keys; all keys without `most`.

    Needs a closed plan.
    """
    connection.execute(text("DELETE FROM given_role"))
    for chunk in chunks(_given(connection)):
        insert(connection, "given_role", ("role", "staff"), chunk)
    totals = text(
        f"SELECT role, certain, count(*) AS total FROM ({_GAINS}) n GROUP BY role, certain"
        " ORDER BY certain DESC, role"
    )
    first = text(
        f"SELECT staff FROM ({_GAINS}) n WHERE role = :role AND certain = :certain ORDER BY staff"
        + ("" if most is None else " LIMIT :most")
    )
    gains: list[RoleGain] = []
    for row in connection.execute(totals).fetchall():
        values = {
            "role": row.role,
            "certain": row.certain,
            **({} if most is None else {"most": most}),
        }
        keys = [str(key) for (key,) in connection.execute(first, values)]
        gains.append(RoleGain(row.role, bool(row.certain), row.total, keys))
    return gains


def _given(connection: Connection) -> Iterator[tuple[object, ...]]:
    """Yield each role that a change of the plan gives, with the key of the person."""
    for row in stream(connection, _GIVEN):
        before, after = json.loads(row.before), json.loads(row.after)
        for role in set(listed(after.get("roles"))) - set(listed(before.get("roles"))):
            yield role.lower(), row.k2
