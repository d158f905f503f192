"""A version of the schema after the product's own, for tests only: a state that the product made is an older one."""

import shutil
from pathlib import Path

import pytest
from sync.state import migrations

_NEXT = '''"""A version that no release has."""

import sqlalchemy as sa
from alembic import op

revision = "{new}"
down_revision = "{old}"


def upgrade() -> None:
    op.add_column("known_candidate", sa.Column("added", sa.Text(), nullable=True))
    op.create_table("added", sa.Column("key", sa.Text(), primary_key=True))
'''


def add_next_version(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Add a version to those that the product knows, until the test ends. Return the version before it.

    It adds the column `added` to `known_candidate`, and the table `added`.
    """
    old = migrations.head()
    new = f"{int(old) + 1:04}"
    copy = folder / "migrations"
    shutil.copytree(migrations.FOLDER, copy, ignore=shutil.ignore_patterns("__pycache__"))
    content = _NEXT.format(new=new, old=old)
    (copy / "versions" / f"{new}_next.py").write_text(content, encoding="utf-8")
    monkeypatch.setattr(migrations, "FOLDER", copy)
    return old
