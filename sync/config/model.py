"""The whole configuration as one strict model.

The one truth for validation, the JSON Schema and the reference.
"""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias, Union
from urllib.parse import quote

from pydantic import AfterValidator, BeforeValidator, Field

from sync.config.addresses import checked_proxy, checked_state, checked_tenant
from sync.config.feeds import Feed
from sync.config.jobs import JobName, JobSettings, ServiceSettings
from sync.config.limits import (
    ExistingSettings,
    FreezeSettings,
    LimitsSettings,
    OnAbsence,
    ReconcileSettings,
)
from sync.config.vendor import CHANGEABLE, CallSettings, OptionName, OptionSettings
from sync.config_base.base import Strict, empty_is_default, filled
from sync.config_base.durations import Duration, between
from sync.config_base.secrets import SecretRef
from sync.contract import CALLS, OPTIONS, Call, OptionRule
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
_Wait = Annotated[Duration, between(timedelta(milliseconds=1), timedelta(hours=1))]


class InsperaSettings(Strict):
    """The tenant, and how it is called."""

    url: Annotated[str, AfterValidator(checked_tenant)]
    """The tenant's address, such as `https://example.inspera.com`, without a path. `http://` only
    for this machine."""
    client_id: Annotated[str, Field(min_length=1)]
    """The client id that Inspera shows next to the API key; usually the first part of the tenant's
    host name."""
    api_key: SecretRef
    """The API key, best as `${file:PATH}`, `${cred:NAME}` or `${NAME}`. It is read only when a call
    needs it."""
    calls_per_second: Annotated[float, Field(gt=0, le=10_000, allow_inf_nan=False)] = 5
    """How many calls a second are made at most, over all workers."""
    workers: Annotated[int, Field(ge=1, le=64)] = 8
    """How many calls may be under way at the same time."""
    batch_size: Annotated[int, Field(ge=1, le=1500)] = 100
    """How many candidates (or contributors) of a test go into one call at most."""
    connect_timeout: _Wait = timedelta(seconds=5)
    """How long to wait for a connection, such as `5s`."""
    read_timeout: _Wait = timedelta(seconds=10)
    """How long to wait for an answer, such as `10s`."""
    attempts: Annotated[int, Field(ge=1, le=20)] = 5
    """How often a call is tried at most when Inspera can't take it just now."""
    retry_after_ceiling: _Wait = timedelta(minutes=5)
    """The longest pause that Inspera can ask for (`Retry-After`), such as `5m`. A call that needs a
    longer one is given up for this run."""
    read_after_write_delay: Annotated[Duration, between(timedelta(0), timedelta(minutes=10))] = (
        timedelta(seconds=10)
    )
    """How long it takes until something written can be read back, such as `10s`. Only then does
    \"not there\" count."""
    proxy: Annotated[str, AfterValidator(checked_proxy)] | None = None
    """The web proxy, such as `http://proxy.example.edu:3128`. The environment's proxy variables are
    not obeyed."""
    proxy_user: Annotated[str, Field(min_length=1)] | None = None
    """The user name for a proxy that asks for one."""
    proxy_password: SecretRef | None = None
    """The password for a proxy that asks for one, given like `api_key`."""
    ca_bundle: Path | None = None
    """A file of certificates to trust instead of the usual ones; a relative path starts at this
    file's folder."""
    calls: Calls
    """Calls that this tenant takes otherwise than assumed, by their names, such as
    `candidate.remove`."""
    options: Options
    """Options of tests that this tenant has beyond those that are known, by their names in
    Inspera."""

    def calls_in_force(self) -> Mapping[str, Call]:
        """Return every call by name, as this tenant takes it, in the contract's order.

        Vendor contract, Token to Test API.
        """
        return {
            name: self.calls[name].applied_to(call) if name in self.calls else call
            for name, call in CALLS.items()
        }

    def options_in_force(self) -> Mapping[str, OptionRule]:
        """Return every option that a test can have, by name.

        Vendor contract, Test API: settings.
        """
        return {**OPTIONS, **{name: option.as_rule() for name, option in self.options.items()}}

    def proxy_address(self, folder: Path) -> str | None:
        """Return the proxy with its user and password, if any: a secret.

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
    """What inspera-sync keeps in step, from where, how, and within which limits."""

    inspera: InsperaSettings
    """Which tenant is kept in step, and how it is called."""
    state: Annotated[str, AfterValidator(checked_state)] = "sqlite:///state.db"
    """Where this tool remembers what it has put into Inspera: `sqlite:///FILE`, from this file's
    folder if relative, or `postgresql://USER@HOST/DATABASE`, without a password."""
    state_password: SecretRef | None = None
    """The password for a state on PostgreSQL, given like `api_key`. It is read whenever a
    connection is made."""
    sources: Annotated[
        dict[str, Source], AfterValidator(filled), Field(json_schema_extra={"minProperties": 1})
    ]
    """Where rows come from, each under a name of your choosing."""
    feeds: Annotated[
        tuple[Feed, ...], AfterValidator(filled), Field(json_schema_extra={"minItems": 1})
    ]
    """Which rows become which records, and how."""
    on_absence: Annotated[OnAbsence, BeforeValidator(empty_is_default)] = OnAbsence()
    """What becomes of records that their source no longer has."""
    limits: Annotated[LimitsSettings, BeforeValidator(empty_is_default)] = LimitsSettings()
    """How much may change in one run without a person's word."""
    freeze: Annotated[FreezeSettings, BeforeValidator(empty_is_default)] = FreezeSettings()
    """What holds for a test that starts soon or is under way."""
    existing: Annotated[ExistingSettings, BeforeValidator(empty_is_default)] = ExistingSettings()
    """What holds for what was in Inspera before this tool first touched it."""
    verify: Literal["sample", "all", "none"] = "sample"
    """How much of what an `apply` wrote is read back afterwards: a `sample`, `all` of it, or
    `none`."""
    reconcile: Annotated[ReconcileSettings, BeforeValidator(empty_is_default)] = ReconcileSettings()
    """What `reconcile` reads, and whether it repairs."""
    jobs: Annotated[
        dict[JobName, JobSettings], BeforeValidator(empty_is_default), Field(default_factory=dict)
    ]
    """What the service does, and when; each under a name of your choosing."""
    service: Annotated[ServiceSettings, BeforeValidator(empty_is_default)] = ServiceSettings()
    """How the service stops, and how it is looked after."""

    def state_url(self, folder: Path) -> str:
        """Return the state's URL; a relative path of a file is taken from `folder`."""
        if not self.state.startswith("sqlite:///"):
            return self.state
        return f"sqlite:///{(folder / self.state.removeprefix('sqlite:///')).absolute()}"
