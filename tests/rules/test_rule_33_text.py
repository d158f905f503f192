"""Rules 33: Identifiers contain only ordinary characters, and damaged text is a row error."""

import gzip
import json

import pytest

from ..support.university import OTHER, TEST, University

CLASS = ["1001", "1002", "1003", "1004", "1005"]


@pytest.fixture
def university(university: University) -> University:
    """Five learners on a test."""
    university.register(TEST, *CLASS)
    university.apply_once()
    return university


def everybody(university: University) -> bool:
    return set(university.candidates()) == {f"s{one}" for one in CLASS}


def given_name(university: University) -> str:
    return str(university.learners()["s1001"]["firstName"])


def family_name(university: University) -> str:
    return str(university.learners()["s1001"]["lastName"])


@pytest.mark.parametrize(
    "blank", ["\u200b", "\ufeff", "\u00a0", "\u3000", "\u202c", "\u200e \u00ad"]
)
def test_what_nobody_sees_at_the_ends_of_an_id_is_a_blank(
    university: University, blank: str
) -> None:
    university.registrations.set(f"{TEST} 1001", student_no=f"{blank}1001{blank}")
    university.students.set("1002", student_no=f"1002{blank}", feide=f"{blank}s1002")
    university.apply_cleanly()
    assert everybody(university)


ODD = ["\u200b", "\u200f", "\u00ad", "\u202e", "\u00a0", "\u2009", "\u3000", "\u0663", "\uff11"]


@pytest.mark.parametrize("odd", ODD)
def test_inside_an_id_it_is_a_row_error_and_nobody_leaves_the_test(
    university: University, odd: str
) -> None:
    university.registrations.set(f"{TEST} 1001", student_no=f"10{odd}01")
    university.registrations.drop(f"{TEST} 1002")
    ran = university.apply()
    assert ran.status == 1
    assert (
        f"registrations.csv line 2: learner: holds a {'digit' if odd.isdigit() else ''}" in ran.out
        or odd.isspace()
    )
    assert everybody(university)
    assert university.run("check").status == 1


@pytest.mark.parametrize("column", ["student_no", "feide"])
def test_an_account_that_nobody_could_log_in_to_is_not_made(
    university: University, column: str
) -> None:
    university.students.add("1009")
    university.students.set("1009", **{column: "s10\u200b09"})
    university.registrations.drop(f"{TEST} 1005")
    ran = university.apply()
    assert ran.status == 1
    assert "U+200B, character 4" in ran.out
    assert set(university.learners()) == {f"s{one}" for one in CLASS}
    assert {f"s{one}" for one in CLASS[:4]} <= set(university.candidates())


ALIKE = ["s10\u043e9", "s10\u201009", "s10\u221209", "s1009\uff45"]


@pytest.mark.parametrize("login", ALIKE)
def test_a_login_that_is_not_what_it_looks_like_is_not_made(
    university: University, login: str
) -> None:
    university.students.add("1009")
    university.students.set("1009", feide=login)
    for _ in range(2):
        ran = university.apply()
        assert ran.status == 1, ran.output
        assert "students.csv line 7: username: " in ran.out
    assert set(university.learners()) == {f"s{one}" for one in CLASS}


@pytest.mark.parametrize(
    "login", ["UNI\\u012345", "UNI\\xabi", "иван", "ivan-иван", "søren", "zażółć", "a%20b"]
)
def test_a_login_in_the_letters_of_its_people_is_made(university: University, login: str) -> None:
    university.students.add("1009")
    university.students.set("1009", feide=login)
    university.apply_cleanly()
    assert login in university.learners()


GENUINE = ["R&D Aabø", "D’Arcy", "¿Qué?", "½ Å", "São João", "Łucja", "Ayşe", "Nguyễn", "Иван"]


@pytest.mark.parametrize("name", GENUINE)
def test_a_name_as_people_write_it_is_sent(university: University, name: str) -> None:
    university.students.set("1001", given=name)
    university.apply_cleanly()
    assert given_name(university) == name


@pytest.mark.parametrize("column", ["course", "term"])
def test_a_test_s_id_neither(university: University, column: str) -> None:
    university.exams.add(OTHER)
    university.exams.set(OTHER, **{column: "MA\u200dT"})
    assert university.apply().status == 1
    assert set(university.tests()) == {TEST}


@pytest.mark.parametrize(
    "printing", [("plan",), ("check",), ("apply",), ("sample", "registrations"), ("status",)]
)
@pytest.mark.parametrize("steering", ["\x1b[2J", "\u202e", "\u009b31m"])
def test_whatever_is_printed_is_escaped(
    university: University, printing: tuple[str, ...], steering: str
) -> None:
    university.registrations.set(
        f"{TEST} 1001", student_no=f"10{steering}01", extra=f"half {steering} an hour"
    )
    university.exams.set(TEST, minutes=f"2{steering}40")
    university.apply()
    printed = university.run(*printing).output
    assert steering not in printed
    assert all(character.isprintable() or character == "\n" for character in printed)
    if printing[0] == "sample":
        assert f"\\u{ord(steering[0]):04x}" in printed


def test_json_stays_json_and_says_the_same(university: University) -> None:
    university.registrations.set(f"{TEST} 1001", extra="half\u202ean\u200bhour\x7f")
    ran = university.run("sample", "registrations", "--json")
    assert "\u202e" not in ran.out
    assert json.loads(ran.out)["rows"][0]["read"]["extra"] == "half\u202ean\u200bhour\x7f"
    assert json.loads(university.run("plan", "--json").out)


DAMAGED = [
    "Ã…se",
    "SÃ¸rensen",
    "Å»Ã³Å‚Ä‡",
    "S&oslash;ren",
    "S&#248;ren",
    "\\N",
    "S\ufffdren",
    "(null)",
]


def test_a_damaged_name_is_not_sent_unless_the_feed_allows_it(university: University) -> None:
    by_learner = {str(number): name for number, name in enumerate(DAMAGED, 2001)}
    university.register(TEST, *by_learner)
    for learner, name in by_learner.items():
        university.students.set(learner, given=name)
    ran = university.apply()
    assert ran.status == 1
    for learner, name in by_learner.items():
        line = university.students.line(learner)
        assert f"students.csv line {line}: first_name: " in ran.out
        assert name not in ran.output
    assert "allow_text: [" in ran.out
    assert not {f"s{learner}" for learner in by_learner} & set(university.learners())
    university.feed("learner")["allow_text"] = ["mojibake", "html", "escape", "null", "replacement"]
    university.apply_cleanly()
    sent = university.learners()
    assert [sent[f"s{learner}"]["firstName"] for learner in by_learner] == DAMAGED


def test_an_odd_space_in_a_name_is_sent_as_a_plain_one(university: University) -> None:
    university.students.set("1001", given="Åse\u00a0Ma\u00adrie")
    university.apply_cleanly()
    assert given_name(university) == "Åse Marie"


@pytest.mark.parametrize(
    ("encoding", "name"), [("cp1252", "Ås"), ("iso-8859-1", "Š"), ("cp850", "Nguyễn")]
)
def test_a_one_byte_encoding_over_utf_8_refuses_the_source(
    university: University, encoding: str, name: str
) -> None:
    university.config["sources"]["students"]["encoding"] = encoding
    for one in university.students.rows:
        one.update(given="Ada", family="Prove")
    university.students.set("1001", family=name)
    university.registrations.drop(f"{TEST} 1005")
    ran = university.apply()
    assert ran.status == 4
    assert f"students.csv: is UTF-8, not {encoding}" in ran.out
    assert "set its 'encoding' to utf-8-sig" in ran.out
    university.config["sources"]["students"]["encoding"] = "utf-8-sig"
    university.apply_cleanly()
    assert family_name(university) == name


def test_a_file_in_the_encoding_that_it_says_is_read(university: University) -> None:
    university.config["sources"]["students"]["encoding"] = "cp1252"
    for name in ("Ås", "MÍŠA", "CAFÉ®", "VÆR\xa0SÅ", "Élan–Ø"):
        for one in university.students.rows:
            one.update(given="Ada", family="Prove")
        university.students.set("1001", family=name)
        university.students.raw = university.students.text().encode("cp1252")
        university.apply_cleanly()
        assert family_name(university) == name.replace("\xa0", " ")


@pytest.mark.parametrize(
    ("named", "packed"),
    [
        ("utf-16", False),
        ("utf-32", True),
        ("utf-16-le", True),
        ("utf-16-be", False),
        ("utf-32-be", False),
    ],
)
def test_wide_text_is_named_with_the_setting_also_in_an_archive(
    university: University, named: str, packed: bool
) -> None:
    content = university.students.text().encode(named)
    university.students.raw = gzip.compress(content) if packed else content
    university.config["sources"]["students"]["compression"] = "gzip" if packed else "none"
    ran = university.apply()
    assert ran.status == 4
    assert f"set its 'encoding' to {named};" in ran.out
    university.config["sources"]["students"]["encoding"] = named
    university.apply_cleanly()
    university.config["sources"]["students"]["encoding"] = "cp1252"
    assert university.apply().status == 4


@pytest.mark.parametrize("wrong", ["utf-16", "utf-16-le", "utf-32"])
def test_plain_text_that_is_said_to_be_wide_is_refused(university: University, wrong: str) -> None:
    university.config["sources"]["students"]["encoding"] = wrong
    ran = university.apply()
    assert ran.status == 4
    assert f"is not {wrong}: it has no zero byte" in ran.out
