"""The settings of notifications: who is notified of what, when, and by which service."""

import re
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from sync.config.patterns import check_zone
from sync.config_base.base import (
    InvalidSetting,
    Strict,
    empty_is_default,
    require_entries,
    validation_error,
    validation_errors,
)
from sync.config_base.durations import Duration, between
from sync.config_base.secrets import SecretRef


class Event(StrEnum):
    """What a notification can be about."""

    HELD = "held"
    ERRORS = "errors"
    SOURCE = "source"
    RUN = "run"
    LATE = "late"
    EXAM = "exam"
    SERVICE = "service"
    EXPIRY = "expiry"
    RECOVERED = "recovered"


HEARTBEAT = "heartbeat"
"""The name of the heartbeat, next to those of the targets."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


def _check_name(text: str) -> str:
    if not _NAME.fullmatch(text) or text == HEARTBEAT:
        raise validation_error(
            "is not a valid target name",
            f"use up to 40 letters (a to z), digits, - and _, and not '{HEARTBEAT}'",
        )
    return text


def _check_time(text: str) -> str:
    if not _TIME.fullmatch(text):
        raise validation_error("is not a time of day", "write it as 22:00, in quotes")
    return text


TimeOfDay = Annotated[str, AfterValidator(_check_time)]


class TargetSettings(Strict):
    """A place where notifications go."""

    url: SecretRef
    """The URL of the service in the notation of Apprise, such as `mailtos://…`, `msteams://…`,
    `slack://…`, `ntfys://…` or `jsons://…`. It contains a password or token, so write it as
    `${file:PATH}`, `${cred:NAME}` or `${NAME}`."""
    events: Annotated[
        tuple[Event, ...],
        AfterValidator(require_entries),
        Field(json_schema_extra={"minItems": 1}),
    ] = tuple(Event)
    """What it is notified of: `held` changes, `errors` of rows and of Inspera, a `source` in trouble,
    a `run` that failed, a job that is `late`, an `exam` within 24 hours that is incomplete, trouble of
    the `service`, the `expiry` of a certificate or API key, and what has `recovered`."""
    digest: Annotated[Duration, between(timedelta(0), timedelta(days=7))] = timedelta(0)
    """How long to wait after a notification before the next one, such as `1h`. What happens in
    between comes together in it. An exam within 24 hours does not wait."""


class QuietHoursSettings(Strict):
    """The hours in which nothing is sent, except what an exam within 24 hours needs."""

    begin: TimeOfDay
    """When they begin, such as `"22:00"`."""
    end: TimeOfDay
    """When they end, such as `"07:00"`. What has happened by then is sent in one message."""
    zone: Annotated[str, AfterValidator(check_zone)]
    """The time zone of both, such as `Europe/Oslo`."""

    @model_validator(mode="after")
    def _check_length(self) -> "QuietHoursSettings":
        if self.begin == self.end:
            raise validation_errors(
                [InvalidSetting("end", "is equal to 'begin'", "name two different times")]
            )
        return self

    def contain(self, now: datetime) -> bool:
        """Tell whether this time is in the quiet hours."""
        local = now.astimezone(ZoneInfo(self.zone)).time()
        begin, end = time.fromisoformat(self.begin), time.fromisoformat(self.end)
        return begin <= local < end if begin < end else local >= begin or local < end


class NotificationSettings(Strict):
    """Who is notified of what needs a person, and when."""

    targets: Annotated[
        dict[Annotated[str, AfterValidator(_check_name)], TargetSettings],
        BeforeValidator(empty_is_default),
    ] = Field(default_factory=dict)
    """Where notifications go, each with a name of your choice. It needs the extra `[notify]`."""
    quiet_hours: QuietHoursSettings | None = None
    """The hours in which nothing is sent, except what an exam within 24 hours needs."""
    heartbeat: SecretRef | None = None
    """An address (`https://…`) that is requested after each complete run, written like `url`. A
    monitor behind it raises an alarm when the requests stop (a dead man's switch)."""
