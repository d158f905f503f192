"""Reading a state on PostgreSQL: directly in this version's schema, else in a temporary copy."""

from sqlalchemy import Connection, Engine, event

from sync.errors import StateError
from sync.state.migrations import migrate

_ELSEWHERE = (
    "SELECT n.nspname FROM pg_catalog.pg_class v"
    " JOIN pg_catalog.pg_namespace n ON n.oid = v.relnamespace"
    " JOIN pg_catalog.pg_class k ON k.relnamespace = n.oid AND k.relname = 'known_learner'"
    " WHERE v.relname = 'alembic_version' AND v.relpersistence <> 't' LIMIT 1"
)
_TABLES = (
    "SELECT c.relname FROM pg_catalog.pg_class c WHERE c.relnamespace = pg_my_temp_schema()"
    " AND c.relkind = 'r' AND c.relname <> 'alembic_version'"
    # First the tables that others refer to by foreign keys.
    " ORDER BY EXISTS (SELECT 1 FROM pg_catalog.pg_constraint f WHERE f.conrelid = c.oid"
    " AND f.contype = 'f')"
)
_COLUMNS = (
    "SELECT attname FROM pg_catalog.pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0"
    " AND NOT attisdropped ORDER BY attnum"
)
_WRITTEN = (
    "SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)"
    " FROM pg_catalog.pg_stat_xact_user_tables WHERE schemaname !~ '^pg_temp_'"
)


def read_version(connection: Connection, place: str) -> str | None:
    """Return the version of the state's schema, or None when this database has no state.

    Raises:
        StateError: there is one outside this user's search path; it must not pass for missing.
    """
    if connection.exec_driver_sql("SELECT to_regclass('alembic_version')").scalar() is not None:
        version = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        return None if version is None else str(version)
    schema = connection.exec_driver_sql(_ELSEWHERE).scalar()
    if schema is not None:
        raise StateError(
            f"{place}: a state lies in schema '{schema}', where this user does not look or may "
            "not; grant USAGE on it"
            " and set search_path for this user, or give each state a database of its own"
        )
    return None


def copy_into_temporary(connection: Connection, version: str | None) -> None:
    """Make all names mean temporary tables, filled from the state at this version.

    After that neither a write nor a migration can reach the state itself.
    """
    schema = connection.exec_driver_sql(
        "SELECT relnamespace::regnamespace FROM pg_catalog.pg_class"
        " WHERE oid = to_regclass('alembic_version')"
    ).scalar()
    connection.exec_driver_sql("SET search_path = pg_temp")
    if version is not None:
        migrate(connection, version)
        for table in connection.exec_driver_sql(_TABLES).scalars().all():
            _copy(connection, str(schema), str(table))
    migrate(connection)


def _copy(connection: Connection, schema: str, table: str) -> None:
    quote = connection.dialect.identifier_preparer.quote_identifier
    columns = list(connection.exec_driver_sql(_COLUMNS, (f"pg_temp.{quote(table)}",)).scalars())
    listed = ", ".join(map(quote, columns))
    connection.exec_driver_sql(
        f"INSERT INTO pg_temp.{quote(table)} ({listed}) SELECT {listed}"
        f" FROM {schema}.{quote(table)}"
    )
    if "id" not in columns:
        return
    sequence = f"pg_get_serial_sequence('pg_temp.{quote(table)}', 'id')"
    # The next row gets the number after the last one, if this id is a number.
    if connection.exec_driver_sql(f"SELECT {sequence}").scalar() is not None:
        connection.exec_driver_sql(
            f"SELECT setval({sequence}, (SELECT coalesce(max(id), 0) + 1"
            f" FROM pg_temp.{quote(table)}), false)"
        )


def refuse_writing(engine: Engine, place: str) -> None:
    """Refuse to commit what was written into tables of the state.

    Raises, at the commit:
        StateError: something was written. A transaction that only reads has no scratch.
    """

    @event.listens_for(engine, "commit")
    def refuse(connection: Connection) -> None:
        if connection.exec_driver_sql(_WRITTEN).scalar():
            raise StateError(
                f"{place}: the state was opened to be read only, and would have been written"
            )
