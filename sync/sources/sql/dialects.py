"""What differs from one kind of database to the next: how a reading is limited, kept from writing, and dated.

Only statements and settings, as values: they can be looked at without a server.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sync.sources.sql.query import UNTIL_NOW

CONNECT_SECONDS = 10
"""How long to wait for a connection."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""What `:since` is where everything is read."""

Bound = str | int | date | datetime
"""What is put in for `:since` and `:now`."""


_MOST_MILLISECONDS = 2_147_483_647
_MOST_SECONDS = 31_536_000


@dataclass(frozen=True, slots=True)
class DialectSpec:
    """How one kind of database is asked.

    Attributes:
        begin: what is sent before the query; `{ms}` and `{s}` stand for the timeout.
        options: SQLAlchemy's options of the connection.
        engine: SQLAlchemy's options of the engine.
        clock: the query for the database's own time.
        aware: whether it tells times with their offset from UTC, and is given such.
        clock_goes_back: whether it tells local times, so that an hour comes twice when summer time ends.
        changed: the condition for the rows that changed, where their column holds times.
        snapshots: the query for whether it can give a picture of one moment, if it does not always do.
    """

    begin: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    engine: Mapping[str, Any] = field(default_factory=dict)
    clock: str = "SELECT CURRENT_TIMESTAMP"
    aware: bool = False
    clock_goes_back: bool = True
    changed: str = UNTIL_NOW
    snapshots: str = ""

    def statements(self, timeout: timedelta) -> list[str]:
        """What is sent before the query."""
        return [one.format(ms=_milliseconds(timeout), s=_seconds(timeout)) for one in self.begin]

    def bound(self, value: Bound) -> Bound:
        """The value as this kind of database compares it. An aware time loses its offset, in UTC, where it has to."""
        if not self.aware and isinstance(value, datetime) and value.tzinfo is not None:
            value = value.astimezone(UTC).replace(tzinfo=None)
        # SQLite has texts for times, and sorts them as such: written as its own CURRENT_TIMESTAMP, in whole seconds.
        return _sqlite_text(value) if self is SQLITE else value


def _sqlite_text(value: Bound) -> Bound:
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    return value.isoformat() if isinstance(value, date) else value


SQLITE = DialectSpec(
    clock="SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')",
    clock_goes_back=False,
    changed="datetime({column}) >= :since OR datetime({column}) IS NULL",
)
_MYSQL_BEGIN = (
    # or lists that a query puts together are cut off without a word
    "SET SESSION group_concat_max_len = 4294967295",
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
)
_MANNERS = {
    "sqlite": SQLITE,
    "postgresql": DialectSpec(
        # All rows are wanted, so the plan that is best for the first tenth of them is not.
        begin=("SET LOCAL statement_timeout = {ms}", "SET LOCAL cursor_tuple_fraction = 1"),
        options={"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
        clock="SELECT now()",
        aware=True,
        clock_goes_back=False,
    ),
    "mysql": DialectSpec(
        ("SET SESSION max_execution_time = {ms}", *_MYSQL_BEGIN), clock="SELECT NOW(6)"
    ),
    "mariadb": DialectSpec(
        ("SET SESSION max_statement_time = {s}", *_MYSQL_BEGIN), clock="SELECT NOW(6)"
    ),
    "oracle": DialectSpec(
        ("SET TRANSACTION READ ONLY",), engine={"arraysize": 1000}, clock="SELECT SYSDATE FROM DUAL"
    ),
    "mssql": DialectSpec(
        clock="SELECT GETDATE()",
        snapshots=(
            "SELECT snapshot_isolation_state, is_read_committed_snapshot_on"
            " FROM sys.databases WHERE database_id = DB_ID()"
        ),
    ),
}
_OTHER = DialectSpec()


def manner(dialect: str, *, is_mariadb: bool = False) -> DialectSpec:
    """How the kind of database is asked that SQLAlchemy calls so."""
    return _MANNERS.get("mariadb" if is_mariadb else dialect, _OTHER)


def connect_options(driver: str, timeout: timedelta) -> dict[str, Any]:
    """What a driver is told when it connects: not to wait for ever, neither for a server nor for its answer."""
    wait, seconds = CONNECT_SECONDS, _seconds(timeout)
    if driver in ("psycopg", "psycopg2"):
        keepalive = {
            "keepalives": 1,
            "keepalives_idle": 30,
            "keepalives_interval": 10,
            "keepalives_count": 3,
        }
        return {"connect_timeout": wait, "tcp_user_timeout": 60_000, **keepalive}
    if driver == "pymysql":
        # The server ends the statement itself; this is for one that is gone without a word.
        return {"connect_timeout": wait, "read_timeout": seconds + wait, "write_timeout": wait}
    if driver == "oracledb":
        return {"tcp_connect_timeout": float(wait), "expire_time": 1}
    return {"login_timeout": wait, "timeout": seconds} if driver == "pymssql" else {}


def call_timeout(driver: str, timeout: timedelta) -> int:
    """The milliseconds that one exchange with the server may take, for the driver that is told so once connected."""
    return _milliseconds(timeout) if driver == "oracledb" else 0


def isolation(snapshot_state: int, read_committed_snapshot: bool) -> tuple[str, str]:
    """How SQL Server is read by what it allows: the isolation level, and what is to be doubted. Each may be empty."""
    if snapshot_state == 1:
        return "SNAPSHOT", ""
    if read_committed_snapshot:
        return "", ""
    return "", (
        "can't be read as of one moment, so rows that are changed meanwhile may be missed; "
        "have READ_COMMITTED_SNAPSHOT or ALLOW_SNAPSHOT_ISOLATION turned on for this database"
    )


def _milliseconds(timeout: timedelta) -> int:
    return min(int(timeout.total_seconds() * 1000), _MOST_MILLISECONDS)


def _seconds(timeout: timedelta) -> int:
    return min(int(timeout.total_seconds()), _MOST_SECONDS)
