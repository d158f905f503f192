"""What every test leaves as it found it."""

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """A command sends the log to the standard error of its test, which is closed when that test is over."""
    yield
    structlog.reset_defaults()
