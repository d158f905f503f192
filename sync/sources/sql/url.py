"""The URL of a database: what may stand in it, how it is named to people, and which driver it means.

Nothing here imports a database library, so that settings can be checked without any.
"""

import re
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote

from sync.config_base.base import told_one

DRIVERS = {
    "postgresql": "psycopg",
    "mysql": "pymysql",
    "mariadb": "pymysql",
    "oracle": "oracledb",
    "mssql": "pymssql",
}
"""Which driver is meant when the URL names only the kind of database."""

EXTRAS = {"psycopg": "postgres", "pymysql": "mysql", "oracledb": "oracle", "pymssql": "mssql"}
"""What to install of this project to have a driver."""

_URL = re.compile(
    r"(?P<kind>[a-z][a-z0-9_]*)(?:\+(?P<driver>[a-z][a-z0-9_]*))?://"
    r"(?:(?P<login>[^/?]*)@)?(?P<host>[^/?@]*)(?:/(?P<database>[^?]*))?(?:\?(?P<options>.*))?"
)
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.%]+\]|[^\[\]:\s]*)(?::[0-9]{1,5})?")
_SECRET = re.compile(r"pass(?!file)|pwd|secret|token", re.IGNORECASE)
_SECRET_WITHIN = re.compile(r"(?:pass\w*|pwd)\s*=", re.IGNORECASE)
_ELSEWHERE = "put it under 'password', as ${file:PATH} or ${cred:NAME}"


class DatabaseUrl(NamedTuple):
    """A database's URL taken apart. `kind` is what stands before `://`, without the driver."""

    kind: str
    driver: str
    user: str
    host: str
    database: str

    @property
    def place(self) -> str:
        """How people name it: without driver, user and options."""
        return (
            f"{self.kind}://{self.host}/{self.database}"
            if self.database
            else f"{self.kind}://{self.host}"
        )

    @property
    def is_file(self) -> bool:
        """Whether it is no server, but a file."""
        return self.kind == "sqlite"


def address_of(url: str) -> DatabaseUrl:
    """The URL taken apart; it has to be one that `checked_url` lets pass."""
    found = _URL.fullmatch(url)
    if found is None:
        raise ValueError("not checked before")
    kind = found["kind"]
    return DatabaseUrl(
        kind,
        found["driver"] or DRIVERS.get(kind, ""),
        unquote(found["login"] or ""),
        found["host"],
        found["database"] or "",
    )


def with_driver(url: str) -> str:
    """The URL with the driver that is meant, as SQLAlchemy needs it."""
    address = address_of(url)
    name = (
        f"{address.kind}+{address.driver}"
        if address.driver and not address.is_file
        else address.kind
    )
    return f"{name}://{url.partition('://')[2]}"


def checked_url(url: str) -> str:
    """The URL, if it is one and holds no password. No message repeats any of it."""
    found = _URL.fullmatch(url)
    if found is None or not _HOST.fullmatch(found["host"]):
        remedy = "write it as postgresql://db.example.edu/sis; a password never stands in it, but under 'password'"
        raise told_one("is no URL of a database", remedy)
    if ":" in (found["login"] or ""):
        raise told_one("holds a password", _ELSEWHERE)
    if any(
        _SECRET.search(name) or _SECRET_WITHIN.search(value)
        for name, value in parse_qsl(found["options"] or "")
    ):
        raise told_one("holds a password in its options", _ELSEWHERE)
    if found["kind"] != "sqlite" and "@" in (found["database"] or ""):
        raise told_one(
            "has an '@' behind the host",
            f"if it ends a password, {_ELSEWHERE}; otherwise write %40",
        )
    if found["kind"] == "sqlite":
        _require_file(found)
    return url


def _require_file(found: re.Match[str]) -> None:
    if found["login"] or found["host"]:
        raise told_one(
            "has too few slashes",
            "write sqlite:///sis.db, or sqlite:////var/lib/sis.db for a whole path",
        )
    if found["options"]:
        raise told_one("has options, which a file takes none of", "end it with the path")
    if not found["database"] or found["database"] == ":memory:":
        raise told_one(
            "names no file", "write sqlite:///sis.db, or sqlite:////var/lib/sis.db for a whole path"
        )
