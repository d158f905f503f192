"""Text that looks otherwise than it is: nobody loses a seat by it, and nothing of it reaches Inspera unseen."""

import gzip
import json

import pytest

from .site import OTHER, TEST, Site

CLASS = ["1001", "1002", "1003", "1004", "1005"]


@pytest.fixture
def site(site: Site) -> Site:
    """Five learners on a test."""
    site.seat(TEST, *CLASS)
    site.settled()
    return site


def everybody(site: Site) -> bool:
    return set(site.seats()) == {f"s{one}" for one in CLASS}


def given_name(site: Site) -> str:
    return str(site.people()["s1001"]["firstName"])


def family_name(site: Site) -> str:
    return str(site.people()["s1001"]["lastName"])


@pytest.mark.parametrize(
    "blank", ["\u200b", "\ufeff", "\u00a0", "\u3000", "\u202c", "\u200e \u00ad"]
)
def test_what_nobody_sees_at_the_ends_of_an_id_is_a_blank(site: Site, blank: str) -> None:
    site.registrations.set(f"{TEST} 1001", student_no=f"{blank}1001{blank}")
    site.students.set("1002", student_no=f"1002{blank}", feide=f"{blank}s1002")
    site.settled()
    assert everybody(site)


ODD = ["\u200b", "\u200f", "\u00ad", "\u202e", "\u00a0", "\u2009", "\u3000", "\u0663", "\uff11"]


@pytest.mark.parametrize("odd", ODD)
def test_inside_an_id_it_is_a_row_error_and_nobody_leaves_the_test(site: Site, odd: str) -> None:
    site.registrations.set(f"{TEST} 1001", student_no=f"10{odd}01")
    site.registrations.drop(f"{TEST} 1002")
    ran = site.apply()
    assert ran.status == 1
    assert (
        f"registrations.csv line 2: learner: holds a {'digit' if odd.isdigit() else ''}" in ran.out
        or odd.isspace()
    )
    assert everybody(site)
    assert site.run("check").status == 1


@pytest.mark.parametrize("column", ["student_no", "feide"])
def test_an_account_that_nobody_could_log_in_to_is_not_made(site: Site, column: str) -> None:
    site.students.add("1009")
    site.students.set("1009", **{column: "s10\u200b09"})
    site.registrations.drop(f"{TEST} 1005")
    ran = site.apply()
    assert ran.status == 1
    assert "U+200B, character 4" in ran.out
    assert set(site.people()) == {f"s{one}" for one in CLASS}
    assert {f"s{one}" for one in CLASS[:4]} <= set(site.seats())


ALIKE = ["s10\u043e9", "s10\u201009", "s10\u221209", "s1009\uff45"]
ALIKE += ["s1009\\xe2\\x80\\x8b", "s1009\\u200b", "s1009%C3%A5"]
"""A Cyrillic о, two hyphens and a full-width letter that are not what they look like; and what was written out."""


@pytest.mark.parametrize("login", ALIKE)
def test_a_login_that_is_not_what_it_looks_like_is_not_made(site: Site, login: str) -> None:
    site.students.add("1009")
    site.students.set("1009", feide=login)
    for _ in range(2):
        ran = site.apply()
        assert ran.status == 1, ran.said
        assert "students.csv line 7: username: " in ran.out
    assert set(site.people()) == {f"s{one}" for one in CLASS}


@pytest.mark.parametrize(
    "login", ["UNI\\u012345", "UNI\\xabi", "иван", "ivan-иван", "søren", "zażółć", "a%20b"]
)
def test_a_login_in_the_letters_of_its_people_is_made(site: Site, login: str) -> None:
    site.students.add("1009")
    site.students.set("1009", feide=login)
    site.settled()
    assert login in site.people()


GENUINE = ["R&D Aabø", "D’Arcy", "¿Qué?", "½ Å", "São João", "Łucja", "Ayşe", "Nguyễn", "Иван"]


@pytest.mark.parametrize("name", GENUINE)
def test_a_name_as_people_write_it_is_sent(site: Site, name: str) -> None:
    site.students.set("1001", given=name)
    site.settled()
    assert given_name(site) == name


@pytest.mark.parametrize("column", ["course", "term"])
def test_a_test_s_id_neither(site: Site, column: str) -> None:
    site.exams.add(OTHER)
    site.exams.set(OTHER, **{column: "MA\u200dT"})
    assert site.apply().status == 1
    assert set(site.tests()) == {TEST}


@pytest.mark.parametrize(
    "printing", [("plan",), ("check",), ("apply",), ("sample", "registrations"), ("status",)]
)
@pytest.mark.parametrize("steering", ["\x1b[2J", "\u202e", "\u009b31m"])
def test_whatever_is_printed_is_escaped(
    site: Site, printing: tuple[str, ...], steering: str
) -> None:
    site.registrations.set(
        f"{TEST} 1001", student_no=f"10{steering}01", extra=f"half {steering} an hour"
    )
    site.exams.set(TEST, minutes=f"2{steering}40")
    site.apply()
    said = site.run(*printing).said
    assert steering not in said
    assert all(character.isprintable() or character == "\n" for character in said)
    if printing[0] == "sample":
        assert f"\\u{ord(steering[0]):04x}" in said


def test_json_stays_json_and_says_the_same(site: Site) -> None:
    site.registrations.set(f"{TEST} 1001", extra="half\u202ean\u200bhour\x7f")
    ran = site.run("sample", "registrations", "--json")
    assert "\u202e" not in ran.out
    assert json.loads(ran.out)["rows"][0]["read"]["extra"] == "half\u202ean\u200bhour\x7f"
    assert json.loads(site.run("plan", "--json").out)


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
DAMAGED += [
    "S\\u00f8ren",
    "S\\xc3\\xb8ren",
    "S%C3%B8ren",
    "S=C3=B8ren",
    "S&oslash ren",
    "S¿ren",
    "Mu¨ller",
]


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_name_is_not_sent_unless_the_feed_allows_it(site: Site, name: str) -> None:
    site.students.set("1001", given=name)
    ran = site.apply()
    assert ran.status == 1
    assert "allow_text: [" in ran.out
    assert name not in ran.said
    assert given_name(site) != name
    site.feed("learner")["allow_text"] = ["mojibake", "html", "escape", "null", "replacement"]
    site.settled()
    assert given_name(site) == name


def test_an_odd_space_in_a_name_is_sent_as_a_plain_one(site: Site) -> None:
    site.students.set("1001", given="Åse\u00a0Ma\u00adrie")
    site.settled()
    assert given_name(site) == "Åse Marie"


@pytest.mark.parametrize("encoding", ["cp1252", "iso-8859-1", "cp850"])
@pytest.mark.parametrize("name", ["Ås", "Š", "Nguyễn"])
def test_a_one_byte_encoding_over_utf_8_refuses_the_source(
    site: Site, encoding: str, name: str
) -> None:
    site.config["sources"]["students"]["encoding"] = encoding
    for one in site.students.rows:
        one.update(given="Ada", family="Prove")
    site.students.set("1001", family=name)
    site.registrations.drop(f"{TEST} 1005")
    ran = site.apply()
    assert ran.status == 4
    assert f"students.csv: is UTF-8, not {encoding}" in ran.out
    assert "set its 'encoding' to utf-8-sig" in ran.out
    site.config["sources"]["students"]["encoding"] = "utf-8-sig"
    site.settled()
    assert family_name(site) == name


def test_a_file_in_the_encoding_that_it_says_is_read(site: Site) -> None:
    site.config["sources"]["students"]["encoding"] = "cp1252"
    for name in ("Ås", "MÍŠA", "CAFÉ®", "VÆR\xa0SÅ", "Élan–Ø"):
        for one in site.students.rows:
            one.update(given="Ada", family="Prove")
        site.students.set("1001", family=name)
        site.students.raw = site.students.text().encode("cp1252")
        site.settled()
        assert family_name(site) == name.replace("\xa0", " ")


@pytest.mark.parametrize("named", ["utf-16", "utf-32", "utf-16-le", "utf-16-be", "utf-32-be"])
@pytest.mark.parametrize("packed", [False, True])
def test_wide_text_is_named_with_the_setting_also_in_an_archive(
    site: Site, named: str, packed: bool
) -> None:
    content = site.students.text().encode(named)
    site.students.raw = gzip.compress(content) if packed else content
    site.config["sources"]["students"]["compression"] = "gzip" if packed else "none"
    ran = site.apply()
    assert ran.status == 4
    assert f"set its 'encoding' to {named};" in ran.out
    site.config["sources"]["students"]["encoding"] = named
    site.settled()
    site.config["sources"]["students"]["encoding"] = "cp1252"
    assert site.apply().status == 4


@pytest.mark.parametrize("wrong", ["utf-16", "utf-16-le", "utf-32"])
def test_plain_text_that_is_said_to_be_wide_is_refused(site: Site, wrong: str) -> None:
    site.config["sources"]["students"]["encoding"] = wrong
    ran = site.apply()
    assert ran.status == 4
    assert f"is not {wrong}: it has no zero byte" in ran.out
