"""The finished plan in groups: the database and Python agree on what many records share."""

import pytest
from sync.planning.guard import Ruling
from sync.planning.reasons import general_reason
from sync.records.base import Key, Kind
from sync.records.changes import Action, Verdict

from .test_plan_table import LEARNERS, TESTS, fill_store, make_draft

pytestmark = pytest.mark.usefixtures("database")


@pytest.mark.parametrize(
    ("kind", "key", "other", "reason"),
    [
        (Kind.CANDIDATE, (TESTS[0], LEARNERS[1]), (TESTS[0], "x"), "waits for learner {} (held)"),
        (Kind.CONTRIBUTOR, (TESTS[0], LEARNERS[1]), (TESTS[0], "x"), "use `adopt staff {}`"),
        (Kind.TEST, (TESTS[1],), ("x",), "`adopt test {}`, as test {} has moved"),
        (Kind.LEARNER, ("0",), ("x",), "looks like learner {}1"),
    ],
)
def test_the_database_generalises_a_reason_as_python_does(
    kind: Kind, key: Key, other: Key, reason: str
) -> None:
    lines = [(one, reason.format(one[-1], one[-1])) for one in (key, other)]
    for store in fill_store([1] * 4, [(0, 1)]):
        store.plan.draft(
            make_draft(Action.CREATE, kind, *one, ruling=Ruling(Verdict.WAITING, text))
            for one, text in lines
        )
        store.plan.close()
        groups = {group.reason for group in store.plan.groups(Verdict.WAITING, 5)}
        assert groups == {general_reason(kind, one, text) for one, text in lines}
