"""Why the plan has no change for a record."""

from dataclasses import replace

import pytest
from sync.planning.nothing import RowState, Standing, why_nothing
from sync.records.base import Kind

KNOWN = Standing(kind=Kind.CANDIDATE, row=RowState.MISSING, lifecycle="active")


@pytest.mark.parametrize(
    ("about", "text", "rule"),
    [
        (replace(KNOWN, has_feed=False), "no feed is of kind candidate", None),
        (replace(KNOWN, row=RowState.ROW_ERROR, row_error_rule=14), "what is known about it", 14),
        (replace(KNOWN, row=RowState.ROW_ERROR, lifecycle=None), "so it is not sent", 6),
        (replace(KNOWN, row=RowState.WANTED, unsent=True), "had ended before", 35),
        (replace(KNOWN, row=RowState.WANTED, retired=True), "its test is retired", 8),
        (replace(KNOWN, row=RowState.WANTED), "what the sources want", 27),
        (replace(KNOWN, row=RowState.WANTED, lifecycle=None), "the source leaves it", None),
        (replace(KNOWN, lifecycle=None), "no source names it, and this state does not know", 5),
        (replace(KNOWN, row=RowState.DEPARTED, managed=False), "its row says that it departs", 10),
        (replace(KNOWN, lifecycle="retired"), "it is retired already", 8),
        (replace(KNOWN, row_error_rule=30), "a row with an error may mean it", 30),
        (replace(KNOWN, kept=True), "on_absence.candidate is keep", None),
        (replace(KNOWN, retired=True), "its test has ended", 8),
        (replace(KNOWN, kind=Kind.LEARNER, named_by=1), "still have this person", 7),
        (replace(KNOWN, kind=Kind.OPTION), "an option is never unset", None),
        (KNOWN, "its absence changes nothing", 5),
    ],
)
def test_each_condition_has_its_reason_and_rule(
    about: Standing, text: str, rule: int | None
) -> None:
    reason, number = why_nothing(about)
    assert (text in reason, number) == (True, rule), reason
