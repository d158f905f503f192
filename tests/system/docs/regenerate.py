"""`make pages`: write the generated parts of the pages again.

These are the schema, the reference of settings, what the tutorial's commands print, the table of
failed calls, and the source of one's own. Read the changes before you commit them.
"""

import re
import sys
import tempfile
from pathlib import Path

from sync.config import reference_text, schema_text
from sync.inspera.recovery import RECOVERY
from sync.records.base import Kind
from sync.records.kinds import RECORD_TYPES
from sync.sandbox import Sandbox

sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.system.docs.conftest import PLAYED, PROGRESS, play, without_times
from tests.system.docs.pages import HELP, README, ROOT, SETTINGS, TUTORIAL

EXAMPLE_SOURCE = ROOT / "tests" / "unit" / "sources" / "example_source.py"


def regenerate() -> None:
    """Write every generated part of the pages."""
    _write(ROOT / "config" / "schema.json", schema_text())
    _write(SETTINGS, reference_text())
    rows = [f"| {event.value} | {recovery.then} |\n" for event, recovery in RECOVERY.items()]
    failures = HELP["call-failures"].read_text(encoding="utf-8")
    table = re.compile(r"(?<=\|---\|---\|\n)(\|.*\n)+")
    _write(HELP["call-failures"], table.sub(lambda _: "".join(rows), failures))
    _write_table(HELP["calls"], "What is sent", fields_sent())
    _write_table(HELP["privacy"], "Fields of the state", fields_stored())
    source = EXAMPLE_SOURCE.read_text(encoding="utf-8")
    page = HELP["own-source"].read_text(encoding="utf-8")
    block = re.compile(r"(?<=```python\n).*?(?=```)", re.DOTALL)
    _write(HELP["own-source"], block.sub(lambda _: source, page))
    _regenerate_tutorial()


def fields_sent() -> list[tuple[str, str]]:
    """Return the fields that are sent of each kind, as words."""
    return [(kind, _fields_text(kind, sent=True)) for kind in RECORD_TYPES]


def fields_stored() -> list[tuple[str, str]]:
    """Return the fields that the state stores of each kind, as words."""
    return [(kind, _fields_text(kind, sent=False)) for kind in RECORD_TYPES]


def _fields_text(kind: Kind, *, sent: bool) -> str:
    type_ = RECORD_TYPES[kind]
    names = type_.compared if sent else (*type_.key, *type_.compared)
    words = ", ".join(name.replace("_", " ") for name in names)
    once = [name for name in type_.once if type_.fields[name].sent_as] if sent else []
    return f"{words}; once: {', '.join(once)}" if once else words


def _write_table(page: Path, heading: str, rows: list[tuple[str, str]]) -> None:
    """Replace the rows of the first table under a heading."""
    before, found, after = page.read_text(encoding="utf-8").partition(f"## {heading}\n")
    table = "".join(f"| {name} | {text} |\n" for name, text in rows)
    _write(page, before + found + re.sub(r"(?<=\|---\|---\|\n)(\|.*\n)+", table, after, count=1))


def _regenerate_tutorial() -> None:
    """Put what each command prints now into its page, and the README's plan with it."""
    texts = {page: page.read_text(encoding="utf-8") for page in PLAYED}
    plan = ""
    with tempfile.TemporaryDirectory() as folder, Sandbox() as sandbox:
        for step in play(Path(folder), sandbox.url):
            printed = PROGRESS.sub("", step.printed).strip() + "\n"
            if without_times(printed) != without_times(step.promised):
                before = f"$ {step.command}\n{step.promised}"
                after = f"$ {step.command}\n{printed}"
                texts[step.page] = texts[step.page].replace(before, after, 1)
            else:  # the times of the page stay
                printed = step.promised
            if "Row errors" in printed and step.page == TUTORIAL:
                plan = printed.partition("Run:")[0]
    for page, text in texts.items():
        _write(page, text)
    block = re.compile(r"(?<=```text\n).*?(?=```)", re.DOTALL)
    _write(README, block.sub(lambda _: plan, README.read_text(encoding="utf-8")))


def _write(page: Path, text: str) -> None:
    if text != page.read_text(encoding="utf-8"):
        print(f"changed: {page.relative_to(ROOT)}")
        page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    regenerate()
