"""The project's pages: their blocks, tables, links and headings."""

import re
import shlex
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[3]
README, CHANGES = ROOT / "README.md", ROOT / "CHANGELOG.md"
HELP = {path.stem: path for path in sorted((ROOT / "sync" / "help").glob("*.md"))}
GUIDES = {path.stem: path for path in sorted((ROOT / "deploy").glob("*.md"))}
SETTINGS = ROOT / "config" / "README.md"
MANUAL = (README, *HELP.values(), *GUIDES.values())
PAGES = (*MANUAL, CHANGES, ROOT / "CONTRIBUTING.md", SETTINGS)
TUTORIAL = HELP["tutorial"]
USERS = ("-u", "-o", "-g", "--system", "-n", "generic")
"""Words before this name where it is that of a user, a namespace or a secret."""

OPERATORS = ("|", "&&", ";", ">")

_BLOCK = re.compile(
    r"(?:^`(?P<file>[\w.-]+)`:\n\n)?^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^ *```$",
    re.M | re.S,
)


class Block(NamedTuple):
    """A block of code; `file` is the name that stands before it when it is a file to be made."""

    language: str
    text: str
    file: str


def blocks(page: Path) -> Iterator[Block]:
    for found in _BLOCK.finditer(page.read_text(encoding="utf-8")):
        lines = (line.removeprefix(found["indent"]) for line in found["text"].splitlines())
        yield Block(found["language"], "".join(f"{line}\n" for line in lines), found["file"] or "")


def section(page: Path, title: str) -> str:
    """Return the text under a heading, up to the next one that is not below it."""
    text = page.read_text(encoding="utf-8")
    found = re.search(rf"^(#+) {re.escape(title)}\n(.*?)(?=^#{{1,6}} |\Z)", text, re.M | re.S)
    assert found, f"{page.name} has no heading '{title}'"
    return found[2]


def rows(text: str) -> list[list[str]]:
    """Return the cells of all tables in the text, without their headings."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    rules = [number for number, row in enumerate(cells) if set("".join(row)) <= set("-: ")]
    heads = {number - 1 for number in rules}
    return [row for number, row in enumerate(cells) if number not in heads and number not in rules]


def commands(page: Path) -> Iterator[list[str]]:
    """Yield the words after this program's name in each command line, also behind `sudo`."""
    for block in blocks(page):
        lines = block.text.splitlines() if block.language in ("sh", "console", "ini") else []
        for line in lines[:1] if block.language == "console" else lines:
            words = shlex.split(line.removeprefix("ExecStart="), comments=True)
            for at, word in enumerate(words):
                named = word == "inspera-sync" and not (at and words[at - 1] in USERS)
                arguments = [*takewhile(lambda each: each not in OPERATORS, words[at + 1 :])]
                if (
                    (named or word.endswith("/bin/inspera-sync"))
                    and arguments
                    and not arguments[0].startswith("/")
                ):
                    yield arguments


def words_of(page: Path, title: str | None = None) -> str:
    """Return a page, or one section of it, as one line."""
    text = section(page, title) if title else page.read_text(encoding="utf-8")
    return " ".join(text.split())


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def links(page: Path) -> list[str]:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)
    return re.findall(r"\]\(([^)\s]+)\)", text)


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
