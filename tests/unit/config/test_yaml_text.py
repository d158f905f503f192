import pytest
from sync.config import TestFeed
from sync.config.fields import EndSettings

from .configurations import SOUND, changed, with_title
from .conftest import Errors, Load

WORDS = [
    "0123",
    "NO",
    "yes",
    "on",
    "12:30",
    "1_000",
    "2026-05-20",
    "0x1F",
    "1.10",
    "+47",
    "1e3",
    "true",
    "Null0",
    "007.5",
]


@pytest.mark.parametrize("word", WORDS)
def test_a_value_stays_the_text_that_was_written(load_text: Load, word: str) -> None:
    feed = load_text(
        with_title(f"{{column: a, default: {word}, lookup: {{{word}: {word}}}}}")
    ).settings.feeds[1]
    title = feed.fields()["title"]
    assert (title.default, title.lookup) == (word, {word: word})


def test_where_compares_with_the_text_that_was_written(load_text: Load) -> None:
    loaded = load_text(
        changed(
            "source: people",
            "source: people\n    where: {active: true, country: [NO, SE], year: 2026}",
        )
    )
    where = {name: condition.plain for name, condition in loaded.settings.feeds[0].where.items()}
    assert where == {"active": ("true",), "country": ("NO", "SE"), "year": ("2026",)}


@pytest.mark.parametrize(
    ("word", "meaning"), [("true", True), ("yes", True), ("false", False), ("off", False)]
)
def test_a_switch_may_be_written_in_any_usual_way(
    load_text: Load, word: str, meaning: bool
) -> None:
    loaded = load_text(changed("source: people", f"source: people\n    allow_empty: {word}"))
    assert loaded.settings.feeds[0].allow_empty is meaning


def test_text_of_decomposed_letters_is_compared_composed(load_text: Load) -> None:
    feed = load_text(
        changed("source: people", "source: people\n    where: {a\u030arstall: besta\u030att}")
    ).settings.feeds[0]
    assert {name: condition.plain for name, condition in feed.where.items()} == {
        "årstall": ("bestått",)
    }


def test_a_setting_given_twice_names_both_lines(errors_of: Errors) -> None:
    errors = errors_of(
        changed("client_id: example", "client_id: example\n  url: https://b.example.edu")
    )
    assert errors == ["2:3: inspera.url: is set twice, on line 2 and on line 4; keep one of them"]


def test_two_names_that_only_yaml_would_tell_apart_are_one(errors_of: Errors) -> None:
    assert "is set twice" in errors_of(with_title('{column: a, lookup: {1: a, "1": b}}'))[0]


def test_errors_inside_a_setting_given_twice_are_said_too(errors_of: Errors) -> None:
    text = changed(
        "people: {type: csv, path: people.csv}",
        "people: {type: cvs}\n  people: {type: csv, path: people.csv}",
    )
    assert [error.split(": ")[1] for error in errors_of(text)] == [
        "sources.people",
        "sources.people.type",
    ]


def test_anchors_aliases_and_merge_keys_are_followed(load_text: Load) -> None:
    text = changed(
        "start: {column: start, zone: Europe/Oslo}",
        "start: &when {column: start, zone: Europe/Oslo}",
    )
    feed = load_text(
        text.replace("end: {column: end, zone: Europe/Oslo}", "end: {<<: *when, column: end}")
    ).settings.feeds[1]
    end = feed.fields()["end"]
    assert isinstance(end, EndSettings)
    assert (end.column, end.zone) == ("end", "Europe/Oslo")


def test_of_several_merged_mappings_the_first_to_say_something_wins(load_text: Load) -> None:
    text = changed(
        "start: {column: start, zone: Europe/Oslo}", "start: &a {column: start, zone: Europe/Oslo}"
    )
    text = text.replace(
        "end: {column: end, zone: Europe/Oslo}", "end: &b {column: end, zone: Europe/Riga}"
    )
    feed = load_text(
        text.replace(
            "duration: minutes", "duration: minutes\n      key: {<<: [{column: x}, {column: y}]}"
        )
    )
    assert isinstance(feed.settings.feeds[1], TestFeed)
    assert feed.settings.feeds[1].fields()["key"].column == "x"


def test_a_error_in_a_merged_mapping_stands_where_it_was_written(errors_of: Errors) -> None:
    text = changed(
        "start: {column: start, zone: Europe/Oslo}",
        "start: &when {column: start, zone: Europe/Olso}",
    )
    errors = errors_of(
        text.replace("end: {column: end, zone: Europe/Oslo}", "end: {<<: *when, column: end}")
    )
    assert errors == [
        f"19:42: feeds[2].map.{name}.zone: is not a valid time zone; did you mean 'Europe/Oslo'?"
        for name in ("start", "end")
    ]


@pytest.mark.parametrize("merge", ["<<: 5", "<<: [a]", "<<: "])
def test_a_merge_of_something_that_is_no_mapping_is_refused(errors_of: Errors, merge: str) -> None:
    assert any(
        "<<': does not name a mapping to merge" in error
        for error in errors_of(SOUND + f"existing: {{{merge}}}")
    )


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("a:\n\tb: 1", "2:1: there is a tab; indent with spaces"),
        (
            "a: 1\n b: 2",
            "2:3: there is a second ':' on this line, or it is not aligned; put the value in quotes, or align the line",
        ),
        (
            "a:\n   b: 1\n  c: 1",
            "3:3: this line is not aligned with the other lines of its section; correct its indentation",
        ),
        ("a: 'x", "1:6: a quoted text is not closed; add the missing quotation mark"),
        (
            "a: {b: 1",
            "1:9: a list or mapping in brackets is not closed, or lacks a comma; "
            "add it, or put the value in single quotes",
        ),
        (
            "a: @x",
            "1:4: a value begins with a character that YAML reserves; put the value in single quotes",
        ),
        (
            "a: *x",
            "1:4: a value that begins with '*' is an alias in YAML, and this one is not defined; "
            "put the value in single quotes",
        ),
        (
            'a: "\\d"',
            "1:6: this backslash has no meaning in double quotes; use single quotes",
        ),
        ("a: 1\n---\nb: 1", "2:1: there is a second document ('---'); use one document only"),
        (
            "a: 1\nb",
            "2:2: a ':' is missing after a name; add it, or indent the line below the one above",
        ),
        (
            "a: \x07",
            "1:4: this character is not allowed in YAML, and may be invisible; delete it",
        ),
        ("[" * 5000, "1:1: the file has too many levels; write it with fewer levels"),
    ],
)
def test_text_that_is_not_yaml_is_a_error_with_its_place(
    errors_of: Errors, text: str, error: str
) -> None:
    assert errors_of(text) == [error]


@pytest.mark.parametrize(
    "value",
    ["!env X", "!!python/object:os.system x", "!!set {a}", "!!timestamp 2026-01-01", "!!int [1]"],
)
def test_tags_are_refused(errors_of: Errors, value: str) -> None:
    assert errors_of(changed("client_id: example", f"client_id: {value}")) == [
        "3:14: inspera.client_id: has a tag ('!'), which is not supported; remove the tag, or put the value in quotes"
    ]


@pytest.mark.parametrize("name", ["? [a]\n: c", "? {a: b}\n: c", "'': c", "!!set {a}: c"])
def test_a_name_that_is_no_text_is_refused(errors_of: Errors, name: str) -> None:
    (error,) = errors_of(SOUND + name)
    assert error.startswith("25:")
    assert error.endswith(": is a name that is not plain text; write a plain name before the ':'")


def test_an_alias_for_something_that_it_is_part_of_is_refused(errors_of: Errors) -> None:
    assert any(
        "is an alias ('*') that contains itself" in error
        for error in errors_of("sources: &a {b: *a}")
    )


def test_a_merge_of_something_that_it_is_part_of_is_refused(errors_of: Errors) -> None:
    assert any(
        "does not name a mapping to merge" in error for error in errors_of("sources: &a {<<: *a}")
    )


def test_a_few_lines_that_stand_for_billions_of_values_are_refused(errors_of: Errors) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    (error,) = errors_of("\n".join(lines))
    assert "the file has too many values or levels" in error


def test_merges_that_stand_for_billions_of_names_are_refused(errors_of: Errors) -> None:
    lines = ["a0: &a0 {x: 1}"]
    lines += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}" for n in range(1, 12)]
    (error,) = errors_of("\n".join(lines))
    assert "the file has too many values or levels" in error


@pytest.mark.parametrize("escape", ["\\0", "\\ud800"])
def test_an_escape_that_stands_for_no_character_is_refused(errors_of: Errors, escape: str) -> None:
    (error,) = errors_of(changed("client_id: example", f'client_id: "a{escape}"'))
    assert error.startswith(
        "3:14: inspera.client_id: contains an escape ('\\') that is not a character"
    )
    assert "is a name that is not plain text" in errors_of(SOUND + f'"a{escape}": 1')[0]


def test_a_name_with_a_line_break_stays_on_one_line_in_its_error(errors_of: Errors) -> None:
    assert errors_of(SOUND + '"a\\nb": 1')[0].startswith("25:1: 'a\\nb': unknown setting; ")
