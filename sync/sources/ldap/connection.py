"""A bound connection to one of several LDAP servers. Imported only when a source is opened."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from sync.errors import SourceError, Unusable
from sync.sources.ldap.errors import refuse_failed_login
from sync.sources.ldap.library import BROKEN, ldap3
from sync.sources.ldap.tls import TlsTrust, certificate_explains, explain_refusal
from sync.sources.ldap.url import LdapAddress


@dataclass(frozen=True, slots=True)
class Login:
    """The login; the password is in memory only while a source is being opened."""

    bind: Literal["simple", "external", "anonymous"]
    user: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return f"Login({self.bind})"


@dataclass(frozen=True, slots=True)
class LdapAccess:
    """How to log in to LDAP servers. Times are in seconds.

    Attributes:
        place: the source, for people.
        servers: the servers, in the order in which they are tried.
        start_tls: for each server, whether to start TLS before anything else is sent.
        trust: the certificates.
        login: the user.
        connect_seconds: how long to wait for a connection.
        answer_seconds: how long to wait for the next part of an answer.
    """

    place: str
    servers: tuple[LdapAddress, ...]
    start_tls: tuple[bool, ...]
    trust: TlsTrust
    login: Login
    connect_seconds: int
    answer_seconds: int


class _VerifiedTls(ldap3.Tls):
    """TLS with Python's own verification.

    That of ldap3 fails for IP addresses, and from Python 3.12 on for any name.
    """

    def __init__(self, context: ssl.SSLContext, host: str, wait: int) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED)
        self._context, self._host, self._wait = context, host, wait
        self.failure: OSError | None = None

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:  # noqa: ARG002 - ldap3's signature
        """Start TLS on the connection's socket, and verify the server's certificate and name."""
        plain = connection.socket
        answer = plain.gettimeout()
        plain.settimeout(self._wait)
        try:
            wrapped = self._context.wrap_socket(plain, server_hostname=self._host)
        except OSError as error:
            self.failure = error  # ldap3 would convert it to a text
            raise
        wrapped.settimeout(answer)
        connection.socket = wrapped


@contextmanager
def open_connection(access: LdapAccess) -> Iterator[ldap3.Connection]:
    """Open a bound connection to the first server that can be used.

    Raises:
        SourceError: no server can be used, or the login is refused.
    """
    context = access.trust.context(access.place)
    connection = _first_usable(access, context)
    try:
        yield connection
    finally:
        _close(connection)


def _first_usable(access: LdapAccess, context: ssl.SSLContext) -> ldap3.Connection:
    refused: list[tuple[LdapAddress, Unusable]] = []
    for address, start_tls in zip(access.servers, access.start_tls, strict=True):
        try:
            return _connect_and_bind(access, address, start_tls, context)
        except Unusable as error:
            refused.append((address, error))
    reasons = "; ".join(f"{address}: {error.reason}" for address, error in refused)
    remedies = dict.fromkeys(error.remedy for _, error in refused)
    raise SourceError(access.place, f"can't be connected to ({reasons})", ", or ".join(remedies))


def _connect_and_bind(
    access: LdapAccess, address: LdapAddress, start_tls: bool, context: ssl.SSLContext
) -> ldap3.Connection:
    connection = _connect(access, address, start_tls, context)
    try:
        _bind(access, connection)
    except BaseException:
        _close(connection)
        raise
    return connection


def _bind(access: LdapAccess, connection: ldap3.Connection) -> None:
    try:
        connection.bind(read_server_info=False)
    except BROKEN as error:
        raise Unusable(
            f"does not answer as an LDAP server ({_short(error)})", "check 'servers'"
        ) from None
    refuse_failed_login(access.place, connection.result)


def _connect(
    access: LdapAccess, address: LdapAddress, start_tls: bool, context: ssl.SSLContext
) -> ldap3.Connection:
    """Connect to the first of the server's IP addresses that answers; nothing is sent yet."""
    error = Unusable("has no address", "check 'servers'")
    for ip in _ip_addresses(address):
        tls = _VerifiedTls(context, address.host, access.connect_seconds)
        try:
            return _connect_to_ip(access, address, ip, start_tls, tls)
        except BROKEN as cause:
            error = _explain(access, address, start_tls, tls.failure or cause)
    raise error


def _connect_to_ip(
    access: LdapAccess, address: LdapAddress, ip: str, start_tls: bool, tls: ldap3.Tls
) -> ldap3.Connection:
    connection = _new_connection(access, address, ip, tls)
    try:
        connection.open(read_server_info=False)
        if start_tls:
            _start_tls(connection)
    except BaseException:
        _close(connection)
        raise
    return connection


def _start_tls(connection: ldap3.Connection) -> None:
    """Start TLS, and make sure that it is on: ldap3 does not raise an error in every case."""
    if not connection.start_tls(read_server_info=False) or not isinstance(
        connection.socket, ssl.SSLSocket
    ):
        raise Unusable("does not start TLS", "use its ldaps:// address, or enable StartTLS")


def _ip_addresses(address: LdapAddress) -> list[str]:
    """Return the IP addresses of a server.

    Each gets a connection of its own: ldap3 would leave the sockets of failed ones open.
    """
    if address.scheme == "ldapi":
        return [f"ldapi://{address.host}"]
    try:
        addresses = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except OSError:
        raise Unusable(
            "its name is not known", "check 'servers', and this machine's name service"
        ) from None
    return list(dict.fromkeys(str(found_address[4][0]) for found_address in addresses))


def _new_connection(
    access: LdapAccess, address: LdapAddress, ip: str, tls: ldap3.Tls
) -> ldap3.Connection:
    server = ldap3.Server(
        ip,
        port=address.port or None,
        use_ssl=address.scheme == "ldaps",
        tls=tls,
        get_info=ldap3.NONE,
        connect_timeout=access.connect_seconds,
    )
    login = access.login
    options: dict[str, Any] = {"authentication": ldap3.ANONYMOUS}
    if login.bind == "simple":
        options = {"authentication": ldap3.SIMPLE, "user": login.user, "password": login.password}
    elif login.bind == "external":
        options = {
            "authentication": ldap3.SASL,
            "sasl_mechanism": ldap3.EXTERNAL,
            "sasl_credentials": "",
        }
    return ldap3.Connection(
        server,
        auto_referrals=False,
        auto_range=False,  # ldap3 takes a failed range for the last one
        check_names=False,
        return_empty_attributes=False,
        receive_timeout=access.answer_seconds,
        **options,
    )


def _explain(
    access: LdapAccess, address: LdapAddress, start_tls: bool, cause: Exception
) -> Unusable:
    if isinstance(cause, ssl.SSLCertVerificationError):
        peer = _peer(access, address, start_tls) if certificate_explains(cause) else {}
        return Unusable(*explain_refusal(cause, address.host, peer))
    if isinstance(cause, ssl.SSLError):
        return Unusable(
            f"TLS fails ({cause.reason or _short(cause)})", "check that the port is one for TLS"
        )
    if start_tls and not isinstance(cause, OSError):
        return Unusable(
            f"does not start TLS ({_short(cause)})",
            "use its ldaps:// address, or enable StartTLS",
        )
    return Unusable(
        f"can't be reached ({_short(cause)})", "check 'servers', the network and the firewall"
    )


def _peer(access: LdapAccess, address: LdapAddress, start_tls: bool) -> dict[str, Any]:
    """Return the fields of a server's certificate; empty if it can't be read.

    Nothing is sent there.
    """
    context = access.trust.lenient_context(access.place)
    tls = _VerifiedTls(context, address.host, access.connect_seconds)
    try:
        connection = _connect_to_ip(access, address, _ip_addresses(address)[0], start_tls, tls)
    except (*BROKEN, Unusable):
        return {}
    try:
        return dict(connection.socket.getpeercert() or {})
    finally:
        _close(connection)


def _short(error: Exception) -> str:
    """Return the failure as one short line."""
    if isinstance(error, TimeoutError) or "timed out" in str(error):
        return "no answer in time"
    lines = str(error).rsplit("] ", 1)[-1].splitlines() or [""]
    return lines[0][:120].lower() or type(error).__name__


def _close(connection: ldap3.Connection) -> None:
    """Unbind and close, including a socket that ldap3 leaves open after a failed connection."""
    try:
        connection.unbind()
    except BROKEN:
        pass
    finally:
        if connection.socket is not None:
            connection.socket.close()
