"""Durations: how they are read from the configuration, and written for people."""

from datetime import timedelta

import pytest
from pydantic import TypeAdapter, ValidationError
from sync.config_base.durations import (
    Duration,
    PositiveDuration,
    duration_text,
    parse_duration,
    rounded_duration,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("30m", 1800), ("6h", 21600), ("1d", 86400), ("1h30m", 5400), ("0s", 0)],
)
def test_a_duration_has_numbers_with_units(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)
    assert parse_duration(duration_text(timedelta(seconds=seconds))) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "30", "m", "30 m", "1.5h", "-5m", "30m1h", "five minutes"])
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="such as 90s, 30m, 6h, 1d or 1h30m"):
        parse_duration(text)


def test_zero_is_a_duration_where_it_is_allowed() -> None:
    assert TypeAdapter(Duration).validate_python("0s") == timedelta()
    with pytest.raises(ValidationError, match="is zero"):
        TypeAdapter(PositiveDuration).validate_python("0s")


@pytest.mark.parametrize(
    ("seconds", "text"), [(59, "59s"), (5400, "90m"), (93_600, "26h"), (190_000, "2d"), (0, "0s")]
)
def test_people_read_one_unit(seconds: int, text: str) -> None:
    assert rounded_duration(timedelta(seconds=seconds)) == text
