"""The demo's scripts judge the programme, so they share no code with it; they need only Python.

Those that judge don't borrow from those that make the files either.
"""

import ast
import sys
from pathlib import Path

import pytest

SCRIPTS = sorted((Path(__file__).resolve().parents[3] / "config" / "demo").glob("*.py"))


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add("." if node.level else (node.module or "").partition(".")[0])
    return names


MAKERS = {"make_data", "day_two", "university"}
JUDGES = {"check_contents", "independent_reader", "check_plan"}


def test_every_script_makes_or_judges() -> None:
    assert {path.stem for path in SCRIPTS} == MAKERS | JUDGES


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_imports_the_standard_library_and_its_own_side_alone(path: Path) -> None:
    own = MAKERS if path.stem in MAKERS else JUDGES
    assert imported(path) <= sys.stdlib_module_names | own
    assert "importlib" not in imported(path)
