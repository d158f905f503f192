"""Every cause has the number of a rule, and that rule is on the page that users read."""

import re

import pytest
from sync.commands.help import help_text
from sync.records.base import Kind
from sync.records.changes import Cause
from sync.records.rule_numbers import RULE_OF, SafetyRule, cited, rule_of, rule_of_field


def test_every_cause_has_a_rule_except_the_one_of_changes_that_go_ahead() -> None:
    assert set(RULE_OF) == set(Cause), "add the new cause to RULE_OF in records/rule_numbers.py"
    assert [cause for cause, rule in RULE_OF.items() if rule is None] == [Cause.NONE]


def test_every_rule_is_on_the_page_of_the_rules() -> None:
    page = help_text("rules", terminal=False)
    numbers = {int(number) for number in re.findall(r"^\**(\d+)\. ", page, re.M)}
    assert set(SafetyRule) <= numbers


@pytest.mark.parametrize(
    ("cause", "kind", "rule"),
    [
        (Cause.FREEZE, Kind.CANDIDATE, 16),
        (Cause.BEGUN, Kind.CANDIDATE, 8),
        (Cause.BEGUN, Kind.OPTION, 16),
        (Cause.DRIFT, Kind.TEST, 17),
        (Cause.DRIFT, Kind.CANDIDATE, 13),
        (Cause.NONE, Kind.TEST, None),
    ],
)
def test_the_rule_of_a_cause_can_depend_on_the_kind(
    cause: Cause, kind: Kind, rule: int | None
) -> None:
    assert rule_of(cause, kind) == rule


def test_a_row_error_without_a_closer_rule_is_one_of_rules_6() -> None:
    assert (rule_of_field("first_name"), rule_of_field("start")) == (6, 14)
    assert (cited(SafetyRule.FREEZE), cited(None)) == ("rules 16", "")
