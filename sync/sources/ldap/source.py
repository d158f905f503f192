"""The settings of LDAP sources, and how one is opened: entries become rows, attributes columns."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from sync.config_base.base import (
    ColumnName,
    InvalidSetting,
    NonBlank,
    require_entries,
    validation_error,
    validation_errors,
)
from sync.config_base.durations import PositiveDuration
from sync.config_base.secrets import BrokenReference, SecretRef
from sync.errors import SourceError, install_remedy
from sync.records.extract import Extract, Since
from sync.sources.base import SourceSettings
from sync.sources.ldap.columns import DN, LdapColumnSettings
from sync.sources.ldap.filter import filter_error
from sync.sources.ldap.tls import TlsTrust
from sync.sources.ldap.url import LdapAddress, parse_url
from sync.sources.ldap.values import normal_dn

if TYPE_CHECKING:
    from sync.sources.ldap.connection import LdapAccess
    from sync.sources.ldap.reader import LdapReader

Bind = Literal["simple", "external", "anonymous"]


def _server(text: str) -> str:
    return str(parse_url(text))


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _dn(text: str) -> str:
    try:
        normal_dn(text)
    except ValueError:
        raise validation_error(
            "is not a distinguished name", "write it like ou=people,dc=example,dc=edu"
        ) from None
    return text


def _filter(text: str) -> str:
    if error := filter_error(text):
        raise validation_error(error, "write it like (&(objectClass=person)(employeeType=student))")
    return text.strip()


def _columns(value: Any) -> Any:
    """Accept a list of attributes, or a mapping to an attribute's name or its settings."""
    if isinstance(value, list | tuple):
        if not all(isinstance(name, str) for name in value):
            raise validation_error(
                "contains something other than a name",
                "list names, or map columns to attributes",
            )
        if repeated := sorted({name for name in value if value.count(name) > 1}):
            raise validation_error(f"has '{repeated[0]}' more than once", "remove one")
        return {name: {} for name in value}
    if isinstance(value, dict):
        return {
            name: {"attribute": spec} if isinstance(spec, str) else spec
            for name, spec in value.items()
        }
    return value


def _fit(columns: dict[str, LdapColumnSettings]) -> dict[str, LdapColumnSettings]:
    if DN in columns:
        raise validation_error(
            "has a column 'dn'", "remove it: every row has the entry's distinguished name in 'dn'"
        )
    repeated = [name for name, spec in columns.items() if spec.many == "all"]
    if len(repeated) > 1:
        reason = f"has 'many: all' for '{repeated[0]}' and for '{repeated[1]}'"
        raise validation_error(
            reason, "set it for one column at most; join the others, or read them by another source"
        )
    return columns


class _ListOrMapping:
    """The JSON Schema of a mapping for which a list may be written, too."""

    @staticmethod
    def __get_pydantic_json_schema__(
        schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        names = {"type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1}}
        return {"anyOf": [names, handler(schema)]}


class _TextOrList:
    """The JSON Schema of a list for which one text may be written, too."""

    @staticmethod
    def __get_pydantic_json_schema__(
        schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string", "minLength": 1}, handler(schema)]}


class LdapSettings(SourceSettings):
    """Entries of an LDAP server, such as OpenLDAP or Active Directory.

    An incomplete result is not used.
    """

    unit: ClassVar[str] = "entry"
    supports_changes: ClassVar[bool] = True

    type: Literal["ldap"] = "ldap"
    """The kind of source."""
    servers: Annotated[
        tuple[Annotated[NonBlank, AfterValidator(_server)], ...],
        AfterValidator(require_entries),
        BeforeValidator(_listed),
        _TextOrList,
    ]
    """One server or several, such as `ldaps://ldap.example.edu`; the first that works is used."""
    start_tls: bool | None = None
    """Whether to start TLS on a connection to an `ldap://` server.

    Default: yes, except for a server on this machine. No other server is used without TLS.
    """
    ca_file: Path | None = None
    """A PEM file with the authority (CA) of the servers' certificates.

    Default: the authorities that the system trusts.
    """
    bind: Bind | None = None
    """How to log in: `simple`, `external` or `anonymous`.

    `simple` uses user and password. `external` uses a client certificate, or over `ldapi://` the
    account of this process. Default: `simple` if there is a user, otherwise `anonymous`.
    """
    user: NonBlank | None = None
    """The user: a distinguished name, or with Active Directory a name like `sync@example.edu`."""
    password: SecretRef | None = None
    """The user's password."""
    client_cert: Path | None = None
    """A PEM file with the client certificate."""
    client_key: Path | None = None
    """A PEM file with its key, without a passphrase. Default: the file of the certificate."""
    base: Annotated[NonBlank, AfterValidator(_dn)]
    """The entry below which to search, such as `ou=people,dc=example,dc=edu`."""
    scope: Literal["subtree", "onelevel", "base"] = "subtree"
    """How far to search: the whole subtree, the entries directly below `base`, or `base` itself."""
    filter: Annotated[NonBlank, AfterValidator(_filter)] = "(objectClass=*)"
    """Which entries to read, as an LDAP filter."""
    attributes: Annotated[
        dict[ColumnName, LdapColumnSettings],
        AfterValidator(_fit),
        AfterValidator(require_entries),
        BeforeValidator(_columns),
        _ListOrMapping,
    ]
    """The attributes to read: a list of names, or columns with the settings of each.

    Every row also has the column `dn`, the entry's distinguished name.
    """
    paged: bool = True
    """Whether to read by pages.

    Without pages most servers cut off a long result, which is then not used.
    """
    page_size: Annotated[int, Field(ge=1, le=100_000)] = 500
    """How many entries to ask for in a page. Active Directory sends 1,000 at most."""
    connect_timeout: PositiveDuration = timedelta(seconds=10)
    """How long to wait for a connection to a server before the next one is tried."""
    timeout: PositiveDuration = timedelta(minutes=5)
    """How long to wait for the next part of an answer."""
    referrals: Literal["ignore", "refuse"] = "ignore"
    """What to do with a part of the tree that is on another server. It is never read there.

    With `refuse` the source is then not used. Active Directory always refers to some parts of its
    own that contain no people, so use `ignore` there.
    """
    overlap: PositiveDuration = timedelta(minutes=5)
    """How far a read of changes by `modifyTimestamp` or `whenChanged` goes back before the last."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if errors := [*self._login_errors(), *self._transport_errors()]:
            raise validation_errors(errors)
        return self

    def place(self, folder: Path) -> str:  # noqa: ARG002 - a server is in no folder
        """Return the first server and the base, for people."""
        return f"{self.servers[0]}/{self.base}"

    @contextmanager
    def open(self, folder: Path) -> Iterator[Extract]:
        """Open the source for one read. A row has the number of its entry.

        Raises:
            SourceError: no server can be used, or the login is refused. Of its rows: the result is
                incomplete, or an entry has several values where `many` is `one`.
        """
        with self.reader(folder).open() as extract:
            yield extract

    @contextmanager
    def open_since(self, folder: Path, since: Since) -> Iterator[Extract]:
        """Open the source for the entries that changed since the mark.

        The column is `modifyTimestamp`, `whenChanged` or `uSNChanged`.

        Raises:
            SourceError: as for `open`, or the server can't find changes since this mark.
        """
        with self.reader(folder).open(since, self.overlap) as extract:
            yield extract

    def known_attributes(self, folder: Path) -> tuple[str, ...]:
        """Return the attributes that the entries may have by the server's schema, sorted.

        Raises:
            SourceError: the server can't be read.
        """
        return self.reader(folder).known_attributes()

    def reader(
        self, folder: Path, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> "LdapReader":
        """Return the reader of one read, with a clock (UTC).

        Raises:
            SourceError: the library for LDAP is not installed.
        """
        try:
            from sync.sources.ldap.reader import LdapReader
            from sync.sources.ldap.search import LdapQuery
        except ModuleNotFoundError as missing:
            if (missing.name or "").partition(".")[0] not in ("ldap3", "pyasn1"):
                raise
            reason = "the library for LDAP is not installed"
            raise SourceError(self.place(folder), reason, install_remedy("ldap")) from None
        query = LdapQuery(
            self.base,
            self.scope,
            self.filter,
            (),
            self.page_size if self.paged else 0,
            self.referrals,
        )
        return LdapReader(self._access(folder), query, self.attributes, clock)

    def _access(self, folder: Path) -> "LdapAccess":
        from sync.sources.ldap.connection import LdapAccess, Login

        files = [
            folder / path if path else None
            for path in (self.ca_file, self.client_cert, self.client_key)
        ]
        bind, addresses = self._bind(), self._addresses()
        return LdapAccess(
            place=self.place(folder),
            servers=addresses,
            start_tls=tuple(map(self._starts_tls, addresses)),
            trust=TlsTrust(*files),
            login=Login(bind, self.user or "", self._password(folder))
            if bind == "simple"
            else Login(bind),
            connect_seconds=int(self.connect_timeout.total_seconds()),
            answer_seconds=int(self.timeout.total_seconds()),
        )

    def _password(self, folder: Path) -> str:
        try:
            return self.password.reveal(folder) if self.password else ""
        except BrokenReference as broken:
            raise SourceError(
                self.place(folder), f"'password': {broken.reason}", broken.remedy
            ) from None

    def _addresses(self) -> tuple[LdapAddress, ...]:
        return tuple(map(parse_url, self.servers))

    def _starts_tls(self, address: LdapAddress) -> bool:
        if address.scheme != "ldap":
            return False
        return not address.is_local if self.start_tls is None else self.start_tls

    def _bind(self) -> Bind:
        return self.bind or ("simple" if self.user else "anonymous")

    def _login_errors(self) -> Iterator[InvalidSetting]:
        bind = self._bind()
        if bind == "simple" and not self.user:
            yield InvalidSetting("bind", "needs a 'user'", "set one, or set 'bind: anonymous'")
        if bind == "simple" and self.password is None:
            yield InvalidSetting(
                "",
                "has no 'password' for its user",
                "set it to ${file:PATH}, ${cred:NAME} or ${NAME}",
            )
        if bind != "simple" and (self.user or self.password):
            yield InvalidSetting(
                "bind",
                "uses no user and no password",
                "remove 'user' and 'password', or set 'bind: simple'",
            )
        if (
            bind == "external"
            and not self.client_cert
            and any(address.scheme != "ldapi" for address in self._addresses())
        ):
            yield InvalidSetting("bind", "needs a client certificate", "set 'client_cert'")
        if self.client_key and not self.client_cert:
            yield InvalidSetting(
                "client_key", "is a key without its certificate", "set 'client_cert'"
            )

    def _transport_errors(self) -> Iterator[InvalidSetting]:
        for address in self._addresses():
            if address.scheme == "ldap" and not (address.is_local or self._starts_tls(address)):
                reason = f"would send everything to {address} unencrypted"
                yield InvalidSetting(
                    "start_tls", reason, "remove 'start_tls: false', or use an ldaps:// address"
                )
