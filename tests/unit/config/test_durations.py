"""Durations: how they are written, and that every spelling comes back as it was."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sync.config_base.durations import duration_text
from sync.text.durations import parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("200ms", 0.2),
        ("90s", 90),
        ("30m", 1800),
        ("26h", 93_600),
        ("7d", 604_800),
        ("1h30m", 5400),
        ("1m500ms", 60.5),
        ("0s", 0),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "30", "m", "30 m", "1.5h", "-5m", "30m1h", "five minutes", "PT1H", "1h 30m"]
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(text)


@given(st.integers(min_value=0, max_value=10**12))
def test_a_duration_survives_its_text(milliseconds: int) -> None:
    duration = timedelta(milliseconds=milliseconds)
    assert parse_duration(duration_text(duration)) == duration
