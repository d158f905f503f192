"""The URL of a database: what it may contain, its name for people, and its driver.

No database library is imported here, so that settings can be checked without one.
"""

import re
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote

from sync.config_base.base import validation_error

DRIVERS = {
    "postgresql": "psycopg",
    "mysql": "pymysql",
    "mariadb": "pymysql",
    "oracle": "oracledb",
    "mssql": "pymssql",
}
"""The default driver for each kind of database."""

EXTRAS = {"psycopg": "postgres", "pymysql": "mysql", "oracledb": "oracle", "pymssql": "mssql"}
"""The extra of this project that installs each driver."""

_URL = re.compile(
    r"(?P<kind>[a-z][a-z0-9_]*)(?:\+(?P<driver>[a-z][a-z0-9_]*))?://"
    r"(?:(?P<login>[^/?]*)@)?(?P<host>[^/?@]*)(?:/(?P<database>[^?]*))?(?:\?(?P<options>.*))?"
)
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.%]+\]|[^\[\]:\s]*)(?::[0-9]{1,5})?")
_SECRET = re.compile(r"pass(?!file)|pwd|secret|token", re.IGNORECASE)
_SECRET_WITHIN = re.compile(r"(?:pass\w*|pwd)\s*=", re.IGNORECASE)
_ELSEWHERE = "put it under 'password', as ${file:PATH} or ${cred:NAME}"


class DatabaseUrl(NamedTuple):
    """The parts of a database's URL. `kind` is the part before `://`, without the driver."""

    kind: str
    driver: str
    user: str
    host: str
    database: str

    @property
    def place(self) -> str:
        """Return the URL for people: without driver, user and options."""
        return (
            f"{self.kind}://{self.host}/{self.database}"
            if self.database
            else f"{self.kind}://{self.host}"
        )

    @property
    def is_file(self) -> bool:
        """Tell whether it is a file and not a server."""
        return self.kind == "sqlite"


def parse_url(url: str) -> DatabaseUrl:
    """Return the parts of a URL that `check_url` has accepted."""
    match = _URL.fullmatch(url)
    if match is None:
        raise ValueError("not checked before")
    kind = match["kind"]
    return DatabaseUrl(
        kind,
        match["driver"] or DRIVERS.get(kind, ""),
        unquote(match["login"] or ""),
        match["host"],
        match["database"] or "",
    )


def with_driver(url: str) -> str:
    """Return the URL with its driver, as SQLAlchemy needs it."""
    address = parse_url(url)
    name = (
        f"{address.kind}+{address.driver}"
        if address.driver and not address.is_file
        else address.kind
    )
    return f"{name}://{url.partition('://')[2]}"


def check_url(url: str) -> str:
    """Return the URL if it is valid and contains no password. No message repeats any part of it."""
    match = _URL.fullmatch(url)
    if match is None or not _HOST.fullmatch(match["host"]):
        raise validation_error(
            "is not the URL of a database",
            "write it as postgresql://db.example.edu/sis, and put the password under 'password'",
        )
    if ":" in (match["login"] or ""):
        raise validation_error("contains a password", _ELSEWHERE)
    if any(
        _SECRET.search(name) or _SECRET_WITHIN.search(value)
        for name, value in parse_qsl(match["options"] or "")
    ):
        raise validation_error("contains a password in its options", _ELSEWHERE)
    if match["kind"] != "sqlite" and "@" in (match["database"] or ""):
        raise validation_error(
            "has an '@' after the host",
            f"if it ends a password, {_ELSEWHERE}; otherwise write %40",
        )
    if match["kind"] == "sqlite":
        _require_file(match)
    return url


def _require_file(match: re.Match[str]) -> None:
    if match["login"] or match["host"]:
        raise validation_error(
            "has too few slashes",
            "write sqlite:///sis.db, or sqlite:////var/lib/sis.db for a whole path",
        )
    if match["options"]:
        raise validation_error("has options, which a file does not support", "end it with the path")
    if not match["database"] or match["database"] == ":memory:":
        raise validation_error(
            "does not name a file",
            "write sqlite:///sis.db, or sqlite:////var/lib/sis.db for a whole path",
        )
