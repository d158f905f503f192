"""The activation of a test (vendor contract, Test API: activating)."""

from collections.abc import Iterator
from sqlite3 import Connection, Row

from sync.sandbox.tests import find_open_test
from sync.sandbox.wire import Answer, ReceivedCall, Refusal


def post_activate(db: Connection, call: ReceivedCall) -> Answer:
    """Answer `POST /v1/test/{testId}/activate`: the test becomes active.

    It is refused while the test has no candidate or no committee, since nobody could sit or grade
    it, and while it is archived. Only the first activation counts: a second one changes nothing.
    """
    test = find_open_test(db, call)
    if lacks := list(_lacks(db, test)):
        raise Refusal(
            400, f"test {test['run_id']} cannot be activated: it has no {' and no '.join(lacks)}"
        )
    activate(db, test["external_id"])
    return Answer(200, {"success": True})


def activate(db: Connection, external_id: str) -> None:
    """Activate a test, or leave it activated."""
    db.execute("UPDATE tests SET activated = 1 WHERE external_id = ?", (external_id,))


def _lacks(db: Connection, test: Row) -> Iterator[str]:
    for table, word in (("candidates", "candidate"), ("committees", "committee")):
        query = f"SELECT 1 FROM {table} WHERE run_id = ?"  # noqa: S608 - one of the two above
        if db.execute(query, (test["run_id"],)).fetchone() is None:
            yield word
