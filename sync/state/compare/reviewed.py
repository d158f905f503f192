"""The comparison of a plan that a person has reviewed with the plan of now."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from sync.state.dialect import analyse, create_index, insert
from sync.state.sqlite.open import count
from sync.state.staging.scratch import chunks

MOST = 3
"""The keys of each type of difference that are named."""

_THEN, _NOW = 0, 1

_COLUMNS = ("kind", "k1", "k2", "hash")


@dataclass(frozen=True, slots=True)
class ReviewDifferences:
    """How many changes are new, gone or different since the review, with the first of each.

    The first ones are named as a person types them, such as `candidate INF1000-H26 1001`.
    """

    new: int
    gone: int
    different: int
    first_new: Sequence[str] = ()
    first_gone: Sequence[str] = ()
    first_different: Sequence[str] = ()

    def __bool__(self) -> bool:
        """Tell whether there is any difference."""
        return bool(self.new or self.gone or self.different)


def find_differences(
    connection: Connection,
    then: Iterable[tuple[str, str, str, str]],
    now: Iterable[tuple[str, str, str, str]],
) -> ReviewDifferences:
    """Compare the changes of two plans by kind, key and hash. Memory does not grow with them."""
    connection.execute(text("DELETE FROM reviewed"))  # a run may compare a second time
    for plan, lines in ((_THEN, then), (_NOW, now)):
        for chunk in chunks(lines):
            insert(connection, "reviewed", _COLUMNS, [tuple(line) for line in chunk], plan=plan)
    create_index(connection, "ix_reviewed", "reviewed (kind, k1, k2, plan)")
    analyse(connection, "reviewed")
    new, first_new = _without(connection, _NOW, _THEN)
    gone, first_gone = _without(connection, _THEN, _NOW)
    # A masked key can stand for several records, so a hash is looked for among all of its key.
    other = (
        f"FROM reviewed r WHERE r.plan = {_NOW} AND EXISTS ({_SAME.format(_THEN)})"
        f" AND NOT EXISTS ({_SAME.format(_THEN)} AND o.hash = r.hash)"
    )
    different, first = _count_and_first(connection, other)
    return ReviewDifferences(new, gone, different, first_new, first_gone, first)


_SAME = (
    "SELECT 1 FROM reviewed o WHERE o.plan = {} AND o.kind = r.kind AND o.k1 = r.k1 AND o.k2 = r.k2"
)


def _without(connection: Connection, plan: int, other: int) -> tuple[int, list[str]]:
    """Return how many changes only this plan has, and the first of them."""
    return _count_and_first(
        connection,
        f"FROM reviewed r WHERE r.plan = {plan} AND NOT EXISTS ({_SAME.format(other)})",
    )


def _count_and_first(connection: Connection, where: str) -> tuple[int, list[str]]:
    query = f"SELECT r.kind, r.k1, r.k2 {where} ORDER BY r.kind, r.k1, r.k2 LIMIT {MOST}"
    first = [
        " ".join(part for part in row if part) for row in connection.execute(text(query)).fetchall()
    ]
    return count(connection, f"SELECT count(*) {where}"), first
