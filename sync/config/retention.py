"""The settings about how long the state keeps what it no longer needs."""

from datetime import timedelta
from typing import Annotated

from sync.config_base.base import Strict
from sync.config_base.durations import Duration, between

_Age = Annotated[Duration, between(timedelta(days=14), timedelta(days=36_500))]
"""Not less than two weeks: the limits count the changes of the last 7 days."""


class RetentionSettings(Strict):
    """How long the state keeps what it no longer needs; deleted at the end of a run.

    Without a setting nothing of it is deleted. The audit log is always kept.
    """

    runs: _Age | None = None
    """The runs with their numbers, such as `730d`. A run stays while its journal does."""
    journal: _Age | None = None
    """The calls that were sent, with their values. What is deleted can't be undone any more."""
    findings: _Age | None = None
    """What runs have found, such as row errors."""
    departed: _Age | None = None
    """Learners who were released, staff who were disabled, and places on tests that are retired."""
