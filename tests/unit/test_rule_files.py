"""Each numbered rule of `sync/help/rules.md` has one file in `tests/rules`, which quotes it."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RULES = {
    int(number): text
    for number, text in re.findall(
        r"^\*\*(\d+)\. (.+?)\n\n", (ROOT / "sync/help/rules.md").read_text("utf-8"), re.M | re.S
    )
}
FILES = sorted((ROOT / "tests" / "rules").glob("test_*.py"))
LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")


def words(text: str) -> str:
    """Return the text in one line, without links and bold type."""
    return " ".join(LINK.sub(r"\1", text).replace("**", "").split())


def test_the_rules_are_numbered_from_1_to_40() -> None:
    assert list(RULES) == list(range(1, 41))


def test_each_rule_has_one_file_and_each_file_one_rule() -> None:
    numbers = [re.match(r"test_rule_(\d\d)_[a-z_]+\.py", file.name) for file in FILES]
    assert [match and int(match[1]) for match in numbers] == list(RULES)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_docstring_of_the_file_quotes_the_rule(file: Path) -> None:
    docstring = ast.get_docstring(ast.parse(file.read_text("utf-8"))) or ""
    number = int(file.stem.split("_")[2])
    quoted = words(docstring).removeprefix(f"Rules {number}: ").rstrip(".")
    assert words(RULES[number]).startswith(quoted)
    assert len(quoted) > 20
