"""What a field's text may hold: nobody's name is refused, and nothing that nobody sees gets into an identifier."""

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sync.mapping import FeedRule, FieldRule, compile_feed
from sync.records.base import Kind, Row
from sync.records.candidate import Candidate
from sync.text.characters import escaped, is_misread

from .feeds import (
    CANDIDATE,
    LEARNER,
    PLACE,
    ROWS,
    TEST,
    feed,
    feed_of,
    learner,
    refused,
    row,
    row_errors,
)

NAMES = """
Åse Øksempel|Bjørn Ærlig|BLÅ HØNE|RØD–BLÅ|Sørensen-Madsen|Þórður Guðrúnarson|Ásdís Ægisdóttir|ÍSAK|Máret Šimol
Ödön Åström|Väinö Äijälä|ÄIJÄLÄ|HÄYRÄ|Kŋŧđ Čállá|IJsbrand van ’t Hoff|Zoë Brontë|Daniël Coöper|RENÉE|René d’Élan
Świętosława Żółć|Łukasz Gżegżółka|ŁĄCKI|ŹDŹBŁO|ŚĆIBOR|Ćma|İbrahim Şahin|Çağrı Öztürk|IŞIK|ĞÜNEŞ|KÂZIM|Îdil Ûmit
Nguyễn Thị Ánh|NGUYỄN VĂN ÂN|TRẦN ĐÌNH ÁI|Lã Thị Ngãi|LÃ NGÃ|Đặng Ưng Hoàng|Phạm Quỳnh Ửu|Tạ Ý
محمد بن عبدالله|أحمد آل سعود|فاطمة‌زهرا محمدی|שרה לוי|Ελένη Παπαδοπούλου|Ольга Пример|Ђорђе Њего
KŘÍŽOVÁ|MÍŠA|TOMÁŠ|LUKÁŠ ŽÁČEK|Jiří Šťastný|ÚŽASNÝ|Ľubica Ďurišová|Ő Géza|ŐRY|Kovács Űri|Ūla Ķēniņš|Žemaitė Ėglė
João|JOÃO MAGALHÃES|CONCEIÇÃO|Ñuñez Muñoz|MUÑOZ|D’Ávila|Ó’Connor|O'Brien|ROMÂNIA Ștefan Țîrlea|BĂȘESCU|BĂŞESCU
Weiß|GROẞ|Ümit|Œuvre Cœur|ʻOkina|Ōta Yū|山田太郎|김민준|สมชาย|क्‍ष राम|Null|NULL|Nulla|Ng|Ø|Å|Ann-Marie|Jr.|#1
"""
PEOPLE = [name.strip() for line in NAMES.splitlines() for name in line.split("|") if name.strip()]
TITLES = [
    "Matematikk 1 & 2", "R&D; a survey", "C# og Å lese", "Café®", "√2 and √π", "« L'été » – 2e", "résumé\xa0», suite",
    "Straße „Ö“", "½ år", "Å\xa0være", "PÅ\xa0NORSK", "AT&T;", "100 %", "5 °C", "f ≈ g", "naïve…”", "A \\ B", "N/A",
]  # fmt: skip


@pytest.mark.parametrize("name", PEOPLE)
def test_no_genuine_name_is_refused_in_any_case(name: str) -> None:
    for written in (name, name.upper(), name.lower(), name.title()):
        made = learner(
            feed(Kind.LEARNER).map(row(Kind.LEARNER, given=written, family=f"{written}-{written}"))
        )
        assert made.first_name == written


@pytest.mark.parametrize("title", TITLES)
def test_no_genuine_title_is_refused(title: str) -> None:
    made = feed(Kind.TEST).map(row(Kind.TEST, name=title))
    assert not isinstance(made, list), made


@given(
    st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=4),
    st.sampled_from([" ", "-", " de ", "’", ", ", "/"]),
)
def test_no_name_made_of_genuine_ones_is_refused(names: list[str], between: str) -> None:
    family = between.join(
        names[:2] if between == "’" else names
    )  # nobody has two: "Ø’Ø’" is two misread letters
    # which are also "Ò" and "Œ" that were read in the wrong encoding
    assume("Ã’" not in family and "Å’" not in family)
    assert learner(feed(Kind.LEARNER).map(row(Kind.LEARNER, family=family))).key == "500001"


@pytest.mark.parametrize(
    "encoding", ["cp1252", "latin-1", "iso-8859-15", "cp1254", "cp850", "cp437"]
)
@pytest.mark.parametrize(
    "name", ["Åse", "Bø", "Ærlig", "Zoë", "Żółć", "Şahin", "Çağrı", "Nguyễn", "Đặng", "José", "ÅÅ"]
)
def test_utf_8_that_was_read_otherwise_is_refused(name: str, encoding: str) -> None:
    try:
        misread = name.encode().decode(encoding)
    except UnicodeError:
        pytest.skip(
            "this encoding has no character for one of the bytes, so such a file is refused as a whole"
        )
    (row_error,) = row_errors(feed(Kind.LEARNER).map(row(Kind.LEARNER, family=misread)))
    assert row_error.field == "last_name"
    # some bytes mean control characters in these encodings, which were refused before
    assert "read in another encoding" in row_error.reason or "control character" in row_error.reason
    assert misread not in str(row_error)


@pytest.mark.parametrize(
    "misread",
    [
        "Ã¸",
        "Ã…s",
        "Â ",
        "a\u00c2\u00a0b",
        "NicolÃ\xa0",
        "RosÃ\xad",
        "ÃƒÂ¥",
        "â€™",
        "Jos├®",
        "J√∏n",
        "BĂ¸",
        "Ø§Ù„",
    ],
)
@pytest.mark.parametrize("kind", [Kind.LEARNER, Kind.TEST])
def test_typical_ones_are_refused_in_names_and_titles_unless_the_feed_allows_them(
    kind: Kind, misread: str
) -> None:
    name, column, rules = (
        ("last_name", "family", LEARNER) if kind is Kind.LEARNER else ("title", "name", TEST)
    )
    if misread == "Â ":
        misread = "Â\xa0"
    (row_error,) = row_errors(feed(kind).map(row(kind, **{column: misread})))
    assert row_error.field == name
    assert "'allow_text: [mojibake]'" in row_error.remedy
    allowing = compile_feed(FeedRule(kind, rules, {}, allow_text=("mojibake",)), PLACE)
    assert not isinstance(allowing.map(row(kind, **{column: misread})), list)


@pytest.mark.parametrize(
    ("text", "damage"),
    [
        ("Ak&aring;", "html"), ("Ak&#229;", "html"), ("Ak&#xE5;", "html"), ("A &amp; B", "html"), ("&lt;b&gt;", "html"),
        ("\\N", "null"), ("(null)", "null"), ("<NULL>", "null"), ("#N/A", "null"), ("#REF!", "null"),
        ("#NAME?", "null"),
        ("Bj\ufffdrn", "replacement"),
    ],
)  # fmt: skip
def test_other_damage_is_refused_by_its_name(text: str, damage: str) -> None:
    (row_error,) = row_errors(feed(Kind.LEARNER).map(row(Kind.LEARNER, given=text)))
    assert row_error.remedy.endswith(f"or allow it by 'allow_text: [{damage}]' in the feed")
    allowing = compile_feed(FeedRule(Kind.LEARNER, LEARNER, {}, allow_text=(damage,)), PLACE)
    assert learner(allowing.map(row(Kind.LEARNER, given=text))).first_name == text
    row_error = row_errors(feed(Kind.TEST).map(row(Kind.TEST, term=text)))[0]
    assert damage in row_error.remedy


IDENTIFIERS = [
    (Kind.LEARNER, "key"), (Kind.LEARNER, "username"), (Kind.LEARNER, "external_id"), (Kind.LEARNER, "auth_system"),
    (Kind.STAFF, "key"), (Kind.STAFF, "username"), (Kind.TEST, "key"), (Kind.TEST, "external_test_id"),
    (Kind.TEST, "template"), (Kind.OPTION, "test"), (Kind.COMMITTEE, "test"), (Kind.CONTRIBUTOR, "test"),
    (Kind.CONTRIBUTOR, "staff"), (Kind.CANDIDATE, "test"), (Kind.CANDIDATE, "learner"),
    (Kind.CANDIDATE, "candidate_id"),
]  # fmt: skip
UNSEEN = "\u200b\u200c\u200d\u200e\u200f\u2060\u00ad\ufeff\u061c\u202e\u2066\U000e0041\u3164\u115f\ufe0f\u034f\u2800"
SPACES = "\u00a0\u2009\u202f\u3000\u2003\u1680"
DIGITS = "٣３३²①"


@pytest.mark.parametrize(("kind", "name"), IDENTIFIERS)
@pytest.mark.parametrize("odd", [*UNSEEN, *SPACES, *DIGITS, "\t"])
def test_what_eye_and_machine_see_differently_is_refused_in_an_identifier(
    kind: Kind, name: str, odd: str
) -> None:
    row_error = refused(kind, name, FieldRule(column="x"), x=f"00{odd}1")
    assert f"U+{ord(odd):04X}, character 3" in row_error.reason
    assert escaped(row_error.reason) == row_error.reason


@pytest.mark.parametrize(("kind", "name"), IDENTIFIERS)
@pytest.mark.parametrize("blank", [*UNSEEN[:12], *SPACES, "\t", "\u200b \ufeff"])
def test_at_its_ends_it_is_stripped_like_a_blank(kind: Kind, name: str, blank: str) -> None:
    compiled = feed_of(kind, name, FieldRule(column="x"))
    assert compiled.map(Row(7, {"x": f"{blank}001{blank}"})) == compiled.map(Row(7, {"x": "001"}))


@pytest.mark.parametrize("null", ["NULL", "null", "\\N", "#N/A"])
def test_a_word_for_no_value_is_no_identifier(null: str) -> None:
    assert "no value" in refused(Kind.LEARNER, "key", FieldRule(column="x"), x=null).reason
    assert (
        learner(feed(Kind.LEARNER).map(row(Kind.LEARNER, given="Null", family="NULL"))).last_name
        == "NULL"
    )


@pytest.mark.parametrize("space", SPACES)
def test_an_odd_space_in_a_name_is_a_plain_one(space: str) -> None:
    assert (
        learner(feed(Kind.LEARNER).map(row(Kind.LEARNER, given=f"Åse{space}Marie"))).first_name
        == "Åse Marie"
    )


@pytest.mark.parametrize("nothing", "\u00ad\u200b\u2060\ufeff\u200e\u200f\u200c\u200d")
def test_what_has_no_meaning_in_a_name_is_taken_out(nothing: str) -> None:
    assert (
        learner(feed(Kind.LEARNER).map(row(Kind.LEARNER, given=f"Mari{nothing}anne"))).first_name
        == "Marianne"
    )


@pytest.mark.parametrize("turning", "\u202a\u202d\u202e\u2066\u2068\U000e0041")
def test_what_turns_the_reading_order_of_a_name_is_refused(turning: str) -> None:
    (row_error,) = row_errors(feed(Kind.LEARNER).map(row(Kind.LEARNER, given=f"Mari{turning}anne")))
    assert "change how the rest reads" in row_error.reason


def test_a_word_of_the_configuration_is_recognised_whatever_is_invisible_in_it() -> None:
    compiled = compile_feed(FeedRule(Kind.LEARNER, LEARNER, {"status": ("on leave",)}), PLACE)
    values = dict(ROWS[Kind.LEARNER])
    assert (
        learner(compiled.map(Row(2, {**values, "status": "on\u00a0le\u00adave\u200b"}))).key
        == "500001"
    )


def test_a_password_is_taken_as_it_is() -> None:
    compiled = compile_feed(
        FeedRule(Kind.LEARNER, {**LEARNER, "password": FieldRule(column="secret")}, {}), PLACE
    )
    values = dict(ROWS[Kind.LEARNER])
    for secret in ("a&amp;b", "\\N", "Ã¸Ã¸", "a\u00a0b"):
        assert learner(compiled.map(Row(2, {**values, "secret": secret}))).password == secret


def _carefully(kind: Kind, source: Row) -> object:
    """The row with a word for no value in a column of its own, which makes every look at it a careful one."""
    rules = {Kind.LEARNER: LEARNER, Kind.TEST: TEST, Kind.CANDIDATE: CANDIDATE}[kind]
    compiled = compile_feed(FeedRule(kind, rules, {"careful": ("&",)}), PLACE)
    return compiled.map(Row(source.line, {**source.values, "careful": "&"}))


ANYTHING = st.text(
    st.one_of(st.characters(), st.sampled_from("ÃÂÅÄ¸¥…™€º»&;#\\N√├Ă٣²\u3164\ufffdåø ")), max_size=6
)


@given(st.sampled_from([Kind.LEARNER, Kind.TEST, Kind.CANDIDATE]), st.data())
def test_the_short_way_for_sound_rows_means_the_same_as_the_careful_one(
    kind: Kind, data: st.DataObject
) -> None:
    source = row(
        kind,
        **{
            name: data.draw(ANYTHING)
            for name in data.draw(st.sets(st.sampled_from(sorted(ROWS[kind]))))
        },
    )
    assert feed(kind).map(source) == _carefully(kind, source)


WRITTEN = st.builds(
    "".join,
    st.lists(st.sampled_from(["a", "0", "å", "-", " ", "\u200b", "\u00a0", "\u0663"]), min_size=1),
)


@given(WRITTEN, WRITTEN)
def test_two_identifiers_that_are_taken_look_different_or_are_the_same(
    one: str, other: str
) -> None:
    compiled = feed(Kind.CANDIDATE)
    first, second = (compiled.map(row(Kind.CANDIDATE, no=text)) for text in (one, other))
    assume(isinstance(first, Candidate) and isinstance(second, Candidate))
    assert isinstance(first, Candidate)
    assert isinstance(second, Candidate)
    assert escaped(first.learner) == first.learner
    if "".join(first.learner.split(" ")) != "".join(second.learner.split(" ")):
        assert escaped(first.learner) != escaped(second.learner)


@given(st.text())
def test_what_is_printed_can_be_seen_and_json_stays_the_same_json(text: str) -> None:
    printed = escaped(text)
    assert all(character == "\n" or character.isprintable() for character in printed)
    assert escaped(printed) == printed
    assert json.loads(escaped(json.dumps(text, ensure_ascii=False))) == text


@given(st.sampled_from(PEOPLE), st.sampled_from(PEOPLE))
def test_reading_utf_8_wrongly_twice_is_seen_too(one: str, other: str) -> None:
    text = f"{one} {other}"
    assume(any("\xc0" <= character <= "\xff" for character in text))
    try:
        twice = text.encode().decode("cp1252").encode().decode("cp1252")
    except UnicodeError:
        return
    assert is_misread(twice)
