"""The form of a response: names and types of members, and no value that could be a person's."""

import json
from typing import Any

import pytest
from sync.inspera.responses.forms import form_of

PEOPLE = ("Kreszentia", "Planterud", "kplant", "kreszentia.planterud@privat.example", "15108695088")


def _contributor(**more: Any) -> dict[str, Any]:
    person = {"firstName": PEOPLE[0], "lastName": PEOPLE[1], "userName": PEOPLE[2]}
    return {
        **person,
        "email": PEOPLE[3],
        "externalUserIds": [{"externalUserId": PEOPLE[4]}],
        **more,
    }


def test_the_types_of_all_members_are_kept_and_no_value() -> None:
    form = form_of(
        {
            "hits": 2,
            "results": [
                {"assessmentRunId": 284424088, "startTime": "2030-05-10T07:00:00Z"},
                {"assessmentRunId": "284424089", "startTime": None, "open": True, "weight": 0.5},
            ],
            "more": [],
            "note": "",
        }
    )
    assert form.members == {
        "(the answer)": ("object",),
        "hits": ("whole number",),
        "more": ("empty list",),
        "note": ("empty text",),
        "results": ("list",),
        "results[]": ("object",),
        "results[].assessmentRunId": ("text of digits", "whole number"),
        "results[].open": ("true or false",),
        "results[].startTime": ("nothing", "time in UTC"),
        "results[].weight": ("number",),
    }
    assert form.words == {}


def test_words_are_kept_of_statuses_and_roles_alone() -> None:
    form = form_of(
        {
            "contributors": [_contributor(roles=["ar_evaluate", "ar_new_role"], kind="examiner")],
            "status": "GRADING_NOW",
        }
    )
    assert form.words == {
        "contributors[].roles": ("ar_evaluate", "ar_new_role"),
        "status": ("GRADING_NOW",),
    }


@pytest.mark.parametrize("word", [*PEOPLE, "kreszentia", "Planterud_K", "grading in progress", "x"])
def test_a_status_that_could_be_a_name_is_only_counted_as_another_word(word: str) -> None:
    form = form_of({"contributors": [_contributor()], "status": word})
    assert form.words == {"status": ("(another word)",)}


@pytest.mark.parametrize("name", [*PEOPLE, "Åse", "a" * 41, "s1001", "INF1000-H26", "a b"])
def test_a_name_of_a_member_that_could_be_data_is_replaced(name: str) -> None:
    form = form_of({"contributors": [_contributor()], "grades": {name: {"points": 7}}})
    assert form.members["grades.(another name).points"] == ("whole number",)
    assert f"grades.{name}" not in form.members


def test_an_object_with_very_many_members_holds_data_in_their_names() -> None:
    names = [f"{first}{second}" for first in "abcdefgh" for second in "abcdefgh"]
    form = form_of({"by": dict.fromkeys(names, 1)})
    assert form.members == {
        "(the answer)": ("object",),
        "by": ("object",),
        "by.(another name)": ("whole number",),
    }


def test_members_of_the_contract_are_named_even_if_a_title_has_the_same_words() -> None:
    form = form_of({"page": 1, "status": "ACTIVE", "title": "Active page layout: status and roles"})
    assert set(form.members) == {"(the answer)", "page", "status", "title"}
    assert form.words == {"status": ("ACTIVE",)}


def test_no_value_is_left_however_deep_it_is() -> None:
    deep: Any = _contributor()
    for _ in range(12):
        deep = {"inner": [deep], PEOPLE[2]: PEOPLE[0]}
    form = form_of(deep)
    text = json.dumps([form.members, form.words]).casefold()
    assert not [value for value in PEOPLE if value.casefold() in text]
