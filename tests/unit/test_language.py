"""The words that docstrings, messages, comments and pages don't use, each with what to write instead."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
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
    r"(?:is|are|was|were) no(?! longer\b| more than\b)": "is not a",
    r"(?:is|are) (?-i:none)": "missing",
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
    }
)


@pytest.mark.parametrize("path", [*MODULES, *PAGES], ids=lambda path: str(path.relative_to(ROOT)))
def test_no_avoided_word_is_used(path: Path) -> None:
    assert not avoided_in(path)
