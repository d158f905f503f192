"""The way of a row, step by step, ends where the mapping of the row ends."""

from hypothesis import given, settings
from hypothesis import strategies as st
from sync.mapping import FeedRule, FieldRule, compile_feed
from sync.records.base import Kind, Row

from .feeds import LEARNER, MAPS, PLACE, TEST
from .test_properties import CAREFUL, rows


@given(rows(), st.booleans(), st.booleans())
@settings(max_examples=60)
def test_the_last_step_of_a_field_is_its_value_in_the_record(
    kind_and_row: tuple[Kind, Row], careful: bool, clear_blanks: bool
) -> None:
    kind, source = kind_and_row
    rules = {**MAPS[kind], **(CAREFUL[kind] if careful else {})}
    compiled = compile_feed(FeedRule(kind, rules, {}, clear_blanks), PLACE)
    made, trace = compiled.map(source), compiled.trace(source)
    if made is None or isinstance(made, list):
        return
    for way in trace.fields:
        assert not way.error or way.field == "email"
        if way.field not in {"extra_time", "value"} and not way.error:
            assert way.steps[-1].value == getattr(made, way.field)


def test_a_step_is_named_as_the_feed_names_it() -> None:
    rules = {
        **TEST,
        "start": FieldRule(column="start", format="%d.%m.%Y %H:%M", zone="Europe/Oslo"),
        "end": FieldRule(computed="start + duration"),
    }
    row = Row(
        7,
        {
            "course": "INF1",
            "term": "H26",
            "name": " Prøve ",
            "minutes": "60",
            "start": "01.12.2026 09:00",
            "template": "",
        },
    )
    ways = {
        way.field: way
        for way in compile_feed(FeedRule(Kind.TEST, rules, {}), PLACE).trace(row).fields
    }
    assert [step.what for step in ways["start"].steps] == [
        "column start",
        "format %d.%m.%Y %H:%M, zone Europe/Oslo",
    ]
    assert (ways["title"].steps[0].what, ways["title"].cells["name"]) == (
        "template {course} {name}",
        " Prøve ",
    )
    assert [step.what for step in ways["end"].steps] == ["computed"]
    assert ways["template"].steps[-1] == ("default", "1001")


def test_conditions_say_which_of_them_selects_the_row() -> None:
    rule = FeedRule(
        Kind.LEARNER,
        LEARNER,
        {"status": ("active",)},
        where_not={"mail": ("none",)},
        departure={"status": ("gone",)},
    )
    row = Row(
        7, {"no": "1", "login": "a", "given": "A", "family": "B", "mail": "", "status": "gone"}
    )
    trace = compile_feed(rule, PLACE).trace(row)
    assert [(one.setting, one.column, one.met) for one in trace.conditions] == [
        ("where", "status", False),
        ("where_not", "mail", True),
        ("departure", "status", True),
    ]
    assert not trace.selected


def test_a_field_that_cannot_be_used_has_its_steps_and_the_reason() -> None:
    row = Row(7, {"no": "1", "login": "a\u200bb", "given": "A", "family": "B", "mail": ""})
    ways = {
        way.field: way
        for way in compile_feed(FeedRule(Kind.LEARNER, LEARNER, {}), PLACE).trace(row).fields
    }
    assert ways["username"].error.startswith("holds a character that nobody sees")
    assert ways["username"].steps == [("column login", "a\u200bb")]
