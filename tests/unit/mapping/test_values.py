"""What becomes of a cell before anything else: stripped, in one Unicode form, without control characters."""

import pytest
from sync.mapping import FieldRule
from sync.records.base import Kind, Row
from sync.records.candidate import Candidate
from sync.records.checks import email_errors
from sync.records.learner import Learner
from sync.records.staff import Staff

from .feeds import candidate, feed, feed_of, learner, outcome, refused, row, row_errors

ROOM = FieldRule(column="x")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("R1", "R1"),
        ("  R1\t", "R1"),
        ("\u00a0R 1\u2003", "R 1"),
        ("A\u030arstad", "\u00c5rstad"),
        ("Bygg\u00a01", "Bygg 1"),
        ("ﬁnsal ②", "ﬁnsal ②"),
        ("０１", "０１"),
        ("قاعة", "قاعة"),
        ("👩‍🏫", "👩‍🏫"),
        ("0", "0"),
        ("100 %s {x}", "100 %s {x}"),
    ],
)
def test_a_value_is_stripped_and_composed_and_never_rewritten_further(
    text: str, value: str
) -> None:
    assert outcome(Kind.CANDIDATE, "room", ROOM, x=text) == value


@pytest.mark.parametrize("text", ["", " ", "\t\r\n", "\u00a0", "\u3000"])
def test_a_blank_leaves_the_field_alone(text: str) -> None:
    assert outcome(Kind.CANDIDATE, "room", ROOM, x=text) is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("R\n1", "U+000A, character 2"),
        ("R\t1", "U+0009, character 2"),
        ("  R1\x00x", "U+0000, character 3"),
        ("R\x7f1", "U+007F, character 2"),
        ("Å\u00851", "U+0085, character 2"),
        ("R\u2028S", "U+2028, character 2"),
        ("R\ud800", "U+D800, character 2"),
    ],
)
def test_a_control_character_is_a_row_error_that_names_it_and_its_position(
    text: str, told: str
) -> None:
    row_error = refused(Kind.CANDIDATE, "room", ROOM, x=text)
    assert row_error.reason == f"holds a control character ({told})"
    assert row_error.key == ("the test", "the learner")


def test_a_blank_clears_the_fields_that_can_be_cleared_when_the_feed_says_so() -> None:
    blanks = {"number": " ", "extra": "", "room": "", "building": "\t", "groups": " ; "}
    made = candidate(feed(Kind.CANDIDATE, clear_blanks=True).map(row(Kind.CANDIDATE, **blanks)))
    assert made == Candidate("EX100-2026V", "500001", "", 0, "", "", "")
    kept = candidate(feed(Kind.CANDIDATE).map(row(Kind.CANDIDATE, **blanks)))
    assert kept == Candidate("EX100-2026V", "500001")


def test_a_blank_clears_a_learner_s_names_and_email_but_never_the_login() -> None:
    blanks = {"given": "", "family": " ", "mail": "", "login": ""}
    made = learner(feed(Kind.LEARNER, clear_blanks=True).map(row(Kind.LEARNER, **blanks)))
    assert (made.first_name, made.last_name, made.email) == ("", "", "")
    assert (made.username, made.external_id, made.auth_system) == (None, None, "FEIDE")


def test_a_default_stands_before_clearing() -> None:
    rule = FieldRule(column="x", default="Aula")
    made = candidate(
        feed_of(Kind.CANDIDATE, "room", rule, clear_blanks=True).map(Row(2, {"x": " "}))
    )
    assert made.room == "Aula"


@pytest.mark.parametrize("name", ["username", "external_id"])
def test_an_id_of_255_characters_passes_and_a_longer_one_is_a_row_error(name: str) -> None:
    rule = FieldRule(column="x")
    assert outcome(Kind.LEARNER, name, rule, x="Å" * 255) == "Å" * 255
    row_error = refused(Kind.LEARNER, name, rule, x="Å" * 256)
    assert row_error.reason == "256 characters, at most 255 can be used"
    joined = refused(Kind.LEARNER, name, FieldRule(template="{x}{y}"), x="a" * 128, y="b" * 128)
    assert joined.reason == row_error.reason


def test_long_values_elsewhere_in_a_row_hurt_nothing() -> None:
    made = learner(feed(Kind.LEARNER).map(row(Kind.LEARNER, given="Å" * 400, family="b" * 3_000)))
    assert (made.first_name, made.last_name) == ("Å" * 400, "b" * 3_000)


def test_no_row_error_quotes_a_personal_value() -> None:
    secret = "plainly-madeup"
    values = {name: f"{secret}\x01{name}" for name in ("login", "given", "family", "mail")}
    found = row_errors(feed(Kind.LEARNER).map(row(Kind.LEARNER, **values)))
    assert sorted(row_error.field for row_error in found) == [
        "external_id",
        "first_name",
        "last_name",
        "username",
    ]
    assert not any(secret in str(row_error) for row_error in found)
    for rule in (FieldRule(column="x", lookup={"a": "b"}), FieldRule(column="x", pattern="[0-9]+")):
        for name in ("key", "username", "first_name", "password"):
            assert secret not in str(refused(Kind.LEARNER, name, rule, x=secret))
        assert secret not in str(refused(Kind.CANDIDATE, "learner", rule, x=secret))


@pytest.mark.parametrize("kind", [Kind.LEARNER, Kind.STAFF])
def test_an_email_that_cant_be_read_is_left_out_and_named(kind: Kind) -> None:
    for mail in ("plainly\x01madeup@example.edu", "plainly madeup"):
        made = feed(kind).map(row(kind, mail=mail))
        assert isinstance(made, Learner | Staff)
        (row_error,) = email_errors(made, "students.csv line 4")
        assert (row_error.field, row_error.left_out) == ("email", True)
        assert "madeup" not in str(row_error)


def test_a_password_is_carried_and_never_shown() -> None:
    value = outcome(Kind.LEARNER, "password", FieldRule(column="x"), x="not-a-real-one")
    assert value == "not-a-real-one"
