"""LDAP directories, such as OpenLDAP and Active Directory: entries become rows, attributes become columns."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from sync.config_base.base import Filled, InvalidSetting, Named, filled, told, told_one
from sync.config_base.secrets import BrokenReference, SecretRef
from sync.errors import SourceError
from sync.records.extract import Extract, Since
from sync.sources.base import SourceSettings
from sync.sources.completeness import Wait
from sync.sources.ldap.columns import DN, LdapColumnSettings
from sync.sources.ldap.filter import error_in
from sync.sources.ldap.servers import LdapAddress, address_of
from sync.sources.ldap.tls import TlsTrust
from sync.sources.ldap.values import normal_dn

if TYPE_CHECKING:
    from sync.sources.ldap.connection import DirectoryAccess
    from sync.sources.ldap.reader import LdapReading

Bind = Literal["simple", "external", "anonymous"]


def _server(text: str) -> str:
    return str(address_of(text))


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _dn(text: str) -> str:
    try:
        normal_dn(text)
    except ValueError:
        raise told_one(
            "is no distinguished name", "write it like ou=people,dc=example,dc=edu"
        ) from None
    return text


def _filter(text: str) -> str:
    if error := error_in(text):
        raise told_one(error, "write it like (&(objectClass=person)(employeeType=student))")
    return text.strip()


def _columns(value: Any) -> Any:
    """A list of attributes, or a mapping in which an attribute's name alone is enough."""
    if isinstance(value, list | tuple):
        if not all(isinstance(name, str) for name in value):
            raise told_one(
                "holds something that is no attribute's name",
                "list names, or map columns to attributes",
            )
        if repeated := sorted({name for name in value if value.count(name) > 1}):
            raise told_one(f"has '{repeated[0]}' more than once", "take one out")
        return {name: {} for name in value}
    if isinstance(value, dict):
        return {
            name: {"attribute": one} if isinstance(one, str) else one for name, one in value.items()
        }
    return value


def _fit(columns: dict[str, LdapColumnSettings]) -> dict[str, LdapColumnSettings]:
    if DN in columns:
        raise told_one(
            "has a column 'dn'", "take it out: every row has the entry's own name in 'dn'"
        )
    repeated = [name for name, one in columns.items() if one.many == "all"]
    if len(repeated) > 1:
        reason = f"has 'many: all' for '{repeated[0]}' and for '{repeated[1]}'"
        raise told_one(
            reason, "say it for one column at most; join the others, or read them by another source"
        )
    return columns


class _OrListed:
    """Tells editors that a list will do, too."""

    @staticmethod
    def __get_pydantic_json_schema__(
        schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        names = {"type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1}}
        return {"anyOf": [names, handler(schema)]}


class _OneOrListed:
    """Tells editors that one text will do, too."""

    @staticmethod
    def __get_pydantic_json_schema__(
        schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string", "minLength": 1}, handler(schema)]}


class LdapSettings(SourceSettings):
    """An LDAP directory, such as OpenLDAP or Active Directory. A result that was cut short is never used."""

    unit: ClassVar[str] = "entry"
    tells_changes: ClassVar[bool] = True

    type: Literal["ldap"] = "ldap"
    """The kind of source."""
    servers: Annotated[
        tuple[Annotated[Filled, AfterValidator(_server)], ...],
        AfterValidator(filled),
        BeforeValidator(_listed),
        _OneOrListed,
    ]
    """One server or several, such as `ldaps://ldap.example.edu`. They are tried in this order until one can be used."""
    start_tls: bool | None = None
    """Whether a connection to an `ldap://` server turns to TLS before anything is said. Default: yes, unless the server
    is this very machine. Without TLS no other machine is talked to."""
    ca_file: Path | None = None
    """A PEM file with the authority (CA) that issued the servers' certificates. Default: those the system trusts."""
    bind: Bind | None = None
    """How to log in: `simple` with user and password, `external` with a client certificate (or by one's account over
    `ldapi://`), or `anonymous`. Default: `simple` when there is a user, `anonymous` otherwise."""
    user: Filled | None = None
    """As whom to log in: a distinguished name, or a name like `sync@example.edu` with Active Directory."""
    password: SecretRef | None = None
    """That user's password."""
    client_cert: Path | None = None
    """A PEM file with the certificate to show to the server."""
    client_key: Path | None = None
    """A PEM file with that certificate's key, without a passphrase. Default: it is in the same file."""
    base: Annotated[Filled, AfterValidator(_dn)]
    """The entry below which to search, such as `ou=people,dc=example,dc=edu`."""
    scope: Literal["subtree", "onelevel", "base"] = "subtree"
    """How far below: all the way down, the entries right below it, or that entry itself."""
    filter: Annotated[Filled, AfterValidator(_filter)] = "(objectClass=*)"
    """Which of the entries, as an LDAP filter."""
    attributes: Annotated[
        dict[Named, LdapColumnSettings],
        AfterValidator(_fit),
        AfterValidator(filled),
        BeforeValidator(_columns),
        _OrListed,
    ]
    """The attributes to read: a list of names, or columns with what becomes of an attribute there. Every row also has
    the column `dn`, the entry's own name."""
    paged: bool = True
    """Whether to read by pages. Without them most directories cut a long result short, which is then not used."""
    page_size: Annotated[int, Field(ge=1, le=100_000)] = 500
    """Entries in a page. Active Directory gives 1,000 at most."""
    connect_timeout: Wait = timedelta(seconds=10)
    """How long to wait for a server to answer the first time, before the next one is tried."""
    timeout: Wait = timedelta(minutes=5)
    """How long to wait for the directory to go on with an answer."""
    referrals: Literal["ignore", "refuse"] = "ignore"
    """What to do when the directory says that a part of the tree is on another server: it is never followed there.
    Active Directory says so of parts of its own that hold no people; with `refuse` the source is not used then."""
    overlap: Wait = timedelta(minutes=5)
    """How far back a reading of what changed reaches behind the last one, by `modifyTimestamp` or `whenChanged`."""

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if found := [*self._login_errors(), *self._transport_errors()]:
            raise told(found)
        return self

    def place(self, folder: Path) -> str:  # noqa: ARG002 - a directory is in no folder
        """How the directory is named to people: by its first server and the base."""
        return f"{self.servers[0]}/{self.base}"

    @contextmanager
    def open(self, folder: Path) -> Iterator[Extract]:
        """The directory, for one reading; a row's number is that of its entry.

        Raises:
            SourceError: no server can be used, or the login is refused. Of its rows: the directory cut them short, or
                an entry has several values where nobody said what to do with them.
        """
        with self.reading(folder).opened() as extract:
            yield extract

    @contextmanager
    def open_since(self, folder: Path, since: Since) -> Iterator[Extract]:
        """The same for the entries that changed, by `modifyTimestamp`, `whenChanged` or `uSNChanged`.

        Raises:
            SourceError: as above; or the directory can't tell, or not from this mark on.
        """
        with self.reading(folder).opened(since, self.overlap) as extract:
            yield extract

    def known_attributes(self, folder: Path) -> tuple[str, ...]:
        """The attributes that entries found here may have by the directory's schema, sorted; to choose from.

        Raises:
            SourceError: the directory can't be read.
        """
        return self.reading(folder).known_attributes()

    def reading(
        self, folder: Path, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> "LdapReading":
        """One reading, by this clock (UTC).

        Raises:
            SourceError: the library for LDAP is not installed.
        """
        try:
            from sync.sources.ldap.reader import LdapReading
            from sync.sources.ldap.search import Query
        except ModuleNotFoundError as missing:
            if (missing.name or "").partition(".")[0] not in ("ldap3", "pyasn1"):
                raise
            remedy = "install it with pip install 'inspera-sync[ldap]'"
            raise SourceError(
                self.place(folder), "the library for LDAP is not installed", remedy
            ) from None
        query = Query(
            self.base,
            self.scope,
            self.filter,
            (),
            self.page_size if self.paged else 0,
            self.referrals,
        )
        return LdapReading(self._access(folder), query, self.attributes, clock)

    def _access(self, folder: Path) -> "DirectoryAccess":
        from sync.sources.ldap.connection import DirectoryAccess, Login

        files = [
            folder / one if one else None
            for one in (self.ca_file, self.client_cert, self.client_key)
        ]
        bind, addresses = self._bind(), self._addresses()
        return DirectoryAccess(
            place=self.place(folder),
            servers=addresses,
            start_tls=tuple(map(self._turns_to_tls, addresses)),
            trust=TlsTrust(*files),
            login=Login(bind, self.user or "", self._password(folder))
            if bind == "simple"
            else Login(bind),
            connect=int(self.connect_timeout.total_seconds()),
            answer=int(self.timeout.total_seconds()),
        )

    def _password(self, folder: Path) -> str:
        try:
            return self.password.reveal(folder) if self.password else ""
        except BrokenReference as broken:
            raise SourceError(
                self.place(folder), f"'password': {broken.reason}", broken.remedy
            ) from None

    def _addresses(self) -> tuple[LdapAddress, ...]:
        return tuple(map(address_of, self.servers))

    def _turns_to_tls(self, address: LdapAddress) -> bool:
        if address.scheme != "ldap":
            return False
        return not address.is_here if self.start_tls is None else self.start_tls

    def _bind(self) -> Bind:
        return self.bind or ("simple" if self.user else "anonymous")

    def _login_errors(self) -> Iterator[InvalidSetting]:
        bind = self._bind()
        if bind == "simple" and not self.user:
            yield InvalidSetting("bind", "needs a 'user'", "give one, or say 'bind: anonymous'")
        if bind == "simple" and self.password is None:
            yield InvalidSetting(
                "",
                "has no 'password' for its user",
                "give it as ${file:PATH}, ${cred:NAME} or ${NAME}",
            )
        if bind != "simple" and (self.user or self.password):
            yield InvalidSetting(
                "bind",
                "takes no user and no password",
                "take 'user' and 'password' out, or say 'bind: simple'",
            )
        if (
            bind == "external"
            and not self.client_cert
            and any(one.scheme != "ldapi" for one in self._addresses())
        ):
            yield InvalidSetting("bind", "needs a certificate to show", "set 'client_cert'")
        if self.client_key and not self.client_cert:
            yield InvalidSetting(
                "client_key", "is a key without its certificate", "set 'client_cert'"
            )

    def _transport_errors(self) -> Iterator[InvalidSetting]:
        for address in self._addresses():
            if address.scheme == "ldap" and not (address.is_here or self._turns_to_tls(address)):
                reason = f"would send what it says to {address} unprotected"
                yield InvalidSetting(
                    "start_tls", reason, "take 'start_tls: false' out, or use an ldaps:// address"
                )
