"""Settings of the service.

When its jobs run and what they do, and how it stops and is looked after.
"""

import re
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    Field,
    WithJsonSchema,
    model_validator,
)

from sync.config.patterns import checked_zone
from sync.config_base.addresses import loopback_address
from sync.config_base.base import InvalidSetting, Strict, filled, told, told_one
from sync.config_base.durations import Duration, between
from sync.errors import Unusable
from sync.records.base import Kind
from sync.schedule import Every, Schedule, crontab

_NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$"
_DAY = timedelta(days=1)


def _checked_name(text: str) -> str:
    if not re.match(_NAME, text):
        raise told_one("is not a valid job name", "use up to 40 letters (a to z), digits, - and _")
    return text


JobName = Annotated[
    str, AfterValidator(_checked_name), WithJsonSchema({"type": "string", "pattern": _NAME})
]


def _checked_cron(text: str) -> str:
    """Return the five fields, if they ever come true; that does not depend on the zone."""
    try:
        crontab(text, "UTC")
    except ValueError as error:
        reason, _, remedy = str(error).partition("; ")
        raise told_one(
            reason, remedy or "write it as cron has it, such as '15 2 * * *' for 02:15 every day"
        ) from None
    return text


def _each_once(kinds: tuple[Kind, ...]) -> tuple[Kind, ...]:
    if len(set(kinds)) < len(kinds):
        raise told_one("names a kind twice", "name each kind once")
    return kinds


class JobSettings(Strict):
    """When something is to be done, and what."""

    cron: Annotated[str, AfterValidator(_checked_cron)] | None = None
    """Five fields as cron has them, in quotes, such as `"15 2 * * *"`; or a word such as
    `"@daily"`. Needs `zone`."""
    every: Annotated[Duration, between(timedelta(seconds=1), 366 * _DAY)] | None = None
    """Instead of `cron`: how often, such as `30m` or `1h30m`, counted from midnight UTC."""
    zone: Annotated[str, AfterValidator(checked_zone)] | None = None
    """Whose clock `cron` means, such as `Europe/Oslo`."""
    kinds: (
        Annotated[
            tuple[Kind, ...],
            AfterValidator(filled),
            AfterValidator(_each_once),
            Field(json_schema_extra={"minItems": 1}),
        ]
        | None
    ) = None
    """The kinds that it keeps in step; all that have feeds if left out. What their records need is
    added as well."""
    mode: Literal["apply", "plan"] = "apply"
    """`apply` carries out what it plans; `plan` only says in the log what it would do."""
    changed: bool = False
    """Whether only what changed is read, where a feed says `updated_column`. Then nothing is
    removed."""
    jitter: Annotated[Duration, between(timedelta(0), timedelta(hours=1))] = timedelta(0)
    """Each run begins up to this much late, by chance, so that not all tools call at the same
    second. Always less than `every`."""

    @model_validator(mode="after")
    def _one_schedule(self) -> "JobSettings":
        if (self.cron is None) == (self.every is None):
            raise told(
                [InvalidSetting("", "needs exactly one of 'cron' and 'every'", "say when it runs")]
            )
        if self.cron is not None and self.zone is None:
            raise told(
                [
                    InvalidSetting(
                        "cron",
                        "has no zone",
                        "add 'zone', such as Europe/Oslo: whose clock is meant",
                    )
                ]
            )
        if self.every is not None and self.zone is not None:
            raise told([InvalidSetting("zone", "means nothing with 'every'", "take it out")])
        if self.every is not None and self.jitter >= self.every:
            raise told(
                [
                    InvalidSetting(
                        "jitter",
                        "is not less than 'every', so runs would pass each other",
                        "make it shorter",
                    )
                ]
            )
        return self

    @property
    def schedule(self) -> Schedule:
        """Return when it runs."""
        if self.every is not None:
            return Every(self.every)
        return crontab(self.cron or "", self.zone or "")

    def chosen(self) -> frozenset[Kind]:
        """Return the kinds that it keeps in step; none for all."""
        return frozenset(self.kinds or ())


def _on_this_machine(value: str) -> str:
    try:
        _, port = loopback_address(value)
    except Unusable as error:
        raise told_one(error.reason, error.remedy) from None
    if not port:
        raise told_one("has port 0", "choose a free port, such as 9464")
    return value


class ServiceSettings(Strict):
    """Where the service answers, and how long stopping and a run may take."""

    listen: Annotated[str, AfterValidator(_on_this_machine)] | None = None
    """Where `/healthz`, `/readyz` and `/metrics` are answered, such as `127.0.0.1:9464`; nowhere if
    left out."""
    shutdown_timeout: Annotated[Duration, between(timedelta(seconds=1), timedelta(minutes=10))] = (
        timedelta(seconds=30)
    )
    """How long it may take at most to stop after SIGTERM."""
    run_timeout: Annotated[Duration, between(timedelta(minutes=1), 7 * _DAY)] = timedelta(hours=4)
    """How long a run may take at most; what is left then is for the next one."""
