"""The settings of the status page, and of the address where the service answers."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

from sync.config_base.addresses import address_and_port, is_loopback
from sync.config_base.base import InvalidSetting, Strict, validation_error
from sync.config_base.secrets import SecretRef
from sync.errors import Unusable

SHORTEST_TOKEN = 20
"""The fewest characters of a token: 20 random letters and digits can't be guessed."""


def _check_listen(value: str) -> str:
    try:
        _, port = address_and_port(value)
    except Unusable as error:
        raise validation_error(error.reason, error.remedy) from None
    if not port:
        raise validation_error("has port 0", "choose a free port, such as 9464")
    return value


def _check_proxy(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme != "https" or not parts.hostname or parts.path not in ("", "/"):
        raise validation_error(
            "is not the address of a web server with HTTPS",
            "write it as https://exams.example.edu, without a path",
        )
    return value.rstrip("/")


Listen = Annotated[str, AfterValidator(_check_listen)]


class TlsSettings(Strict):
    """The certificate with which the service itself speaks HTTPS."""

    certificate: Path
    """The file with the certificate and those of its issuers, in PEM."""
    key: Path
    """The file with the certificate's private key, in PEM and without a passphrase."""


class PageSettings(Strict):
    """The status page. A person with the token sees people's data and decides on held changes."""

    token: SecretRef
    """The token to log in with, of at least 20 characters, such as `${file:page-token}`. Make one
    with `openssl rand -hex 24 > page-token`. After a change, send SIGHUP: everybody logs in again."""
    tls: TlsSettings | None = None
    """The certificate for HTTPS. The address must be loopback without it, and without `proxy`."""
    proxy: Annotated[str, AfterValidator(_check_proxy)] | None = None
    """The address by which people reach a web server with HTTPS that passes requests on, such as
    `https://exams.example.edu`. It must set `X-Forwarded-For`."""


def check_reach(listen: str | None, page: PageSettings | None) -> InvalidSetting | None:
    """Return what is wrong with an address that other machines can reach, or that is missing."""
    if listen is None:
        if page is None:
            return None
        return InvalidSetting(
            "page", "needs the address to listen on", "add 'listen: 127.0.0.1:9464' to 'service'"
        )
    host, port = address_and_port(listen)
    if is_loopback(host) or (page and (page.tls or page.proxy)):
        return None
    return InvalidSetting(
        "listen",
        "can be reached from other machines without a login and without encryption",
        f"use 127.0.0.1:{port}, or set 'page' with 'token' and with 'tls' or 'proxy'",
    )
