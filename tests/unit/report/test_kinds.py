"""Every kind in plans: lists as lists, pins never, people by key alone."""

import json
from typing import Any

import pytest
from sync.records.base import DIGEST_PREFIX, Kind, joined
from sync.records.changes import Action, Change, Fields, PlannedChange, Verdict
from sync.report.plan_json import plan_json
from sync.report.plan_text import plan_text, summary_text

DIGESTS = (f"{DIGEST_PREFIX}0a1b2c3d", f"{DIGEST_PREFIX}9f8e7d6c")


def a_line(change: Change, reason: str = "") -> PlannedChange:
    return PlannedChange(1, change, Verdict.PASS, reason, "", "0", 1, None, "marker7531pin")


def update(kind: Kind, key: tuple[str, ...], before: Fields, after: Fields) -> PlannedChange:
    return a_line(Change(Action.UPDATE, kind, key, before, after, tuple(after), "rows.csv line 2"))


def text_of(line: PlannedChange) -> str:
    (_, _, text) = plan_text([line], {})
    return text


def json_of(line: PlannedChange) -> dict[str, Any]:
    (told,) = json.loads("".join(plan_json([line], [], {})))["changes"]
    changed: dict[str, Any] = told["changed"]
    return changed


@pytest.mark.parametrize(("before", "after"), [(None, DIGESTS[0]), DIGESTS, (DIGESTS[0], None)])
def test_what_stands_for_a_pin_is_never_shown_only_that_it_changes(
    before: str | None, after: str | None
) -> None:
    line = update(Kind.OPTION, ("T", "SEB_SETTINGS_PINCODE"), {"value": before}, {"value": after})
    assert (
        text_of(line) == "  update option T / SEB_SETTINGS_PINCODE: value changes (rows.csv line 2)"
    )
    assert json_of(line) == {"value": None}
    assert "marker7531pin" not in repr(line)


def test_other_options_are_shown_old_and_new() -> None:
    line = update(Kind.OPTION, ("T", "LOCKDOWN_BROWSER"), {"value": "false"}, {"value": "true"})
    assert (
        text_of(line)
        == "  update option T / LOCKDOWN_BROWSER: value false → true (rows.csv line 2)"
    )
    assert json_of(line) == {"value": ["false", "true"]}


def test_lists_are_shown_as_lists() -> None:
    before = {"roles": "evaluate", "committees": None}
    after = {"roles": joined(["monitor", "evaluate"]), "committees": joined(["B", "Å"])}
    line = update(Kind.CONTRIBUTOR, ("T", "7"), before, after)
    assert text_of(line) == (
        "  update contributor T / 7: roles evaluate → evaluate, monitor, committees (nothing) → "
        "B, Å (rows.csv line 2)"
    )
    assert json_of(line) == {
        "roles": [["evaluate"], ["evaluate", "monitor"]],
        "committees": [[], ["B", "Å"]],
    }


@pytest.mark.parametrize("kind", [Kind.LEARNER, Kind.STAFF])
def test_nobodys_name_is_reported_whichever_kind_of_person_they_are(kind: Kind) -> None:
    line = update(kind, ("7",), {"last_name": "Prøvesen"}, {"last_name": "Øvelsesen"})
    assert text_of(line) == f"  update {kind} 7: last_name changes (rows.csv line 2)"
    assert json_of(line) == {"last_name": None}


@pytest.mark.parametrize("action", [Action.DISABLE, Action.DELETE])
def test_anyone_who_leaves_is_reported_with_why_or_with_the_row_that_says_so(
    action: Action,
) -> None:
    absent = Change(action, Kind.STAFF, ("7",), reason="no source names this person any more")
    assert text_of(a_line(absent)) == f"  {action} staff 7 (no source names this person any more)"
    asked = Change(action, Kind.STAFF, ("7",), where="staff.csv line 2", reason="its row says so")
    assert text_of(a_line(asked)) == f"  {action} staff 7 (staff.csv line 2)"


def test_the_summary_counts_kinds_in_their_plural() -> None:
    tally = {
        (Kind.STAFF, Action.CREATE, Verdict.PASS): 2,
        (Kind.STAFF, Action.DISABLE, Verdict.PASS): 1,
        (Kind.COMMITTEE, Action.CREATE, Verdict.PASS): 2,
        (Kind.OPTION, Action.UPDATE, Verdict.PASS): 1,
        (Kind.CONTRIBUTOR, Action.REMOVE, Verdict.DEFERRED): 1,
    }
    assert summary_text(tally, 0, 0) == (
        "Summary: create 2 committees, create 2 staff, disable 1 staff, update 1 option; 1 "
        "deferred; 0 row errors."
    )
