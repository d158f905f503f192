"""A bound connection to one of a directory's servers, through ldap3. Imported only when a directory is opened."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from sync.errors import SourceError
from sync.sources.ldap.library import BROKEN, ldap3
from sync.sources.ldap.servers import LdapAddress
from sync.sources.ldap.tls import TlsTrust, needs_a_look, refusal

_BUSY = {51: "busy", 52: "unavailable", 80: "in trouble"}
_AD_REASONS = {
    "525": "there is no such user",
    "530": "the account may not log in at this time",
    "532": "its password has expired",
    "533": "the account is disabled",
    "701": "the account has expired",
    "773": "its password must be changed first",
    "775": "the account is locked",
}


@dataclass(frozen=True, slots=True)
class Login:
    """As whom to bind; the password is only here while a source is being opened."""

    bind: Literal["simple", "external", "anonymous"]
    user: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return f"Login({self.bind})"


@dataclass(frozen=True, slots=True)
class DirectoryAccess:
    """How to get to a directory. Times are in seconds.

    Attributes:
        place: how the directory is named to people.
        start_tls: whether a connection to an `ldap://` server turns to TLS before anything is said.
        answer: how long to wait for the server's next word.
    """

    place: str
    servers: tuple[LdapAddress, ...]
    start_tls: tuple[bool, ...]
    trust: TlsTrust
    login: Login
    connect: int
    answer: int


class _UnusableError(Exception):
    """One server that can't be used: why, and what to do."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.reason, self.remedy = reason, remedy


class _VerifiedTls(ldap3.Tls):
    """TLS by Python's own verification; ldap3's fails for IP addresses, and from Python 3.12 on for any name."""

    def __init__(self, context: ssl.SSLContext, host: str, wait: int) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED)
        self._context, self._host, self._wait = context, host, wait
        self.failure: OSError | None = None

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:  # noqa: ARG002 - ldap3's signature
        """Turns the connection's socket into one that speaks TLS with the server that is meant, and no other."""
        plain = connection.socket
        answer = plain.gettimeout()
        plain.settimeout(self._wait)
        try:
            wrapped = self._context.wrap_socket(plain, server_hostname=self._host)
        except OSError as error:
            self.failure = error  # ldap3 would make a text of it
            raise
        wrapped.settimeout(answer)
        connection.socket = wrapped


@contextmanager
def connected(access: DirectoryAccess) -> Iterator[ldap3.Connection]:
    """A bound connection to the first server that can be used; closed at the end.

    Raises:
        SourceError: none can be used, for the reasons that it names; or the user is refused.
    """
    context = access.trust.context(access.place)
    connection = _first_usable(access, context)
    try:
        yield connection
    finally:
        _close(connection)


def _first_usable(access: DirectoryAccess, context: ssl.SSLContext) -> ldap3.Connection:
    refused: list[tuple[LdapAddress, _UnusableError]] = []
    for address, start_tls in zip(access.servers, access.start_tls, strict=True):
        try:
            return _bound(access, address, start_tls, context)
        except _UnusableError as error:
            refused.append((address, error))
    reasons = "; ".join(f"{address}: {error.reason}" for address, error in refused)
    remedies = dict.fromkeys(error.remedy for _, error in refused)
    raise SourceError(access.place, f"can't be connected to ({reasons})", ", or ".join(remedies))


def _bound(
    access: DirectoryAccess, address: LdapAddress, start_tls: bool, context: ssl.SSLContext
) -> ldap3.Connection:
    connection = _opened(access, address, start_tls, context)
    try:
        _bind(access, connection)
    except BaseException:
        _close(connection)
        raise
    return connection


def _bind(access: DirectoryAccess, connection: ldap3.Connection) -> None:
    try:
        connection.bind(read_server_info=False)
    except BROKEN as error:
        raise _UnusableError(
            f"does not answer as a directory ({_short(error)})", "check 'servers'"
        ) from None
    result = connection.result
    code, words = int(result["result"]), str(result["description"])
    if code in _BUSY:
        raise _UnusableError(
            f"is {_BUSY[code]} ({words})", "try again later, or add another server"
        )
    if code == 49:
        why = next(
            (
                text
                for data, text in _AD_REASONS.items()
                if f"data {data}" in str(result["message"])
            ),
            "",
        )
        # No other server is tried: each wrong password counts towards the account being locked.
        reason = f"refuses this login ({words}{f': {why}' if why else ''})"
        raise SourceError(
            access.place, reason, "check 'user' and 'password', or ask the directory's people"
        )
    if code:
        remedy = "check 'bind' and how it may be used: some directories want TLS, or a client certificate"
        raise SourceError(access.place, f"refuses to let anybody log in so ({words})", remedy)


def _opened(
    access: DirectoryAccess, address: LdapAddress, start_tls: bool, context: ssl.SSLContext
) -> ldap3.Connection:
    """A connection on which nothing was said yet, to the first of the server's addresses that answers."""
    error = _UnusableError("has no address", "check 'servers'")
    for number in _numbers(address):
        tls = _VerifiedTls(context, address.host, access.connect)
        try:
            return _dialled(access, address, number, start_tls, tls)
        except BROKEN as cause:
            error = _explained(access, address, start_tls, tls.failure or cause)
    raise error


def _dialled(
    access: DirectoryAccess, address: LdapAddress, number: str, start_tls: bool, tls: ldap3.Tls
) -> ldap3.Connection:
    connection = _new_connection(access, address, number, tls)
    try:
        connection.open(read_server_info=False)
        if start_tls:
            _turn_to_tls(connection)
    except BaseException:
        _close(connection)
        raise
    return connection


def _turn_to_tls(connection: ldap3.Connection) -> None:
    """Starts TLS, and makes sure of it: for some reasons not to ldap3 only says so and goes on."""
    if not connection.start_tls(read_server_info=False) or not isinstance(
        connection.socket, ssl.SSLSocket
    ):
        raise _UnusableError("does not turn to TLS", "use its ldaps:// address, or enable StartTLS")


def _numbers(address: LdapAddress) -> list[str]:
    """The IP addresses of a server. Each is tried with its own socket, which ldap3 would not close."""
    if address.scheme == "ldapi":
        return [f"ldapi://{address.host}"]
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except OSError:
        raise _UnusableError(
            "its name is not known", "check 'servers', and this machine's name service"
        ) from None
    return list(dict.fromkeys(str(one[4][0]) for one in found))


def _new_connection(
    access: DirectoryAccess, address: LdapAddress, number: str, tls: ldap3.Tls
) -> ldap3.Connection:
    server = ldap3.Server(
        number,
        port=address.port or None,
        use_ssl=address.scheme == "ldaps",
        tls=tls,
        get_info=ldap3.NONE,
        connect_timeout=access.connect,
    )
    login = access.login
    how: dict[str, Any] = {"authentication": ldap3.ANONYMOUS}
    if login.bind == "simple":
        how = {"authentication": ldap3.SIMPLE, "user": login.user, "password": login.password}
    elif login.bind == "external":
        how = {
            "authentication": ldap3.SASL,
            "sasl_mechanism": ldap3.EXTERNAL,
            "sasl_credentials": "",
        }
    return ldap3.Connection(
        server,
        auto_referrals=False,
        auto_range=False,  # ldap3 takes a range that fails for the last one
        check_names=False,
        return_empty_attributes=False,
        receive_timeout=access.answer,
        **how,
    )


def _explained(
    access: DirectoryAccess, address: LdapAddress, start_tls: bool, cause: Exception
) -> _UnusableError:
    if isinstance(cause, ssl.SSLCertVerificationError):
        peer = _peer(access, address, start_tls) if needs_a_look(cause) else {}
        return _UnusableError(*refusal(cause, address.host, peer))
    if isinstance(cause, ssl.SSLError):
        return _UnusableError(
            f"TLS fails ({cause.reason or _short(cause)})", "check that the port is one for TLS"
        )
    if start_tls and not isinstance(cause, OSError):
        return _UnusableError(
            f"does not turn to TLS ({_short(cause)})",
            "use its ldaps:// address, or enable StartTLS",
        )
    return _UnusableError(
        f"can't be reached ({_short(cause)})", "check 'servers', the network and the firewall"
    )


def _peer(access: DirectoryAccess, address: LdapAddress, start_tls: bool) -> dict[str, Any]:
    """What a server's certificate says of itself, looked at again; empty when that fails. Nothing is sent there."""
    context = access.trust.lenient_context(access.place)
    tls = _VerifiedTls(context, address.host, access.connect)
    try:
        connection = _dialled(access, address, _numbers(address)[0], start_tls, tls)
    except (*BROKEN, _UnusableError):
        return {}
    try:
        return dict(connection.socket.getpeercert() or {})
    finally:
        _close(connection)


def _short(error: Exception) -> str:
    """What a failure was, in one short line."""
    if isinstance(error, TimeoutError) or "timed out" in str(error):
        return "no answer in time"
    words = str(error).rsplit("] ", 1)[-1].splitlines() or [""]
    return words[0][:120].lower() or type(error).__name__


def _close(connection: ldap3.Connection) -> None:
    """Says good-bye and closes; also what ldap3 leaves open when it could not connect."""
    try:
        connection.unbind()
    except BROKEN:
        pass
    finally:
        if connection.socket is not None:
            connection.socket.close()
