"""Answers that are lost on their way: the same run finds out what became of the calls, and ends well."""

from collections.abc import Callable

import pytest

from ...support.process_university import SEATS, STUDENT, TEST, ProcessUniversity

LATE = 299
"""The status by which the late call is told from all others in the log; nobody hears it."""

LOST = [
    {"status": "reset", "when": "after"},
    {"status": "reset", "when": "before"},
    {"status": 502, "when": "after"},
]


@pytest.mark.parametrize(
    "lost", LOST, ids=["carried-out-then-reset", "reset-at-once", "carried-out-then-502"]
)
@pytest.mark.parametrize("path", [STUDENT, TEST, SEATS], ids=["learners", "tests", "candidates"])
def test_a_lost_answer_is_settled_in_the_same_run_without_a_second_template(
    new: ProcessUniversity,
    path: str,
    lost: dict[str, object],
    nothing_left: Callable[[ProcessUniversity], bool],
) -> None:
    new.rule("POST", path, times=2, skip=1, **lost)
    new.apply()
    assert new.contents() == new.rows.expected()
    assert new.unknown() == set()
    assert nothing_left(new)


def test_a_create_that_comes_through_late_is_waited_for_after_a_kill_however_old_its_intent_is(
    new: ProcessUniversity,
) -> None:
    """Its intent is made first, then Inspera asks for a pause, and only then is the call made that is lost."""
    new.settings |= {"read_after_write_delay": "2s", "workers": 1}
    new.rule("POST", TEST, status=429, headers={"Retry-After": "2"})
    run = new.start()
    new.until(lambda: any(call["status"] == 429 for call in new.calls()), run)
    new.rule("POST", TEST, delay=1.2, status=LATE, when="after")
    new.until(new.rule_met, run)
    run.kill()
    assert new.writes("POST", TEST) == 0
    new.apply()
    assert any(call["status"] == LATE for call in new.calls()), (
        "it came through while the next run was looking for it"
    )
    assert new.contents() == new.rows.expected()
