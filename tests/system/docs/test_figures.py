"""Figures in the pages are those that the program goes by."""

from datetime import timedelta

import pytest
from sync.contract import COMMITTEE_TYPES, MAX_COMMITTEE_NAME, MIN_PIN, OPTIONS, ROLES
from sync.engine import lost_state, verify
from sync.inspera.circuit_breaker import LEAST, WINDOW
from sync.inspera.client import MAX_BODY
from sync.inspera.throttle import LEAST_SHARE
from sync.records.candidate import MAX_CANDIDATES
from sync.state.compare.context import FIRST_WAVE, SECOND_WAVE
from sync.state.refusals import PAUSES

from .pages import HELP, words_of

RULES = HELP["rules"]


def test_the_pauses_after_refusals_are_those_of_the_program() -> None:
    minutes, *hours = (int(pause.total_seconds() // 60) for pause in PAUSES)
    first, *middle, last = (
        f"{minutes} minutes",
        *(f"{more // 60} hour{'s' * (more > 60)}" for more in hours),
    )
    assert f"{', '.join((first, *middle))}, then always {last}" in words_of(
        RULES, "Refused records"
    )
    assert f"next {SECOND_WAVE.days} days need is always tried again after {first}" in words_of(
        RULES, "Refused records"
    )
    assert f"after {first} at first, later once a day" in words_of(HELP["troubleshooting"])
    assert last == "24 hours"


def test_the_circuit_and_the_rate_are_those_of_the_program() -> None:
    said = words_of(HELP["call-failures"])
    assert f"more than half of the last {WINDOW} calls (and at least {LEAST}" in said
    assert f"down to 1/{round(1 / LEAST_SHARE)} of" in said
    assert f"more than {MAX_BODY // 1024**2} MB" in said


def test_samples_are_as_large_as_the_pages_say() -> None:
    most = lost_state.SAMPLE
    assert f"up to {most} learners, {most} staff and {most} tests" in words_of(RULES, "New people")
    assert f"up to {verify.SAMPLE} records of each kind" in words_of(HELP["reconcile"])


def test_tests_are_soon_and_full_as_the_rules_say() -> None:
    assert f"that tests of the next {FIRST_WAVE // timedelta(hours=1)} hours need" in words_of(
        RULES, "Order"
    )
    assert f"the other tests of the next {SECOND_WAVE.days} days need" in words_of(RULES, "Order")
    assert f"At most {MAX_CANDIDATES:,} candidates" in words_of(RULES, "Fields")


@pytest.mark.parametrize("word", [*ROLES, *OPTIONS, *COMMITTEE_TYPES])
def test_every_role_option_and_type_that_is_known_is_named(word: str) -> None:
    assert f"`{word}`" in words_of(HELP["feeds"])


def test_pins_and_names_of_committees_have_the_length_that_is_reported() -> None:
    assert f"A pin has {MIN_PIN} or more printable ASCII characters" in words_of(HELP["feeds"])
    assert f"at most {MAX_COMMITTEE_NAME} characters" in words_of(HELP["feeds"])
