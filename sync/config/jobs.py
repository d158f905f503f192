"""The settings of the service: its jobs, how it stops, and where it is monitored."""

import re
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    Field,
    WithJsonSchema,
    model_validator,
)

from sync.config.page import Listen, PageSettings, check_reach
from sync.config.patterns import check_zone
from sync.config_base.base import (
    InvalidSetting,
    Strict,
    require_entries,
    validation_error,
    validation_errors,
)
from sync.config_base.durations import Duration, between
from sync.config_base.secrets import SecretRef
from sync.records.base import Kind
from sync.schedule import Every, Schedule, crontab

_NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$"
_DAY = timedelta(days=1)


def _check_name(text: str) -> str:
    if not re.match(_NAME, text):
        raise validation_error(
            "is not a valid job name", "use up to 40 letters (a to z), digits, - and _"
        )
    return text


JobName = Annotated[
    str, AfterValidator(_check_name), WithJsonSchema({"type": "string", "pattern": _NAME})
]


def _check_cron(text: str) -> str:
    """Return the five fields, if there is a time that fits them.

    This does not depend on the zone, so any zone can be used for the check.
    """
    try:
        crontab(text, "UTC")
    except ValueError as error:
        reason, _, remedy = str(error).partition("; ")
        raise validation_error(
            reason,
            remedy or "write the five fields of cron, such as '15 2 * * *' for 02:15 every day",
        ) from None
    return text


def _require_distinct(kinds: tuple[Kind, ...]) -> tuple[Kind, ...]:
    if len(set(kinds)) < len(kinds):
        raise validation_error("names a kind twice", "name each kind once")
    return kinds


class JobSettings(Strict):
    """A job: when it runs, and what it does."""

    cron: Annotated[str, AfterValidator(_check_cron)] | None = None
    """When it runs: the five fields of cron in quotes, such as `"15 2 * * *"`, or a word such as
    `"@daily"`. It needs `zone`."""
    every: Annotated[Duration, between(timedelta(seconds=1), 366 * _DAY)] | None = None
    """The interval between two runs, instead of `cron`, such as `30m` or `1h30m`. It is counted from
    midnight UTC."""
    zone: Annotated[str, AfterValidator(check_zone)] | None = None
    """The time zone of `cron`, such as `Europe/Oslo`."""
    kinds: (
        Annotated[
            tuple[Kind, ...],
            AfterValidator(require_entries),
            AfterValidator(_require_distinct),
            Field(json_schema_extra={"minItems": 1}),
        ]
        | None
    ) = None
    """The kinds to keep in step, together with the kinds that they need. Default: all that have
    feeds."""
    watch: Annotated[tuple[str, ...], AfterValidator(require_entries)] = ()
    """Sources that start it, in addition to its times, as soon as they have something new. Files
    need `done_marker`, `sha256` or `moved_into_place`, queries of PostgreSQL `listen`."""
    mode: Literal["apply", "plan"] = "apply"
    """`apply` plans the changes and applies them; `plan` only logs what it would do."""
    changed: bool = False
    """Whether to read only the changed rows of feeds with `updated_column`. Such a run removes
    nothing."""
    jitter: Annotated[Duration, between(timedelta(0), timedelta(hours=1))] = timedelta(0)
    """The longest random delay before each run, so that not all tools call at the same second. It
    must be shorter than `every`."""

    @model_validator(mode="after")
    def _check_schedule(self) -> "JobSettings":
        if (self.cron is None) == (self.every is None):
            raise validation_errors(
                [InvalidSetting("", "needs either 'cron' or 'every'", "set exactly one of them")]
            )
        if self.cron is not None and self.zone is None:
            raise validation_errors(
                [
                    InvalidSetting(
                        "cron",
                        "has no time zone",
                        "add one as a setting, such as 'zone: Europe/Oslo'",
                    )
                ]
            )
        if self.every is not None and self.zone is not None:
            raise validation_errors(
                [InvalidSetting("zone", "has no effect with 'every'", "remove it")]
            )
        if self.every is not None and self.jitter >= self.every:
            raise validation_errors(
                [
                    InvalidSetting(
                        "jitter",
                        "is not shorter than 'every', so a run could overtake the next one",
                        "make it shorter",
                    )
                ]
            )
        return self

    @property
    def schedule(self) -> Schedule:
        """Return the schedule of the job's runs."""
        if self.every is not None:
            return Every(self.every)
        return crontab(self.cron or "", self.zone or "")

    def chosen(self) -> frozenset[Kind]:
        """Return the kinds that the job keeps in step; empty for all."""
        return frozenset(self.kinds or ())


class ServiceSettings(Strict):
    """Where the service answers, and how long a shutdown and a run may take."""

    listen: Listen | None = None
    """The address and port of `/healthz`, `/readyz`, `/metrics` and the status page, such as
    `127.0.0.1:9464`. Without it they are not available."""
    page: PageSettings | None = None
    """The status page for people. Without it there is none."""
    trigger_token: SecretRef | None = None
    """The token of `POST /trigger/JOB`, which starts a job and can do nothing else: at least 20
    characters. Without it nobody can start jobs so."""
    shutdown_timeout: Annotated[Duration, between(timedelta(seconds=1), timedelta(minutes=10))] = (
        timedelta(seconds=75)
    )
    """How long a shutdown after SIGTERM may take. A call may take as long as
    `inspera.read_timeout`, so give it more."""
    run_timeout: Annotated[Duration, between(timedelta(minutes=1), 7 * _DAY)] = timedelta(hours=4)
    """How long a run may take. The next run does what is left."""

    @model_validator(mode="after")
    def _protected(self) -> "ServiceSettings":
        if wrong := check_reach(self.listen, self.page):
            raise validation_errors([wrong])
        return self
