"""What holds for every row, whatever strings a source gives."""

from unicodedata import normalize

from hypothesis import assume, given
from hypothesis import strategies as st
from sync.contract import OPTIONS
from sync.mapping import FeedRule, FieldRule, compile_feed, fields_of, fingerprint
from sync.records.base import Kind, Row, RowError, listed
from sync.records.kinds import COMPARED, FIELDS, KEY_FIELDS, RECORD_CLASSES, key_of
from sync.records.option import Option

from .feeds import MAPS, PLACE, ROWS, candidate, feed, feed_of, outcome

ANY = st.one_of(
    st.text(),
    st.text(st.characters()),
    st.sampled_from(
        [
            "",
            " ",
            "0",
            "25%",
            "240",
            "a\x00b",
            "\ud800",
            "A\u030a",
            "2026-03-29T02:30",
            "[",
            "x" * 600,
        ]
    ),
    st.sampled_from(
        [
            "on",
            "a; b;",
            "; ;",
            "evaluate",
            "ar_plan;Review",
            "disabled",
            "grading",
            "lockdown_quit_code",
        ]
    ),
)
SOUND = st.text(st.sampled_from("abcÅøé019-. "), min_size=1).filter(str.strip)
KINDS = st.sampled_from(list(Kind))
CAREFUL = {
    Kind.LEARNER: {
        "email": FieldRule(column="mail", case="lower", default="nobody@example.edu"),
        "first_name": FieldRule(column="given", lookup={"a": "b"}),
        "last_name": FieldRule(column="family", pattern="(?P<value>.+?)( .*)?"),
    },
    Kind.TEST: {
        "duration": FieldRule(column="minutes", minutes="iso8601"),
        "start": FieldRule(column="start", format="%d.%m.%Y %H:%M", zone="Europe/Oslo"),
    },
    Kind.CANDIDATE: {
        "extra_time": FieldRule(column="extra", minutes="hours"),
        "room": FieldRule(
            column="room", pattern="(?P<a>.)(?P<b>.*)", template="{a}-{b}", case="upper"
        ),
        "committees": FieldRule(column="groups", separator=",", case="lower", default="all,  some"),
    },
    Kind.STAFF: {
        "status": FieldRule(column="status", lookup={"a": "active"}, default="disabled"),
        "organisations": FieldRule(column="units", pattern="(?P<value>.+?)( .*)?"),
    },
    Kind.OPTION: {"option": FieldRule(constant="SEB_SETTINGS_PINCODE")},
    Kind.COMMITTEE: {"committee": FieldRule(template="{course}: {name}")},
    Kind.CONTRIBUTOR: {
        "roles": FieldRule(column="roles", lookup={"a": "evaluate", "": "plan"}),
        "notify": FieldRule(column="told", default="on"),
    },
}


@st.composite
def rows(draw: st.DrawFn) -> tuple[Kind, Row]:
    """A row of any strings; now and then a column is not even there."""
    kind = draw(KINDS)
    values = {name: draw(st.one_of(st.just(good), ANY)) for name, good in ROWS[kind].items()}
    for name in draw(st.one_of(st.just(()), st.tuples(st.sampled_from(sorted(values))))):
        del values[name]
    return kind, Row(2, values)


@given(rows(), st.booleans(), st.booleans())
def test_whatever_a_row_holds_it_becomes_a_record_or_row_errors_and_never_fails(
    kind_and_row: tuple[Kind, Row], careful: bool, clear_blanks: bool
) -> None:
    kind, source = kind_and_row
    rules = {**MAPS[kind], **(CAREFUL[kind] if careful else {})}
    compiled = compile_feed(FeedRule(kind, rules, {}, clear_blanks), PLACE)
    made = compiled.map(source)
    origin = compiled.origin(source)
    assert origin is None or len(origin) == len(KEY_FIELDS[kind])
    if isinstance(made, list):
        assert made
        assert all(
            len(str(row_error).splitlines()) == 1 and row_error.reason and row_error.remedy
            for row_error in made
        )
        assert len({row_error.key for row_error in made}) == 1
    else:
        assert isinstance(made, RECORD_CLASSES[kind])
        assert all(key_of(made))
        fingerprint(made)


@given(rows())
def test_spaces_around_values_never_matter(kind_and_row: tuple[Kind, Row]) -> None:
    kind, source = kind_and_row
    # "Ã" with a no-break space behind it is an "à" that was read in the wrong encoding, not an "Ã" with a blank
    assume(not any(value.rstrip().endswith(("\xc2", "\xc3")) for value in source.values.values()))
    compiled = feed(kind)
    padded = Row(
        source.line, {name: f"\t {value}\u00a0\n" for name, value in source.values.items()}
    )
    assert compiled.map(padded) == compiled.map(source)
    assert compiled.origin(padded) == compiled.origin(source)


@given(rows())
def test_the_form_in_which_letters_are_spelt_never_matters(kind_and_row: tuple[Kind, Row]) -> None:
    kind, source = kind_and_row
    compiled = feed(kind)
    spelt = Row(
        source.line, {name: normalize("NFD", value) for name, value in source.values.items()}
    )
    one, other = compiled.map(source), compiled.map(spelt)
    assert compiled.origin(spelt) == compiled.origin(source)
    # Row errors may count characters, of which there are more when letters are taken apart before a control character.
    if isinstance(one, list) and isinstance(other, list):
        assert [(row_error.field, row_error.key) for row_error in one] == [
            (row_error.field, row_error.key) for row_error in other
        ]
    else:
        assert one == other


@given(ANY)
def test_a_value_is_in_one_form_and_stays_as_it_is_when_it_is_mapped_again(text: str) -> None:
    rule = FieldRule(column="x")
    once = outcome(Kind.CANDIDATE, "room", rule, x=text)
    if isinstance(once, str):
        assert once == once.strip() == normalize("NFC", once)
        assert outcome(Kind.CANDIDATE, "room", rule, x=once) == once


@given(course=SOUND, term=SOUND, no=SOUND, others=st.tuples(ANY, ANY, ANY, ANY))
def test_a_row_error_s_key_is_whole_whenever_the_key_s_columns_are_good(
    course: str, term: str, no: str, others: tuple[str, str, str, str]
) -> None:
    values = dict(zip(("number", "extra", "room", "building"), others, strict=True))
    made = feed(Kind.CANDIDATE).map(Row(2, {"course": course, "term": term, "no": no, **values}))
    key = (normalize("NFC", f"{course.strip()}-{term.strip()}"), no.strip())
    assert made is not None
    assert (
        {row_error.key for row_error in made} == {key}
        if isinstance(made, list)
        else key_of(made) == key
    )


@given(no=SOUND, others=st.tuples(ANY, ANY, ANY, ANY))
def test_a_learner_s_row_error_has_the_learner_s_key(
    no: str, others: tuple[str, str, str, str]
) -> None:
    values = dict(zip(("login", "given", "family", "mail"), others, strict=True))
    made = feed(Kind.LEARNER).map(Row(2, {"no": no, **values}))
    assert made is not None
    keys = {row_error.key for row_error in made} if isinstance(made, list) else {key_of(made)}
    assert keys == {(no.strip(),)}


@given(rows(), st.dictionaries(st.sampled_from(["more", "and more"]), ANY))
def test_columns_that_no_rule_names_change_nothing(
    kind_and_row: tuple[Kind, Row], more: dict[str, str]
) -> None:
    kind, source = kind_and_row
    compiled = feed(kind)
    assert compiled.map(Row(source.line, {**source.values, **more})) == compiled.map(source)


@given(KINDS, st.data())
def test_fingerprints_are_equal_exactly_when_all_compared_fields_are(
    kind: Kind, data: st.DataObject
) -> None:
    names = [
        name
        for name in ROWS[kind]
        if name not in {"start", "end", "option", "roles", "status", "type"}
    ]
    some = st.sampled_from(["", "1", "0", "1=1", "1;1=1"])
    pair = []
    for _ in range(2):
        values = {**ROWS[kind], **{name: data.draw(some) for name in names}}
        made = feed(kind).map(Row(2, values))
        pair.append(None if made is None or isinstance(made, list) else made)
    one, other = pair
    if one is None or other is None:
        return
    same = all(fields_of(one)[name] == fields_of(other)[name] for name in COMPARED[kind])
    assert (fingerprint(one) == fingerprint(other)) is same


def test_every_field_of_a_record_can_be_mapped_or_is_made_from_one_that_can() -> None:
    made = {
        (kind, name)
        for kind in Kind
        for name in set(RECORD_CLASSES[kind]._fields) - set(FIELDS[kind])
    }
    assert made == {(Kind.OPTION, "secret"), (Kind.CANDIDATE, "extra_share")}


LIST = FieldRule(column="x")


@given(st.lists(st.sampled_from(["", " ", "A", "B ", " Å", "A\u030a", "c d"])), st.booleans())
def test_a_list_is_what_its_items_are_in_any_order_each_once(
    items: list[str], clear_blanks: bool
) -> None:
    compiled = feed_of(Kind.CANDIDATE, "committees", LIST, clear_blanks=clear_blanks)
    made = candidate(compiled.map(Row(2, {"x": ";".join(items)})))
    expected = {normalize("NFC", item.strip()) for item in items} - {""}
    assert set(listed(made.committees)) == expected
    assert list(listed(made.committees)) == sorted(expected)
    assert expected or made.committees == ("" if clear_blanks else None)
    again = candidate(compiled.map(Row(2, {"x": ";".join(reversed(items))})))
    assert fingerprint(again) == fingerprint(made)


@given(
    value=st.text(max_size=12),
    option=st.sampled_from([*OPTIONS, "unknown", ""]),
    default=st.booleans(),
)
def test_whatever_a_pin_or_a_code_is_no_row_error_and_no_repr_shows_it(
    value: str, option: str, default: bool
) -> None:
    marked = f"Zq9{value}"
    rule = FieldRule(column="value", lookup={"x": "Zq9made"} if default else None)
    rules = {**MAPS[Kind.OPTION], "value": rule}
    for name in ("value", "option"):
        source = Row(2, {**ROWS[Kind.OPTION], "option": option, "value": "Zq9", name: marked})
        made = compile_feed(FeedRule(Kind.OPTION, rules, {}), PLACE).map(source)
        assert "Zq9" not in f"{made!r}{list(map(str, made or ()))}" or isinstance(made, Option)
        assert "Zq9" not in repr(made)


def test_row_errors_are_values_that_can_be_kept_in_a_set() -> None:
    made = feed(Kind.LEARNER).map(Row(2, {**ROWS[Kind.LEARNER], "login": "a\x01"}))
    assert isinstance(made, list)
    assert isinstance(next(iter(set(made))), RowError)
