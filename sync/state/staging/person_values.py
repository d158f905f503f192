"""The values that identify people, in a table of the scratch, to find them in texts."""

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import Connection, bindparam, text

from sync.records.kinds import KEY_FIELDS, PEOPLE, PERSON_OF, RECORD_TYPES
from sync.state.dialect import analyse, create_index, create_table, insert
from sync.state.staging.scratch import chunks

_TABLE = "person_value"


def collect(connection: Connection, others: Iterable[tuple[str, bool]]) -> None:
    """Collect the values of all known and wanted people.

    `others` are more values, each with whether it is a candidate number.
    """
    create_table(connection, _TABLE, "value TEXT, number INTEGER")
    for name, column, number in _columns():
        connection.exec_driver_sql(
            f"INSERT INTO {_TABLE} (value, number) SELECT DISTINCT {column}, {number:d} FROM {name}"
            f" WHERE {column} <> ''"
        )
    for chunk in chunks(others):
        rows = [(value, int(number)) for value, number in chunk]
        insert(connection, _TABLE, ("value", "number"), rows)
    create_index(connection, "ix_person_value", f"{_TABLE} (value)")
    analyse(connection, _TABLE)


def _columns() -> Iterable[tuple[str, str, bool]]:
    for table in ("known", "wanted"):
        for kind in PEOPLE:
            spec = RECORD_TYPES[kind]
            for name in ("key", *(one for one in spec.compared if spec.fields[one].personal)):
                yield f"{table}_{kind}", name, False
        for kind in PERSON_OF:
            yield f"{table}_{kind}", KEY_FIELDS[kind][1], False
        yield f"{table}_candidate", "candidate_id", True


def find(connection: Connection, values: Collection[str]) -> Mapping[str, bool]:
    """Return those of the values that a person has, with whether one is only a candidate number."""
    if not values:
        return {}
    query = text(
        f"SELECT value, min(number) FROM {_TABLE} WHERE value IN :values GROUP BY 1"
    ).bindparams(bindparam("values", expanding=True))
    rows = connection.execute(query, {"values": list(values)})
    return {str(value): bool(number) for value, number in rows}
