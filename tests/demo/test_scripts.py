"""The demo's scripts judge the programme, so they must not borrow from it; and they need nothing but Python."""

import ast
import sys
from pathlib import Path

import pytest

SCRIPTS = sorted((Path(__file__).resolve().parents[2] / "config" / "demo").glob("*.py"))


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add("." if node.level else (node.module or "").partition(".")[0])
    return names


def test_there_are_scripts_to_look_at() -> None:
    assert {"make_data.py", "expected.py", "named.py"} == {path.name for path in SCRIPTS}


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_imports_the_standard_library_alone(path: Path) -> None:
    assert imported(path) <= sys.stdlib_module_names
    assert "importlib" not in imported(path)
