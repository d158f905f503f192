"""Two combinations of source values that make one key are told apart by their origins."""

from collections import defaultdict
from itertools import product
from unicodedata import normalize

import pytest
from sync.mapping import SEPARATOR, CompiledFeed, FeedRule, FieldRule, Origin, compile_feed
from sync.records.base import Kind, Row

from .feeds import candidate, feed, row

PARTS = [
    "".join(letters)
    for length in (1, 2, 3)
    for letters in product("a-e\u0301 ", repeat=length)
    if "".join(letters).strip()
]


def feed_by(rule: FieldRule) -> CompiledFeed:
    """A feed of candidates whose test is made by this rule."""
    rules = {"test": rule, "learner": FieldRule(column="no")}
    return compile_feed(FeedRule(Kind.CANDIDATE, rules, {}), "rows.csv")


def made(rule: FieldRule, **values: str) -> tuple[str, Origin | None]:
    """The test's key and the origin of a candidate whose test is made by this rule."""
    compiled, source = feed_by(rule), Row(2, {**values, "no": "1"})
    return candidate(compiled.map(source)).test, compiled.origin(source)


def test_a_key_that_reads_in_one_way_only_has_no_origin() -> None:
    assert feed(Kind.CANDIDATE).origin(row(Kind.CANDIDATE)) is None
    assert feed(Kind.TEST).origin(row(Kind.TEST)) is None
    assert feed(Kind.LEARNER).origin(row(Kind.LEARNER)) is None


def test_a_value_that_holds_the_template_s_text_gives_one_for_its_part_of_the_key() -> None:
    origin = feed(Kind.CANDIDATE).origin(row(Kind.CANDIDATE, course="EX-1"))
    assert origin == (f"EX-1{SEPARATOR}2026V", None)
    assert feed(Kind.TEST).origin(row(Kind.TEST, term="2026-V")) == (f"EX100{SEPARATOR}2026-V",)


def test_places_that_touch_always_give_one() -> None:
    rule = FieldRule(template="{a}{b}")
    one, other = made(rule, a="EX1", b="12026"), made(rule, a="EX11", b="2026")
    assert one[0] == other[0]
    assert one[1] != other[1]


@pytest.mark.parametrize("template", ["{a}-{b}", "{a}{b}", "{a} {b}", "x{a}e{b}", "{a}\u00e9{b}"])
def test_no_two_combinations_with_one_key_have_one_origin(template: str) -> None:
    compiled = feed_by(FieldRule(template=template))
    found: dict[str, dict[tuple[str, str], Origin | None]] = defaultdict(dict)
    for a, b in product(PARTS, repeat=2):
        source = Row(2, {"a": a, "b": b, "no": "1"})
        origin = compiled.origin(source)
        combination = (normalize("NFC", a.strip()), normalize("NFC", b.strip()))
        assert found[candidate(compiled.map(source)).test].setdefault(combination, origin) == origin
    shared = [origins for origins in found.values() if len(origins) > 1]
    assert shared
    assert all(None not in origins.values() for origins in shared)
    assert all(len(set(origins.values())) == len(origins) for origins in shared)


def test_three_places_are_distinguished_alike() -> None:
    rule = FieldRule(template="{a}-{b}-{c}")
    one, other = made(rule, a="x-y", b="z", c="w"), made(rule, a="x", b="y-z", c="w")
    assert one[0] == other[0] == "x-y-z-w"
    assert None not in (one[1], other[1])
    assert one[1] != other[1]


def test_the_groups_of_a_pattern_are_distinguished_alike() -> None:
    rule = FieldRule(column="x", pattern="(?P<a>[^/]+)/(?P<b>.+)", template="{a}-{b}")
    one, other = made(rule, x="EX-1/2"), made(rule, x="EX/1-2")
    assert one[0] == other[0] == "EX-1-2"
    assert one[1] != other[1]
    assert made(rule, x="EX1/2")[1] is None


def test_combinations_that_differ_only_in_a_case_that_the_feed_changes_are_one() -> None:
    rule = FieldRule(template="{a}x{b}", case="upper")
    assert made(rule, a="ex", b="1") == made(rule, a="EX", b="1") == made(rule, a="Ex", b="1")
    one, other = made(rule, a="ax", b="xb"), made(rule, a="a", b="XXb")
    assert one[0] == other[0] == "AXXXB"
    assert one[1] != other[1]


def test_both_parts_of_a_candidate_s_key_may_have_one() -> None:
    rules = {"test": FieldRule(template="{a}-{b}"), "learner": FieldRule(template="{b}.{c}")}
    compiled = compile_feed(FeedRule(Kind.CANDIDATE, rules, {}), "rows.csv")
    assert compiled.origin(Row(2, {"a": "x", "b": "y", "c": "1.2"})) == (None, f"y{SEPARATOR}1.2")
    assert compiled.origin(Row(2, {"a": "x", "b": "y-.", "c": "1"})) == (
        f"x{SEPARATOR}y-.",
        f"y-.{SEPARATOR}1",
    )
    assert compiled.origin(Row(2, {"a": "x", "b": "y", "c": "1"})) is None


def test_a_key_of_one_column_has_none_whatever_it_holds() -> None:
    assert made(FieldRule(column="a"), a="EX-1-\u00e5")[1] is None
    assert made(FieldRule(template="EX-{a}"), a="EX-1-\u00e5")[1] is None


@pytest.mark.parametrize("values", [{}, {"a": "x"}, {"a": "", "b": "-"}, {"a": "x\x01", "b": "-"}])
def test_a_row_whose_key_can_t_be_read_has_none_and_does_not_fail(values: dict[str, str]) -> None:
    rules = {"test": FieldRule(template="{a}-{b}"), "learner": FieldRule(column="no")}
    assert (
        compile_feed(FeedRule(Kind.CANDIDATE, rules, {}), "rows.csv").origin(Row(2, values)) is None
    )
