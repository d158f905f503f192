"""The differences between kinds of databases: timeouts, read-only transactions, and clocks.

Only statements and settings, as values: they can be tested without a server.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sync.sources.sql.query import CHANGED_SINCE

CONNECT_SECONDS = 10
"""How long to wait for a connection."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""The value of `:since` for a full read."""

BindValue = str | int | date | datetime
"""A value of `:since` or `:now`."""


_MOST_MILLISECONDS = 2_147_483_647
_MOST_SECONDS = 31_536_000


@dataclass(frozen=True, slots=True)
class DialectSpec:
    """How one kind of database is queried.

    Attributes:
        begin: statements before the query; `{ms}` and `{s}` are the timeout.
        options: SQLAlchemy's options of the connection.
        engine: SQLAlchemy's options of the engine.
        clock: the query for the database's own time.
        aware: whether its times have an offset from UTC, and parameters may have one.
        clock_goes_back: whether its clock is local, so that an hour repeats when summer time ends.
        changed: the condition for changed rows, for a column of times.
        snapshots: the query whether it supports reads as of one moment; empty if it always does.
    """

    begin: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    engine: Mapping[str, Any] = field(default_factory=dict)
    clock: str = "SELECT CURRENT_TIMESTAMP"
    aware: bool = False
    clock_goes_back: bool = True
    changed: str = CHANGED_SINCE
    snapshots: str = ""

    def statements(self, timeout: timedelta) -> list[str]:
        """Return the statements before the query."""
        return [sql.format(ms=_milliseconds(timeout), s=_seconds(timeout)) for sql in self.begin]

    def convert(self, value: BindValue) -> BindValue:
        """Return the value as this kind of database compares it: where needed, naive in UTC."""
        if not self.aware and isinstance(value, datetime) and value.tzinfo is not None:
            value = value.astimezone(UTC).replace(tzinfo=None)
        # SQLite stores times as texts and sorts them as such: use the form of its
        # CURRENT_TIMESTAMP.
        return _sqlite_text(value) if self is SQLITE else value


def _sqlite_text(value: BindValue) -> BindValue:
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")
    return value.isoformat() if isinstance(value, date) else value


SQLITE = DialectSpec(
    clock="SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')",
    clock_goes_back=False,
    changed="datetime({column}) >= :since OR datetime({column}) IS NULL",
)
_MYSQL_BEGIN = (
    # Otherwise GROUP_CONCAT silently cuts off long lists.
    "SET SESSION group_concat_max_len = 4294967295",
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
)
_DIALECTS = {
    "sqlite": SQLITE,
    "postgresql": DialectSpec(
        # All rows are read, so don't plan for the first tenth of them.
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


def dialect_spec(name: str, *, is_mariadb: bool = False) -> DialectSpec:
    """Return how to query the kind of database with this name in SQLAlchemy."""
    return _DIALECTS.get("mariadb" if is_mariadb else name, _OTHER)


def connect_options(driver: str, timeout: timedelta) -> dict[str, Any]:
    """Return the options of a driver that limit the wait for a server and for its answer."""
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
        # The server ends a slow statement itself; this is for a server that has disappeared.
        return {"connect_timeout": wait, "read_timeout": seconds + wait, "write_timeout": wait}
    if driver == "oracledb":
        return {"tcp_connect_timeout": float(wait), "expire_time": 1}
    return {"login_timeout": wait, "timeout": seconds} if driver == "pymssql" else {}


def call_timeout(driver: str, timeout: timedelta) -> int:
    """Return the limit of one round trip in ms, for a driver that has one; else 0."""
    return _milliseconds(timeout) if driver == "oracledb" else 0


def isolation(snapshot_state: int, read_committed_snapshot: bool) -> tuple[str | None, str | None]:
    """Return the isolation level and the doubt for SQL Server, by what it allows; None for none."""
    if snapshot_state == 1:
        return "SNAPSHOT", None
    if read_committed_snapshot:
        return None, None
    return None, (
        "can't be read as of one moment, so rows that change during the read may be missed; "
        "have READ_COMMITTED_SNAPSHOT or ALLOW_SNAPSHOT_ISOLATION turned on for this database"
    )


def _milliseconds(timeout: timedelta) -> int:
    return min(int(timeout.total_seconds() * 1000), _MOST_MILLISECONDS)


def _seconds(timeout: timedelta) -> int:
    return min(int(timeout.total_seconds()), _MOST_SECONDS)
