"""Checks of addresses in settings: the tenant's, the proxy's and the state's.

No message repeats the address: it may contain a password.
"""

import re
from urllib.parse import SplitResult, urlsplit

from sync.config_base.addresses import is_loopback
from sync.config_base.base import validation_error

_FILE = "sqlite:///"
_SERVER = re.compile(r"(?:postgres|postgresql|postgresql\+psycopg)://(?P<rest>.*)", re.DOTALL)
_PASSWORD = re.compile(r"pass(?!file)|pwd|secret|token", re.IGNORECASE)
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?|[0-9A-Fa-f:.]+")


def check_tenant(text: str) -> str:
    """Return the tenant's address without a trailing slash, if it names a host and no path."""
    parts = _split(text, "write it as https://example.inspera.com")
    if parts.path not in ("", "/"):
        raise validation_error("has a path", "end it after the host name; '/api' is added to it")
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise validation_error(
            "would send the API key unencrypted",
            "write https://; http:// is only for this machine, such as http://127.0.0.1:8080",
        )
    return text.rstrip("/")


def check_proxy(text: str) -> str:
    """Return the proxy's address without a trailing slash, if it names a host and no user."""
    parts = _split(text, "write it as http://proxy.example.edu:3128")
    if parts.path not in ("", "/"):
        raise validation_error("has a path", "end it after the host name and port")
    return text.rstrip("/")


def check_state(text: str) -> str:
    """Return the state's URL, if it names a SQLite file or a PostgreSQL database.

    Every spelling of PostgreSQL becomes `postgresql://`.
    """
    server = _SERVER.fullmatch(text)
    if server is not None:
        return _check_server(f"postgresql://{server['rest']}")
    if not text.startswith(_FILE):
        remedy = "write it as sqlite:///FILE, or as postgresql://USER@HOST/DATABASE"
        raise validation_error(
            "does not name a database that can store the state (sqlite or postgresql)", remedy
        )
    file = text.removeprefix(_FILE)
    if file in ("", "/", ":memory:") or file.endswith("/"):
        raise validation_error("does not name a file", "add its path, as in sqlite:///state.db")
    if not file.isprintable() or re.search("[?#]", file):
        raise validation_error(
            "contains a character that is not allowed in the file's name here",
            "use a path without '?', '#' and invisible characters",
        )
    return text


def _check_server(url: str) -> str:
    """Return the URL, if it contains no password: that has a setting of its own."""
    place, _, options = url.removeprefix("postgresql://").partition("?")
    login, at, _ = place.rpartition("@")
    names = [option.partition("=")[0] for option in options.split("&")]
    if (at and ":" in login) or any(map(_PASSWORD.search, names)):
        raise validation_error(
            "contains a password", "put it under 'state_password', as ${file:PATH} or ${cred:NAME}"
        )
    if not url.isprintable() or re.search(r"[\s#]", url):
        raise validation_error(
            "contains a character that is not allowed in an address",
            "encode it, such as a space as %20",
        )
    if not re.fullmatch(r"[^/?]*/[^/?]+(\?.*)?", url.removeprefix("postgresql://")):
        raise validation_error(
            "does not name a database on that server", "write it as postgresql://USER@HOST/DATABASE"
        )
    return url


def _split(text: str, remedy: str) -> SplitResult:
    """Return the parts of an address with http or https, a valid host, and no secret."""
    if not text.isascii() or not text.isprintable() or " " in text or "\\" in text:
        raise validation_error("contains a character that is not allowed in an address", remedy)
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise validation_error("is not a valid address", remedy) from None
    if parts.scheme not in ("http", "https") or "://" not in text:
        raise validation_error("should begin with https:// or http://", remedy)
    if not _HOST.fullmatch(parts.hostname or "") or port == 0:
        raise validation_error("does not name a valid host", remedy)
    if "@" in parts.netloc:
        raise validation_error(
            "contains a user or password", "remove it; secrets have settings of their own"
        )
    if "?" in text or "#" in text:
        raise validation_error("has '?' or '#'", "end it after the host name and port")
    return parts
