"""The HTTP client, which sends one request at a time. The only module that uses requests.

It ignores the process's proxy variables and .netrc (a .netrc entry would replace our token),
follows no redirects, keeps no cookies, and reads no more than 8 MB of a response (512 MB of a
download). It trusts the authorities of this machine, and those that requests brings along.
"""

import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final
from urllib.parse import urlsplit

import requests
import truststore
from requests.adapters import HTTPAdapter
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
)

from sync import __version__
from sync.config_base.addresses import is_loopback
from sync.contract import Call
from sync.errors import CallError, Refused, Retry, Stop, Unknown
from sync.inspera.call_errors import HttpResponse, Throttled, with_limit_as_429
from sync.inspera.connection import Connection
from sync.inspera.request import Request

MAX_BODY: Final = 8 * 1024 * 1024
"""The most bytes of a response that are read; a longer one counts as unreadable."""

MAX_FILE: Final = 512 * 1024 * 1024
"""The most bytes of a download that are read; a longer file is not used."""

_CHUNK = 64 * 1024
_NO_TLS: Final = frozenset(
    {
        "WRONG_VERSION_NUMBER",
        "HTTP_REQUEST",
        "UNSUPPORTED_PROTOCOL",
        "NO_PROTOCOLS_AVAILABLE",
        "SSLV3_ALERT_HANDSHAKE_FAILURE",
        "TLSV1_ALERT_PROTOCOL_VERSION",
        "NO_CERTIFICATE_OR_CRL_FOUND",
    }
)
"""OpenSSL's names for errors that can only happen before anything is sent."""
_TIME = "renew it there; if it is good, this machine's clock is wrong: set it by NTP"
_NAME = "is issued for another name ({}); write the name of the certificate into inspera.url"
_UNTRUSTED: Final = (
    "is not trusted ({}); if your institution signs its own, add the certificate of its authority "
    "to those of this machine, or set inspera.ca_bundle to its PEM file"
)
_WRONG_CERTIFICATE: Final = {
    9: f"is not valid yet; {_TIME}",
    10: f"has expired, or that of its authority has; {_TIME}",
    62: _NAME,
    64: _NAME,
}
"""The meaning of OpenSSL's codes for an invalid certificate; `{}` is OpenSSL's own message."""


class Unreachable(Retry):
    """Nothing was sent, because no connection could be made."""


class Client:
    """One session for all workers, whose connections are kept open: one for each call in flight."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._session = _session(connection)
        self._timeout = (connection.connect_timeout, connection.read_timeout)
        self._certificate_ends = ""

    def send(self, request: Request, headers: dict[str, str]) -> HttpResponse:
        """Send one request once, and return the response whatever its status.

        Raises:
            Unreachable: nothing was sent.
            Unknown: it was or may have been sent, and no complete response came.
            Stop: the address, the certificate or the proxy is wrong.
        """
        try:
            with self._session.request(
                request.call.method,
                self._connection.base + request.path,
                params=dict(request.query),
                json=request.body,
                headers=headers,
                timeout=self._timeout,
                allow_redirects=False,
                stream=True,
            ) as response:
                self._note_certificate(response)
                too_long = Unknown(
                    f"Inspera's response to {request.call.name} is longer than 8 MB, so it cannot "
                    "be read"
                )
                body = b"".join(_read_bounded(response, MAX_BODY, too_long))
                header = response.headers.get
                return HttpResponse(
                    response.status_code,
                    body,
                    retry_after=header("Retry-After"),
                    location=header("Location"),
                    date=header("Date"),
                    header_names=frozenset(response.headers),
                    seconds=response.elapsed.total_seconds(),
                )
        except (OSError, ValueError, HTTPError) as error:
            # Not chained: requests' own errors contain the request, with its headers and its body.
            raise self._translate(request.call, error) from None

    def download(self, url: str) -> Iterator[bytes]:
        """Download a file from another address in chunks, without our token.

        The address must be https, or on this machine. It is a secret itself, so it is never
        repeated in a message.

        Raises:
            Refused: the address may not be followed, or does not give a file.
            Throttled: Inspera has too many requests in progress.
            Retry: the download failed, or was incomplete.
        """
        if not _may_be_followed(url):
            raise Refused(
                "Inspera's link to the file is not an https address, so it is not followed", 200
            )
        too_long = Refused(
            "the file that Inspera made is longer than 512 MB, so it is not read", 200
        )
        try:
            with self._session.get(
                url, timeout=self._timeout, allow_redirects=False, stream=True
            ) as response:
                if response.status_code != 200:
                    reason = next(response.iter_content(_CHUNK), b"")
                    refused = HttpResponse(response.status_code, reason)
                    raise _download_error(with_limit_as_429(refused).status)
                yield from _read_bounded(response, MAX_FILE, too_long)
        except (OSError, ValueError, HTTPError):
            raise Retry(
                "the file that Inspera made could not be downloaded: the connection failed or broke"
            ) from None

    def _note_certificate(self, response: requests.Response) -> None:
        """Notify the observer when the server has another certificate than at the last call."""
        observer, wire = self._connection.observer, getattr(response.raw.connection, "sock", None)
        if observer is None or not isinstance(wire, ssl.SSLSocket):
            return
        ends = str((wire.getpeercert() or {}).get("notAfter", ""))
        if ends and ends != self._certificate_ends:
            self._certificate_ends = ends
            observer.certificate(datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC))

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    def _translate(self, call: Call, error: Exception) -> CallError:
        """Return our error for an error of requests; `Unknown` if something may have been sent."""
        causes = list(_causes(error))
        known = (
            self._not_secure(causes) or self._unusable(error) or self._not_connected(error, causes)
        )
        if known:
            return known
        if isinstance(error, requests.Timeout):
            reason = f"Inspera did not answer {call.name} in time"
        else:
            reason = f"the connection broke during {call.name}"
        return Unknown(f"{reason}, so it is not known whether it was carried out")

    def _not_secure(self, causes: list[BaseException]) -> Stop | None:
        for cause in causes:
            if isinstance(cause, ssl.SSLCertVerificationError):
                wrong = _WRONG_CERTIFICATE.get(cause.verify_code, _UNTRUSTED).format(
                    cause.verify_message
                )
                return Stop(f"inspera.url: the certificate of {self._connection.url} {wrong}")
            if isinstance(cause, ssl.SSLError) and cause.reason in _NO_TLS:
                return Stop(
                    f"inspera.url: no secure connection can be made to {self._connection.url} "
                    f"({cause.reason}); check the address, and that inspera.ca_bundle, if set, is "
                    "a PEM file with certificates"
                )
        return None

    def _unusable(self, error: Exception) -> Stop | None:
        wrong = requests.exceptions
        if isinstance(error, wrong.InvalidProxyURL):
            return Stop("inspera.proxy: not a usable address; write it as http://host:port")
        if isinstance(error, wrong.InvalidURL | wrong.InvalidSchema | wrong.MissingSchema):
            return Stop(
                "inspera.url: not a usable address; write it as https://your-tenant.inspera.com"
            )
        if (
            self._connection.ca_bundle
            and isinstance(error, OSError)
            and not isinstance(error, wrong.RequestException)
        ):
            return Stop(
                "inspera.ca_bundle: the file cannot be read; check its path and who may read it"
            )
        return None

    def _not_connected(self, error: Exception, causes: list[BaseException]) -> Unreachable | None:
        if isinstance(error, requests.exceptions.ProxyError):
            return Unreachable(
                "Inspera cannot be reached: the proxy does not answer, or refuses; "
                "check inspera.proxy"
            )
        if any(isinstance(cause, ConnectTimeoutError | NewConnectionError) for cause in causes):
            return Unreachable(
                f"Inspera cannot be reached at {self._connection.url}: {_why_unreachable(causes)}"
            )
        return None


def _why_unreachable(causes: list[BaseException]) -> str:
    """Return what kept the connection from being made, and what to check."""
    if any(isinstance(cause, NameResolutionError | socket.gaierror) for cause in causes):
        return (
            "this machine finds no address for that name; check inspera.url and the machine's DNS"
        )
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return (
            "the server refuses the connection; check the port in inspera.url, and whether it runs"
        )
    if any(isinstance(cause, ConnectTimeoutError) for cause in causes):
        return "nothing answered in time; check the firewall, and whether inspera.proxy is needed"
    return "this machine has no route to it; check inspera.url and the network"


class _SystemTrust(HTTPAdapter):
    """An adapter that also trusts the authorities of this machine, such as an institution's own."""

    def init_poolmanager(self, *args: Any, **settings: Any) -> None:
        """Make the connections to servers."""
        super().init_poolmanager(*args, ssl_context=_system_trust(), **settings)

    def proxy_manager_for(self, proxy: str, **settings: Any) -> Any:
        """Make the connections through a proxy."""
        return super().proxy_manager_for(proxy, ssl_context=_system_trust(), **settings)


def _system_trust() -> truststore.SSLContext:
    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _session(connection: Connection) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.headers.update(
        {"User-Agent": f"inspera-sync/{__version__}", "Accept": "application/json"}
    )
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.verify = connection.ca_bundle or True
    if connection.proxy:
        session.proxies = {"http": connection.proxy, "https": connection.proxy}
    # `ca_bundle` replaces the usual authorities, so nothing may be added to it.
    adapter_type = HTTPAdapter if connection.ca_bundle else _SystemTrust
    adapter = adapter_type(pool_connections=1, pool_maxsize=connection.max_in_flight, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def _read_bounded(response: requests.Response, most: int, too_long: CallError) -> Iterator[bytes]:
    size = 0
    for chunk in response.iter_content(_CHUNK):
        size += len(chunk)
        if size > most:
            raise too_long
        yield chunk


def _download_error(status: int) -> CallError:
    if status == 429:
        return Throttled("Inspera asked for fewer calls, so its file was not downloaded")
    if status >= 500:
        return Retry(f"the file that Inspera made could not be downloaded ({status})")
    if 300 <= status < 400:
        return Refused(
            f"Inspera's link redirects to another address ({status}), which is not followed",
            status,
        )
    return Refused(f"Inspera's link to the file does not give it ({status})", status)


def _may_be_followed(url: str) -> bool:
    """Tell whether an address is https, or on this machine: the sandbox has no certificate."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    if not host or parts.username is not None:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and all errors in it: chained, as arguments, or as urllib3's `reason`."""
    pending: list[object] = [error]
    seen: set[int] = set()
    while pending:
        cause = pending.pop()
        if not isinstance(cause, BaseException) or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        pending += [cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args]
