"""The words that docstrings, messages, comments and pages don't use, each with what to write instead."""

import ast
import builtins
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

AVOIDED = {
    r"noughts?": "zero",
    r"mend(?:s|ed|ing)?": "fix",
    r"who(?:so)?ever": "anyone who",
    r"whom": "who, or another sentence",
    r"beside": "next to, in addition to",
    r"but for": "except",
    r"rightly": "correctly",
    r"(?:is|are|was|were|be) told": "is notified, is reported",
    r"(?<!\bthere )(?:is|are|was|were) no(?! longer\b| more than\b)": "is not a",
    r"(?<!\bthere )(?:is|are) (?-i:none)": "missing",
    r"faults?|faulty": "row error, configuration error",
    r"withh(?:e|o)lds?|withheld": "deferred, held",
    r"rekey(?:s|ed)?": "identity change",
    r"(?:gives?|gave|giving) way": "yields",
    r"lets? pass": "allows",
    r"houses?": "application",
    r"oftener": "more often",
    r"hearken|thereof|whereof|wherein|henceforth|nor later": "plain words",
}
"""Regular expressions of whole words, in any case."""

PATTERNS = {re.compile(rf"\b(?:{word})\b", re.IGNORECASE): use for word, use in AVOIDED.items()}


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a page; of a module its docstrings, its comments and its strings of several words."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        yield from enumerate(text.splitlines(), 1)
        return
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield from enumerate(node.value.splitlines(), node.lineno)


def avoided_in(path: Path) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{line}: '{match[0]}'; write: {use}"
        for line, text in texts(path)
        for pattern, use in PATTERNS.items()
        for match in pattern.finditer(text)
    ]


MODULES = sorted((ROOT / "sync").rglob("*.py"))
PAGES = sorted(
    {
        *ROOT.glob("*.md"),
        *ROOT.glob("config/**/*.md"),
        *ROOT.glob("deploy/**/*.md"),
        *ROOT.glob("sync/help/*.md"),
        *ROOT.glob("config/**/*.yaml"),
    }
)


@pytest.mark.parametrize("path", [*MODULES, *PAGES], ids=lambda path: str(path.relative_to(ROOT)))
def test_no_avoided_word_is_used(path: Path) -> None:
    assert not avoided_in(path)


def docstrings(path: Path) -> Iterator[tuple[int, str]]:
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, documented) and (text := ast.get_docstring(node)):
            yield getattr(node, "lineno", 1), text


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_first_sentence_of_a_docstring_is_whole(path: Path) -> None:
    broken = [
        f"line {line}: {text.splitlines()[0]}"
        for line, text in docstrings(path)
        if (first := text.split("\n\n")[0]).count("(") != first.count(")") or first.count("`") % 2
    ]
    assert not broken


def names_in(path: Path) -> set[str]:
    """Return all names that a module defines, imports or uses."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        name
        for node in ast.walk(tree)
        for name in (
            getattr(node, "id", None),
            getattr(node, "name", None),
            getattr(node, "attr", None),
        )
        if isinstance(name, str)
    }


@cache
def classes() -> set[str]:
    """Return all names of the program, and Python's own."""
    return {name for path in MODULES for name in names_in(path)} | set(dir(builtins))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_error_that_a_docstring_names_exists(path: Path) -> None:
    unknown = [
        f"line {line}: {name}"
        for line, text in docstrings(path)
        for part in re.findall(r"^Raises:\n((?: +.*\n?)+)", text, re.MULTILINE)
        for name in re.findall(r"^ {4}(\w+):", part, re.MULTILINE)
        if name not in classes()
    ]
    assert not unknown
