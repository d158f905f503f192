"""The whole configuration as one strict model.

The validation, the JSON Schema and the reference page are all made from it.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias, Union
from urllib.parse import quote

from pydantic import AfterValidator, BeforeValidator, Field

from sync.config.addresses import check_proxy, check_state, check_tenant
from sync.config.feeds import Feed, TestFeed
from sync.config.jobs import JobName, JobSettings, ServiceSettings
from sync.config.limits import (
    CommitteesSettings,
    ExistingSettings,
    FreezeSettings,
    GraceSettings,
    LimitsSettings,
    OnAbsence,
    ReconcileSettings,
)
from sync.config.notifications import NotificationSettings
from sync.config.retention import RetentionSettings
from sync.config.selections import OnlySettings, ProtectSettings
from sync.config.vendor import (
    CHANGEABLE,
    CallSettings,
    OptionName,
    OptionSettings,
    StatusMeaning,
    StatusWord,
)
from sync.config_base.base import (
    NonBlank,
    Strict,
    empty_is_default,
    empty_is_none,
    require_entries,
)
from sync.config_base.days import Day, end_of
from sync.config_base.durations import Duration, between
from sync.config_base.secrets import SecretRef
from sync.contract import (
    CALLS,
    DEFAULT_EXTERNAL_SYSTEM,
    FLAT,
    OPTIONS,
    STATUSES,
    Call,
    OptionRule,
    StaffBody,
    Stage,
)
from sync.sources import SOURCES
from sync.sources.base import SourceSettings

if TYPE_CHECKING:
    Source: TypeAlias = SourceSettings
else:  # built from the registry, so that a new source is one line there and none here
    Source = Annotated[Union[tuple(SOURCES.values())], Field(discriminator="type")]  # noqa: UP007 - made at run time

Calls = Annotated[
    dict[str, CallSettings],
    BeforeValidator(empty_is_default),
    Field(default_factory=dict, json_schema_extra={"propertyNames": {"enum": list(CHANGEABLE)}}),
]
Options = Annotated[
    dict[OptionName, OptionSettings],
    BeforeValidator(empty_is_default),
    Field(
        default_factory=dict, json_schema_extra={"propertyNames": {"pattern": "^[A-Z][A-Z0-9_]*$"}}
    ),
]
Statuses = Annotated[
    dict[StatusWord, StatusMeaning],
    BeforeValidator(empty_is_default),
    Field(default_factory=dict),
]
_Wait = Annotated[Duration, between(timedelta(milliseconds=1), timedelta(hours=1))]


class InsperaSettings(Strict):
    """The tenant, and the limits of its calls."""

    url: Annotated[str, AfterValidator(check_tenant)]
    """The tenant's address, such as `https://example.inspera.com`, without a path. `http://` is
    allowed only for this machine."""
    client_id: Annotated[str, Field(min_length=1)]
    """The client id that Inspera shows next to the API key; usually the first part of the tenant's
    host name."""
    api_key: SecretRef
    """The API key, as `${file:PATH}`, `${cred:NAME}`, `${cmd:COMMAND}` or `${NAME}`. It is read only when a call
    needs it."""
    api_key_ends: Day | None = None
    """The last day on which this key is used (in UTC), such as `2027-06-30`. It reminds people to
    replace the key: the metric `api_key_days_left` counts down to it, and a notification says so 14
    days before."""
    external_system: Annotated[str, Field(min_length=1, max_length=200)] = DEFAULT_EXTERNAL_SYSTEM
    """The name under which Inspera keeps the external ids of these tests. Tests that came by LTI or
    another integration have another one, and are not found without it; keep them with a
    configuration and a state of their own."""
    calls_per_second: Annotated[float, Field(gt=0, le=10_000, allow_inf_nan=False)] = 5
    """The highest number of calls a second, of all workers together."""
    max_in_flight: Annotated[int, Field(ge=1, le=64)] = 4
    """The highest number of calls at the same time: tokens, reads and downloads included. Inspera
    allows 10 for all integrations of a customer together."""
    i_have_more: bool = False
    """Whether Inspera has agreed to more than 10 calls at the same time. Only then may
    `max_in_flight` be above 10."""
    workers: Annotated[int, Field(ge=1, le=64)] = 8
    """The highest number of records that are worked on at the same time. Their calls wait for
    `max_in_flight`."""
    batch_size: Annotated[int, Field(ge=1, le=1500)] = 100
    """The highest number of candidates (or contributors) of a test in one call."""
    connect_timeout: _Wait = timedelta(seconds=5)
    """How long to wait for a connection, such as `5s`."""
    read_timeout: _Wait = timedelta(seconds=65)
    """How long to wait for an answer, such as `65s`. Inspera gives a call up after 60 s; with a
    shorter time, calls that Inspera carries out count as lost."""
    call_timeout: Annotated[Duration, between(timedelta(0), timedelta(minutes=10))] = timedelta(
        seconds=60
    )
    """How long Inspera works on a call at most, such as `60s`. A call of a run that was cut off may
    be carried out until then, so the next run waits so long before it looks what became of it."""
    attempts: Annotated[int, Field(ge=1, le=20)] = 5
    """How often to try a call that Inspera can't accept at the moment."""
    retry_after_ceiling: _Wait = timedelta(minutes=5)
    """The longest pause (`Retry-After`) to wait if Inspera asks for one, such as `5m`. If a call
    needs a longer one, this run gives the call up."""
    read_after_write_delay: Annotated[Duration, between(timedelta(0), timedelta(minutes=10))] = (
        timedelta(seconds=10)
    )
    """How long Inspera may take until a written record can be read, such as `10s`. Only after this
    time does a missing record count as missing."""
    proxy: Annotated[str, AfterValidator(check_proxy)] | None = None
    """The web proxy, such as `http://proxy.example.edu:3128`. The proxy variables of the
    environment are ignored."""
    proxy_user: Annotated[str, Field(min_length=1)] | None = None
    """The user name, if the proxy needs a login."""
    proxy_password: SecretRef | None = None
    """The password, if the proxy needs a login; written like `api_key`."""
    ca_bundle: Path | None = None
    """A PEM file with the authorities (CAs) to trust instead of the usual ones, which are those of
    this machine and those of Mozilla. A relative path starts at the folder of the configuration
    file."""
    staff_body: StaffBody = FLAT
    """The shape in which staff are sent: `flat` is the vendor's own sample, with `roles` for
    `accesses` and one `orgUnitName` for `organisations`; `nested` has lists of external ids,
    accesses and organisations."""
    calls: Calls
    """Calls that differ from the assumed ones on this tenant, by name, such as
    `candidate.remove`."""
    options: Options
    """Further options of tests on this tenant, by their names in Inspera."""
    statuses: Statuses
    """Further statuses of tests on this tenant, each with its meaning: `not_activated`, `activated`
    or `archived`, such as `{ready: not_activated}`. Case does not matter."""

    def api_key_end(self) -> datetime | None:
        """Return the end of the last day of the API key; None if it is not known."""
        return end_of(self.api_key_ends) if self.api_key_ends else None

    def calls_in_force(self) -> Mapping[str, Call]:
        """Return every call by name, as this tenant accepts it, in the contract's order."""
        return {
            name: self.calls[name].applied_to(call) if name in self.calls else call
            for name, call in CALLS.items()
        }

    def statuses_in_force(self) -> Mapping[str, Stage]:
        """Return what each status of a test means on this tenant."""
        return {**STATUSES, **{word: Stage(one) for word, one in self.statuses.items()}}

    def options_in_force(self) -> Mapping[str, OptionRule]:
        """Return every option that a test can have on this tenant, by name."""
        return {**OPTIONS, **{name: option.as_rule() for name, option in self.options.items()}}

    def proxy_address(self, folder: Path) -> str | None:
        """Return the proxy's address with user and password, if any. It is a secret.

        Relative paths in references start at `folder`.

        Raises:
            UsageError: the password is missing, empty or unreadable.
        """
        if self.proxy is None or self.proxy_user is None:
            return self.proxy
        password = self.proxy_password.reveal(folder) if self.proxy_password else ""
        scheme, host = self.proxy.split("://", 1)
        return f"{scheme}://{quote(self.proxy_user, safe='')}:{quote(password, safe='')}@{host}"


class Settings(Strict):
    """The tenant, sources, feeds, limits and jobs of inspera-sync."""

    inspera: InsperaSettings
    """The tenant to keep in step, and the limits of its calls."""
    state: Annotated[str, AfterValidator(check_state)] = "sqlite:///state.db"
    """The database in which this tool records what it has sent to Inspera: `sqlite:///FILE` (a
    relative path starts at the folder of the configuration file), or
    `postgresql://USER@HOST/DATABASE` without a password."""
    state_password: SecretRef | None = None
    """The password for a state on PostgreSQL, written like `api_key`. It is read for each
    connection."""
    sources: Annotated[
        dict[str, Source],
        AfterValidator(require_entries),
        Field(json_schema_extra={"minProperties": 1}),
    ]
    """The sources of rows, each with a name of your choice."""
    feeds: Annotated[
        tuple[Feed, ...], AfterValidator(require_entries), Field(json_schema_extra={"minItems": 1})
    ]
    """Which rows become which records."""
    on_absence: Annotated[OnAbsence, BeforeValidator(empty_is_default)] = OnAbsence()
    """What happens to records that their source no longer contains."""
    grace: Annotated[GraceSettings, BeforeValidator(empty_is_default)] = GraceSettings()
    """How long a record must be absent before it is removed."""
    retention: Annotated[RetentionSettings, BeforeValidator(empty_is_default)] = RetentionSettings()
    """How long the state keeps runs, journal and findings."""
    limits: Annotated[LimitsSettings, BeforeValidator(empty_is_default)] = LimitsSettings()
    """How many changes one run may make without permission."""
    freeze: Annotated[FreezeSettings, BeforeValidator(empty_is_default)] = FreezeSettings()
    """How long before its start, and after its end, a test is protected from changes."""
    rooms: Annotated[
        dict[NonBlank, Annotated[int, Field(ge=0, le=100_000)]],
        BeforeValidator(empty_is_default),
        Field(default_factory=dict),
    ]
    """How many places each room has, by its name as in the candidates' `room`, or as
    `building/room`. A plan names a room that has more candidates at once."""
    protect: Annotated[tuple[ProtectSettings, ...], BeforeValidator(empty_is_none)] = ()
    """Records that are never updated or removed until a day. They are still created."""
    only: Annotated[tuple[OnlySettings, ...], BeforeValidator(empty_is_none)] = ()
    """A pilot group: only these records are kept in step, with the tests and people that they need.
    All others are left alone."""
    committees: Annotated[CommitteesSettings, BeforeValidator(empty_is_default)] = (
        CommitteesSettings()
    )
    """Which committee a test gets that has none."""
    existing: Annotated[ExistingSettings, BeforeValidator(empty_is_default)] = ExistingSettings()
    """How to treat what was in Inspera before this tool."""
    verify: Literal["sample", "all", "none"] = "sample"
    """How many of the records that `apply` wrote are read back afterwards: a `sample`, `all`, or
    `none`."""
    reconcile: Annotated[ReconcileSettings, BeforeValidator(empty_is_default)] = ReconcileSettings()
    """What `reconcile` reads, and whether it repairs what differs."""
    jobs: Annotated[
        dict[JobName, JobSettings], BeforeValidator(empty_is_default), Field(default_factory=dict)
    ]
    """The jobs of the service, each with a name of your choice."""
    service: Annotated[ServiceSettings, BeforeValidator(empty_is_default)] = ServiceSettings()
    """How the service stops, and where it is monitored."""

    notifications: Annotated[NotificationSettings, BeforeValidator(empty_is_default)] = (
        NotificationSettings()
    )
    """Who is notified of what needs a person."""

    @property
    def ensures_committees(self) -> bool:
        """Tell whether some tests get a committee that no feed names."""
        feeds = [feed for feed in self.feeds if isinstance(feed, TestFeed)]
        return any((feed.committees or self.committees).ensure for feed in feeds)

    def state_url(self, folder: Path) -> str:
        """Return the state's URL; a relative path of a file starts at `folder`."""
        if not self.state.startswith("sqlite:///"):
            return self.state
        return f"sqlite:///{(folder / self.state.removeprefix('sqlite:///')).absolute()}"
