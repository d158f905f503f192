"""The triggers by which the database itself refuses to change the audit log."""

from sqlalchemy import Connection

_REFUSAL = "the audit log is append-only"

_SQLITE = (
    f"CREATE TRIGGER audit_no_{{name}} BEFORE {{name}} ON audit BEGIN"
    f" SELECT RAISE(ABORT, '{_REFUSAL}'); END"
)
_POSTGRES = (
    "CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS"
    f" $$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$",
    "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit"
    " FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
    "CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit"
    " FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
)
_IS_TEMPORARY = (
    "SELECT relnamespace = pg_my_temp_schema() FROM pg_catalog.pg_class"
    " WHERE oid = to_regclass('audit')"
)


def make_triggers(connection: Connection) -> None:
    """Make the triggers of a new state. A temporary copy, which ends with its reader, has none."""
    if connection.dialect.name != "postgresql":
        for name in ("update", "delete"):
            connection.exec_driver_sql(_SQLITE.format(name=name))
        return
    if connection.exec_driver_sql(_IS_TEMPORARY).scalar():
        return
    for statement in _POSTGRES:
        connection.exec_driver_sql(statement)
