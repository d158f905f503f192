"""A whole row: a record, all of its row errors at once with the key as far as it can be read, or not selected."""

import pytest
from sync.mapping import FeedRule, FieldRule, compile_feed
from sync.records.base import Kind, Row, joined, utc_time
from sync.records.candidate import Candidate
from sync.records.committee import Committee
from sync.records.contributor import Contributor
from sync.records.learner import Learner
from sync.records.option import Option
from sync.records.staff import Staff
from sync.records.test import Test

from .feeds import CANDIDATE, LEARNER, ROWS, candidate, feed, learner, row, row_errors, test


def test_a_good_row_of_each_kind_makes_its_record() -> None:
    assert feed(Kind.LEARNER).map(row(Kind.LEARNER)) == Learner(
        "500001",
        "ase@example.edu",
        "ase@example.edu",
        "FEIDE",
        "Åse",
        "Øksempel",
        "ase@example.edu",
    )
    assert feed(Kind.TEST).map(row(Kind.TEST)) == Test(
        "EX100-2026V",
        "EX100-2026V",
        "EX100 Prøve i eksempler",
        utc_time("2026-05-20T07:00:00Z"),
        utc_time("2026-05-20T11:00:00Z"),
        240,
        "1001",
    )
    assert feed(Kind.CANDIDATE).map(row(Kind.CANDIDATE)) == Candidate(
        "EX100-2026V", "500001", "17", 30, "R1", "Bygg Å", joined(["A", "B"])
    )
    kari = "kari@example.edu"
    assert feed(Kind.STAFF).map(row(Kind.STAFF)) == Staff(
        "700001", kari, kari, "FEIDE", "Kari", "Øksempel", kari, "active", "author",
        joined(["Fakultet Å", "Institutt B"]),
    )  # fmt: skip
    assert feed(Kind.OPTION).map(row(Kind.OPTION)) == Option(
        "EX100-2026V", "LOCKDOWN_BROWSER", "true"
    )
    assert feed(Kind.COMMITTEE).map(row(Kind.COMMITTEE)) == Committee(
        "EX100-2026V", "Kommisjon Å", "GRADING"
    )
    assert feed(Kind.CONTRIBUTOR).map(row(Kind.CONTRIBUTOR)) == Contributor(
        "EX100-2026V", "700001", joined(["evaluate", "monitor"]), "Kommisjon Å", "R1", "Bygg Å", 1
    )


def test_a_field_that_is_not_mapped_stays_unsaid_even_when_blanks_clear() -> None:
    rules = {name: LEARNER[name] for name in ("external_id", "last_name")}
    made = compile_feed(FeedRule(Kind.LEARNER, rules, {}, clear_blanks=True), "rows.csv").map(
        row(Kind.LEARNER)
    )
    assert made == Learner("ase@example.edu", None, "ase@example.edu", None, None, "Øksempel")


def test_a_key_that_is_not_mapped_is_the_external_id() -> None:
    rules = {"external_id": FieldRule(column="login", case="upper")}
    made = learner(
        compile_feed(FeedRule(Kind.LEARNER, rules, {}), "rows.csv").map(row(Kind.LEARNER))
    )
    assert made.key == made.external_id == "ASE@EXAMPLE.EDU"
    assert test(feed(Kind.TEST).map(row(Kind.TEST))).key == "EX100-2026V"


def test_a_row_error_of_such_a_key_is_said_once() -> None:
    (row_error,) = row_errors(feed(Kind.TEST).map(row(Kind.TEST, term="2026\x01V")))
    assert (row_error.field, row_error.key) == ("external_test_id", None)
    (blank,) = row_errors(feed(Kind.TEST).map(row(Kind.TEST, term=" ")))
    assert (blank.field, blank.reason, blank.key) == ("external_test_id", "is blank", None)


def test_the_feed_names_every_column_that_it_needs_and_which_a_source_lacks() -> None:
    made = feed(Kind.CANDIDATE, where={"status": ("active",)})
    assert made.columns == {
        "course",
        "term",
        "no",
        "number",
        "extra",
        "room",
        "building",
        "groups",
        "status",
    }
    assert made.missing(ROWS[Kind.CANDIDATE]) == ["status"]
    assert made.missing(["course", "no", "number", "extra", "building", "more"]) == [
        "groups",
        "room",
        "status",
        "term",
    ]
    assert made.missing(made.columns) == []


def test_all_row_errors_of_a_row_are_said_at_once_each_with_the_whole_key() -> None:
    found = row_errors(
        feed(Kind.CANDIDATE).map(row(Kind.CANDIDATE, number="1\x01", extra="much", room="a\nb"))
    )
    assert [row_error.field for row_error in found] == ["candidate_id", "extra_time", "room"]
    assert {row_error.key for row_error in found} == {("EX100-2026V", "500001")}
    assert {row_error.where for row_error in found} == {"rows.csv line 7"}
    assert {row_error.kind for row_error in found} == {Kind.CANDIDATE}


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"no": "", "room": "a\nb"}, ("EX100-2026V", "")),
        ({"no": "5\x0100"}, ("EX100-2026V", "")),
        ({"term": ""}, None),
        ({"course": "EX\x01100"}, None),
        ({"term": "", "no": ""}, None),
    ],
)
def test_a_candidate_s_row_error_carries_the_key_as_far_as_it_reads(
    values: dict[str, str], key: tuple[str, str] | None
) -> None:
    assert {
        row_error.key
        for row_error in row_errors(feed(Kind.CANDIDATE).map(row(Kind.CANDIDATE, **values)))
    } == {key}


@pytest.mark.parametrize(
    ("kind", "values", "key"),
    [
        (Kind.OPTION, {"option": ""}, ("EX100-2026V", "")),
        (Kind.OPTION, {"option": "NONE_SUCH"}, ("EX100-2026V", "")),
        (Kind.OPTION, {"term": ""}, None),
        (Kind.OPTION, {"value": "perhaps"}, ("EX100-2026V", "LOCKDOWN_BROWSER")),
        (Kind.COMMITTEE, {"name": "n" * 51}, ("EX100-2026V", "")),
        (Kind.COMMITTEE, {"type": "other"}, ("EX100-2026V", "Kommisjon Å")),
        (Kind.CONTRIBUTOR, {"no": "\t"}, ("EX100-2026V", "")),
        (Kind.CONTRIBUTOR, {"roles": "boss"}, ("EX100-2026V", "700001")),
        (Kind.CONTRIBUTOR, {"course": "", "roles": "boss"}, None),
        (Kind.STAFF, {"status": "gone"}, ("700001",)),
        (Kind.STAFF, {"no": "", "status": "gone"}, None),
    ],
)
def test_so_does_that_of_every_other_kind(
    kind: Kind, values: dict[str, str], key: tuple[str, ...] | None
) -> None:
    assert {row_error.key for row_error in row_errors(feed(kind).map(row(kind, **values)))} == {key}


def test_all_that_is_wrong_with_a_contributor_is_said_at_once() -> None:
    wrong = {"roles": "boss", "groups": "n" * 51, "told": "perhaps", "room": "a\nb"}
    found = row_errors(feed(Kind.CONTRIBUTOR).map(row(Kind.CONTRIBUTOR, **wrong)))
    assert [row_error.field for row_error in found] == ["roles", "committees", "room", "notify"]


def test_a_member_of_staff_s_key_is_the_external_id_unless_it_is_mapped() -> None:
    rules = {"external_id": FieldRule(column="login")}
    made = compile_feed(FeedRule(Kind.STAFF, rules, {}), "rows.csv").map(row(Kind.STAFF))
    assert made == Staff("kari@example.edu", None, "kari@example.edu")


def test_a_learner_whose_key_is_blank_is_a_row_error_without_a_key() -> None:
    (row_error,) = row_errors(feed(Kind.LEARNER).map(row(Kind.LEARNER, no="\t")))
    assert (row_error.field, row_error.reason, row_error.key) == ("key", "is blank", None)
    assert "which record" in row_error.remedy


def test_a_key_may_be_0() -> None:
    assert candidate(feed(Kind.CANDIDATE).map(row(Kind.CANDIDATE, no="0"))).learner == "0"


def test_a_row_without_a_column_that_is_needed_is_a_row_error_and_no_crash() -> None:
    values = {name: value for name, value in ROWS[Kind.CANDIDATE].items() if name != "room"}
    (row_error,) = row_errors(feed(Kind.CANDIDATE).map(Row(7, values)))
    assert (row_error.field, row_error.reason) == ("room", "the row has no column 'room'")
    assert row_error.key == ("EX100-2026V", "500001")


def test_only_rows_whose_columns_hold_the_listed_values_are_selected() -> None:
    made = feed(
        Kind.LEARNER, where={"status": ("active", "p\u00e5 utveksling"), "campus": ("Oslo",)}
    )
    for status in ("active", " active\t", "pa\u030a utveksling"):
        assert isinstance(made.map(row(Kind.LEARNER, status=status, campus="Oslo")), Learner)
    for status, campus in (
        ("Active", "Oslo"),
        ("", "Oslo"),
        ("active", "Bergen"),
        ("active quit", "Oslo"),
    ):
        assert made.map(row(Kind.LEARNER, status=status, campus=campus)) is None


def test_a_row_may_be_selected_by_a_blank() -> None:
    made = feed(Kind.LEARNER, where={"left": ("",)})
    assert isinstance(made.map(row(Kind.LEARNER, left=" ")), Learner)
    assert made.map(row(Kind.LEARNER, left="2026-01-01")) is None


def test_a_row_that_is_not_selected_has_no_row_errors() -> None:
    made = feed(Kind.LEARNER, where={"status": ("active",)})
    assert made.map(row(Kind.LEARNER, status="quit", no="", mail="a\x01b")) is None


def test_a_row_of_which_nobody_can_tell_whether_it_is_selected_is_a_row_error_with_its_key() -> (
    None
):
    made = feed(Kind.LEARNER, where={"status": ("active",), "campus": ("Oslo",)})
    (row_error,) = row_errors(made.map(row(Kind.LEARNER, status="act\x01ive", campus="Oslo")))
    assert (row_error.field, row_error.key) == ("status", ("500001",))
    assert made.map(row(Kind.LEARNER, status="act\x01ive", campus="Bergen")) is None


def test_a_feed_keeps_nothing_from_one_row_to_the_next() -> None:
    made = feed(Kind.CANDIDATE)
    before = made.map(row(Kind.CANDIDATE))
    row_errors(made.map(row(Kind.CANDIDATE, room="a\nb")))
    assert made.map(row(Kind.CANDIDATE)) == before


def test_a_feed_may_need_a_single_column() -> None:
    rules = {"external_id": FieldRule(column="no")}
    made = compile_feed(FeedRule(Kind.LEARNER, rules, {}), "rows.csv")
    assert made.map(Row(2, {"no": " 1 "})) == Learner("1", None, "1")
    assert row_errors(made.map(Row(2, {"other": "1"})))[0].key is None
    constants = {"test": FieldRule(constant="EX"), "learner": FieldRule(constant="1")}
    assert compile_feed(FeedRule(Kind.CANDIDATE, constants, {}), "rows.csv").map(
        Row(2, {})
    ) == Candidate("EX", "1")


def test_the_order_in_which_fields_are_mapped_changes_nothing() -> None:
    backwards = FeedRule(Kind.CANDIDATE, dict(reversed(CANDIDATE.items())), {})
    assert compile_feed(backwards, "rows.csv").map(row(Kind.CANDIDATE)) == feed(Kind.CANDIDATE).map(
        row(Kind.CANDIDATE)
    )
