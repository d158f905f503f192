"""LDAP values: distinguished names in one form, times, and filters that are not valid."""

from datetime import UTC, datetime
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sync.sources.ldap.filter import filter_error
from sync.sources.ldap.values import first_value, guid_text, is_past, normal_dn, sid_text, time_text

BASE = "ou=people,dc=example,dc=edu"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("UID=7,OU=People,DC=Example,DC=EDU", f"uid=7,{BASE}"),
        (" uid = 7 , ou = people ,dc=example,  dc=edu ", f"uid=7,{BASE}"),
        ("cn=Åse  Eksempel,dc=edu", "CN=ÅSE EKSEMPEL,DC=edu"),
        (f"cn={normalize('NFD', 'Åse')},dc=edu", "cn=Åse,dc=edu"),
        (r"cn=Eksempel\, Åse,dc=edu", r"cn=Eksempel\2c \c3\85se,dc=edu"),
        (r"cn=a\+b+uid=7,dc=edu", r"uid=7+cn=a\2Bb,dc=edu"),
        (
            "commonName=x,organizationalUnitName=y,domainComponent=edu",
            "2.5.4.3=x,OID.2.5.4.11=y,dc=edu",
        ),
        (r"cn=\20x\20,dc=edu", "cn=x,dc=edu"),
        (r"cn=a\=b,dc=edu", "cn=a=b,dc=edu"),
        ("x=#04024869,dc=edu", "X=#04024869,dc=edu"),
    ],
)
def test_two_ways_to_write_one_name_are_one(one: str, other: str) -> None:
    assert normal_dn(one) == normal_dn(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (r"cn=a\,ou=b", "cn=a,ou=b"),
        (r"cn=a\+sn=b", "cn=a+sn=b"),
        (r"cn=\#04024869", "cn=#04024869"),
        ("cn=ab", "cn=a b"),
        ("cn=a,cn=b", "cn=b,cn=a"),
    ],
)
def test_names_that_differ_stay_apart(one: str, other: str) -> None:
    assert normal_dn(one) != normal_dn(other)


@pytest.mark.parametrize(
    "text", ["people", "cn=a,people", "=a", "cn=a,", ",", "cn=a\\", r"cn=\c3,dc=edu"]
)
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"distinguished name|decode"):
        normal_dn(text)


VALUES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
NAMES = st.lists(
    st.tuples(st.sampled_from(["cn", "OU", "dc", "x-test"]), VALUES), min_size=1, max_size=4
)


def hex_pairs(text: str) -> str:
    return "".join(f"\\{byte:02x}" for byte in text.encode())


def backslashes(text: str) -> str:
    return "".join(f"\\{one}" if one in ',+"\\<>;=#' else one for one in text)


@given(NAMES)
def test_however_it_is_escaped_a_name_is_the_same_and_its_form_is_final(
    parts: list[tuple[str, str]],
) -> None:
    written = [
        ",".join(f"{kind}={escape(value)}" for kind, value in parts)
        for escape in (hex_pairs, backslashes)
    ]
    first, second = map(normal_dn, written)
    assert first == second == normal_dn(first)


@given(VALUES)
def test_the_value_that_a_name_begins_with_is_the_one_that_was_written(value: str) -> None:
    for escape in (hex_pairs, backslashes):
        assert first_value(f"uid={escape(value)},{BASE}") == value.strip()


def test_the_value_that_a_name_begins_with_keeps_its_case() -> None:
    assert first_value(f"uid=AB7,{BASE}") == "AB7"
    with pytest.raises(ValueError, match="begins with several values"):
        first_value(f"uid=7+cn=x,{BASE}")


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("20260520070000Z", "2026-05-20T07:00:00Z"),
        ("20260520070000.0Z", "2026-05-20T07:00:00Z"),
        ("20260520070000.999Z", "2026-05-20T07:00:00Z"),
        ("20260520090000+0200", "2026-05-20T07:00:00Z"),
        ("20260520090000+02", "2026-05-20T07:00:00Z"),
        ("202605200700Z", "2026-05-20T07:00:00Z"),
        ("2026052007Z", "2026-05-20T07:00:00Z"),
        ("134237340000000000", "2026-05-20T07:00:00Z"),
        ("0", ""),
        ("9223372036854775807", ""),
        ("-9223372036854775808", ""),
    ],
)
def test_a_time_is_the_same_however_the_directory_writes_it(written: str, text: str) -> None:
    assert time_text(written) == text


@pytest.mark.parametrize(
    "written",
    [
        "",
        "soon",
        "20260520070000",
        "20261320070000Z",
        "20260520256000Z",
        "1",
        "-1",
        "9" * 19,
        "00000101000000Z",
    ],
)
def test_what_is_no_time_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="is not a time"):
        time_text(written)


def test_what_never_comes_is_never_past() -> None:
    now = datetime(2026, 5, 20, 7, tzinfo=UTC)
    assert is_past("20260520070000Z", now)
    assert not is_past("20260520070001Z", now)
    assert not is_past("0", now)


@pytest.mark.parametrize("raw", [b"", b"\1", b"x" * 15, b"x" * 17])
def test_what_has_not_the_length_of_an_identifier_is_none(raw: bytes) -> None:
    with pytest.raises(ValueError, match="is not a GUID"):
        guid_text(raw)
    with pytest.raises(ValueError, match="is not a SID"):
        sid_text(raw)


@pytest.mark.parametrize(
    "text",
    [
        "(objectClass=*)",
        " (uid=7) ",
        "(&(objectClass=person)(|(a=1)(b=*x*))(!(c>=2)))",
        "(& (a=1) (b=2) )",
        r"(cn=\28Åse\29)",
        "(memberOf:1.2.840.113556.1.4.1941:=cn=staff,dc=example,dc=edu)",
        "(userAccountControl:1.2.840.113556.1.4.803:=2)",
        "(cn;lang-nb=x)",
        "(a=)",
        "(:dn:2.4.6.8.10:=x)",
    ],
)
def test_a_sound_filter_is_taken(text: str) -> None:
    assert filter_error(text) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("uid=7", "has no parenthesis around it"),
        ("", "has no parenthesis around it"),
        ("(uid=7", "has a parenthesis that is not closed"),
        ("(&(uid=7)(a=1)", "has a parenthesis that is not closed"),
        ("(uid=7))", "goes on after its closing parenthesis"),
        ("(uid=7)(a=1)", "goes on after its closing parenthesis"),
        ("()", "has empty parentheses"),
        ("(&)", "has empty parentheses"),
        ("(uid)", "has a part that is not like (attribute=value)"),
        ("(&uid=7)", "has a part without parentheses around it"),
        ("(&(a=1)b=2)", "has a part without parentheses around it"),
        ("(!(a=1)(b=2))", "has a '!' before more than one part"),
        ("((a=1))", "has a parenthesis inside a value"),
        ("(cn=a(b)c)", "has a parenthesis inside a value"),
        (r"(cn=a\zz)", "has a part that is not like (attribute=value)"),
        ("(u id=7)", "has a part that is not like (attribute=value)"),
    ],
)
def test_a_filter_that_can_not_be_one_is_distinguished(text: str, said: str) -> None:
    assert str(filter_error(text)).startswith(said)
