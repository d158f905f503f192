"""Days in the configuration, such as `2026-12-31`."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from pydantic import AfterValidator

from sync.config_base.base import validation_error


def _check(value: str) -> str:
    try:
        return date.fromisoformat(value.strip()).isoformat()
    except ValueError:
        raise validation_error("is not a valid date", "write it as '2026-12-31'") from None


Day = Annotated[str, AfterValidator(_check)]
"""A day as text, such as `2026-12-31`. A value without quotes in the YAML is text too."""


def end_of(day: str) -> datetime:
    """Return the end of a day in UTC."""
    return datetime.combine(date.fromisoformat(day) + timedelta(days=1), time(), UTC)
