"""The preparation of a response's words: pages, quotes, what was sent, and names in code style."""

import pytest
from sync.inspera.responses.wording import (
    field_of,
    labelled_texts,
    page_text,
    plain,
    texts_in,
    without_quoted,
    without_sent,
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("emailAddress", "email address"),
        ("EMail", "e mail"),
        ("APILimitExceeded", "api limit exceeded"),
        ("email_UNIQUE", "email unique"),
        ("rate-limited  now", "rate limited now"),
        ("caf&eacute;", "café"),
    ],
)
def test_words_are_divided_as_code_writes_them(text: str, words: str) -> None:
    assert plain(text) == words


def test_a_page_has_no_words_in_its_tags_scripts_and_comments() -> None:
    page = b"<!-- a > b --><style>p {}</style><h1 title='x'>Too many</h1><p>requests<script>limit()"
    assert page_text(page).split() == ["Too", "many", "requests"]
    assert page_text(b"<" * 1_000_000) == "<" * 16_000
    assert page_text(b"<!--" * 1_000_000).strip() == ""


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("Title 'Bob's back-off' is used", "Title … is used"),
        ("you can't do that, they aren't here", "you can't do that, they aren't here"),
        ("Room “A”, «B» and „C“", "Room …, … and …"),
        ("'Too many requests'", "'Too many requests'"),
    ],
)
def test_quoted_parts_are_blanked_unless_they_are_all(text: str, rest: str) -> None:
    assert without_quoted(text) == rest


def test_values_that_were_sent_are_blanked_as_whole_words_the_longest_first() -> None:
    sent = texts_in({"a": ["Slow down", {"b": "Slow down  now", "n": 7, "c": "x", "d": None}]})
    assert sent == {"Slow down", "Slow down  now"}
    assert without_sent("Room SLOW\ndown now: Slow downs", sent) == "Room …: Slow downs"
    assert without_sent("Title A &amp; B+ is used", frozenset({"A & B+"})) == "Title … is used"


def test_a_text_comes_after_the_names_that_lead_to_it() -> None:
    error = {"field": "email", "message": "exists"}
    content = {"errors": [error, {"username": ["is taken"]}], "n": 1}
    assert list(labelled_texts(content)) == [
        ("errors email", "email"),
        ("errors email message", "exists"),
        ("errors username", "is taken"),
    ]
    assert field_of({"fields": ["a", "b", "Åse Berg", 7]}) == "a, b"
    endless: dict[str, object] = {}
    endless["again"] = endless
    assert list(labelled_texts(endless)) == []
