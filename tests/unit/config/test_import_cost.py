import subprocess
import sys

import pytest

HEAVY = ("requests", "sqlmodel", "sqlalchemy", "rich", "typer", "alembic", "starlette")


@pytest.mark.process
def test_importing_the_settings_brings_no_heavy_library_along() -> None:
    code = f"import sync.config, sys; print([name for name in {HEAVY!r} if name in sys.modules])"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"
