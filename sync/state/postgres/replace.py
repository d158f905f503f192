"""Replacing a state on PostgreSQL in one transaction: its tables move into a schema of their own."""

from collections.abc import Iterable

from sqlalchemy import Connection

from sync.state.high_water import read_table, write_table
from sync.state.migrations import create
from sync.state.transfer.rows import OF_THE_PLACE

_SCHEMA = (
    "SELECT relnamespace::regnamespace::text FROM pg_catalog.pg_class"
    " WHERE oid = to_regclass('alembic_version')"
)
_TABLES = (
    "SELECT c.relname FROM pg_catalog.pg_class c WHERE c.relkind = 'r'"
    " AND c.relnamespace = to_regnamespace(%s) AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d"
    " WHERE d.objid = c.oid AND d.deptype = 'e')"
)
_FUNCTIONS = (
    "SELECT DISTINCT t.tgfoid::regprocedure::text FROM pg_catalog.pg_trigger t"
    " JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid"
    " WHERE NOT t.tgisinternal AND c.relnamespace = to_regnamespace(%s)"
)
_GRANTS = (
    "SELECT c.relname, CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE g.grantee::regrole::text END,"
    " string_agg(g.privilege_type, ', ') FROM pg_catalog.pg_class c"
    " CROSS JOIN LATERAL aclexplode(c.relacl) g WHERE c.relkind = 'r' AND g.grantee <> c.relowner"
    " AND c.relnamespace = to_regnamespace(%s) AND to_regclass(quote_ident(c.relname)) IS NOT NULL"
    " GROUP BY 1, 2"
)
_COLUMNS = (
    "SELECT a.attname FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_attribute b"
    " ON a.attname = b.attname WHERE a.attrelid = to_regclass(%s) AND b.attrelid = to_regclass(%s)"
    " AND a.attnum > 0 AND NOT a.attisdropped AND NOT b.attisdropped"
)


def replace_tables(connection: Connection, aside: str | None) -> None:
    """Make an empty state; the caller commits.

    The tables of the present one move into the new schema `aside`, when one is given. The rows
    about the place, and the rights of other roles, are those of the present state.
    """
    if aside is None:
        create(connection)
        return
    schema = str(connection.exec_driver_sql(_SCHEMA).scalar())
    connection.exec_driver_sql(f'CREATE SCHEMA "{aside}"')
    functions = _read(connection, _FUNCTIONS, schema)
    for table in _read(connection, _TABLES, schema):
        connection.exec_driver_sql(f'ALTER TABLE {schema}."{table}" SET SCHEMA "{aside}"')
    for function in functions:
        connection.exec_driver_sql(f'ALTER FUNCTION {function} SET SCHEMA "{aside}"')
    create(connection)
    for table in sorted(OF_THE_PLACE):
        _take_over(connection, table, aside)
    if mark := read_table(connection):
        write_table(connection, mark)  # Under the number of its new table.
    for table, role, rights in connection.exec_driver_sql(_GRANTS, (aside,)).all():
        connection.exec_driver_sql(f'GRANT {rights} ON "{table}" TO {role}')


def _take_over(connection: Connection, table: str, aside: str) -> None:
    columns = _read(connection, _COLUMNS, f'"{aside}"."{table}"', f'"{table}"')
    if columns:
        listed = ", ".join(f'"{column}"' for column in columns)
        connection.exec_driver_sql(
            f'INSERT INTO "{table}" ({listed}) SELECT {listed} FROM "{aside}"."{table}"'
        )


def _read(connection: Connection, query: str, *values: str) -> Iterable[str]:
    return [str(one) for one in connection.exec_driver_sql(query, values).scalars()]
