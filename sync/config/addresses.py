"""Checks of addresses in settings: the tenant's, the proxy's and the state's.

No message repeats what it checks.
"""

import re
from urllib.parse import SplitResult, urlsplit

from sync.config_base.addresses import is_loopback
from sync.config_base.base import told_one

_FILE = "sqlite:///"
_SERVER = re.compile(r"(?:postgres|postgresql|postgresql\+psycopg)://(?P<rest>.*)", re.DOTALL)
_PASSWORD = re.compile(r"pass(?!file)|pwd|secret|token", re.IGNORECASE)
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?|[0-9A-Fa-f:.]+")


def checked_tenant(text: str) -> str:
    """Return the tenant's address without a trailing slash.

    It must name a host and nothing below it.
    """
    parts = _split(text, "write it as https://example.inspera.com")
    if parts.path not in ("", "/"):
        raise told_one("should have no path", "end it after the host name; '/api' is added to it")
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise told_one(
            "would send the API key unencrypted",
            "write https://; http:// is only for 127.0.0.1 and the like",
        )
    return text.rstrip("/")


def checked_proxy(text: str) -> str:
    """Return the proxy's address without a trailing slash, if it names a host and no user."""
    parts = _split(text, "write it as http://proxy.example.edu:3128")
    if parts.path not in ("", "/"):
        raise told_one("should have no path", "end it after the host name and port")
    return text.rstrip("/")


def checked_state(text: str) -> str:
    """Return the state's URL, if it names a SQLite file or a PostgreSQL database.

    The latter in one spelling.
    """
    server = _SERVER.fullmatch(text)
    if server is not None:
        return _checked_server(f"postgresql://{server['rest']}")
    if not text.startswith(_FILE):
        remedy = "write it as sqlite:///FILE, or as postgresql://USER@HOST/DATABASE"
        raise told_one(
            "names no database that can hold the state (known: sqlite, postgresql)", remedy
        )
    file = text.removeprefix(_FILE)
    if file in ("", "/", ":memory:") or file.endswith("/"):
        raise told_one(
            "names no file, so nothing would be remembered", "add one, as in sqlite:///state.db"
        )
    if not file.isprintable() or re.search("[?#]", file):
        raise told_one(
            "holds a character that can't be part of the file's name here",
            "choose a plain file name",
        )
    return text


def _checked_server(url: str) -> str:
    """No password stands in it: that has a setting of its own."""
    place, _, options = url.removeprefix("postgresql://").partition("?")
    login, at, _ = place.rpartition("@")
    names = [option.partition("=")[0] for option in options.split("&")]
    if (at and ":" in login) or any(map(_PASSWORD.search, names)):
        raise told_one(
            "holds a password", "put it under 'state_password', as ${file:PATH} or ${cred:NAME}"
        )
    if not url.isprintable() or re.search(r"[\s#]", url):
        raise told_one(
            "holds a character that an address can't",
            "write it as %20 and the like, or choose other names",
        )
    if not re.fullmatch(r"[^/?]*/[^/?]+(\?.*)?", url.removeprefix("postgresql://")):
        raise told_one(
            "names no database on that server", "write it as postgresql://USER@HOST/DATABASE"
        )
    return url


def _split(text: str, remedy: str) -> SplitResult:
    """Return the address in parts.

    Its scheme is http or https, its host is well formed, and it contains no secret.
    """
    if not text.isascii() or not text.isprintable() or " " in text or "\\" in text:
        raise told_one("holds a character that an address can't", remedy)
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise told_one("is not a valid address", remedy) from None
    if parts.scheme not in ("http", "https") or "://" not in text:
        raise told_one("should begin with https:// or http://", remedy)
    if not _HOST.fullmatch(parts.hostname or "") or port == 0:
        raise told_one("names no host", remedy)
    if "@" in parts.netloc:
        raise told_one(
            "holds a user or password", "take it out; secrets have settings of their own"
        )
    if "?" in text or "#" in text:
        raise told_one("should end with the host name and port", remedy)
    return parts
