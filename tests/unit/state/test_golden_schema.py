"""The schema as one page of text, so that no table or column changes by accident."""

from pathlib import Path

from sqlalchemy import Table
from sqlmodel import SQLModel
from sync.state import schema

GOLDEN = Path(__file__).with_name("golden_schema.txt")


def drawn(table: Table) -> list[str]:
    lines = [table.name]
    for column in table.columns:
        marks = ["key"] if column.primary_key else []
        marks += ["null"] if column.nullable else []
        lines.append("  ".join(["", column.name, str(column.type), *marks]))
    for index in sorted(table.indexes, key=lambda one: str(one.name)):
        unique = "unique " if index.unique else ""
        lines.append(
            f"  {unique}index {index.name} ({', '.join(column.name for column in index.columns)})"
        )
    return lines


def test_the_schema_is_the_one_that_was_agreed() -> None:
    assert schema  # which fills the metadata
    page = [line for table in SQLModel.metadata.sorted_tables for line in drawn(table)]
    assert page == GOLDEN.read_text(encoding="utf-8").splitlines()
