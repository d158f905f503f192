"""The manual's pages, the operators' guides, and files to copy, for `inspera-sync help`.

In a checkout the guides and the example are next to the package; a wheel has them inside.
"""

import io
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from sync.errors import UsageError

PACKAGE: Final = Path(__file__).resolve().parents[1]
FIRST: Final = ("tutorial", "rollout", "init", "commands", "glossary")
"""Topics for somebody who is new; the list begins with them."""


def topics() -> dict[str, Path]:
    """Return every topic with its file, in the order of the list."""
    pages = {path.stem: path for path in sorted((PACKAGE / "help").glob("*.md"))}
    first = {name: pages[name] for name in FIRST}
    guides = _folder("_deploy", "deploy")
    config = _folder("_config", "config")
    return {
        **first,
        **pages,
        "settings": config / "README.md",
        "operating": guides / "README.md",
        **{path.stem: path for path in sorted(guides.glob("*.md")) if path.stem != "README"},
        "example": config / "inspera-sync.yaml",
        "unit": guides / "systemd" / "inspera-sync.service",
        "as-inspera-sync": guides / "systemd" / "as-inspera-sync",
        **{
            path.name.removeprefix("inspera-sync-"): path
            for path in sorted((guides / "systemd").glob("inspera-sync-*"))
        },
    }


def list_text() -> str:
    """Return one line for each topic: its name and what it is about."""
    lines = [f"  {name:16} {_summary(path)}" for name, path in topics().items()]
    return "\n".join(["Print one of these by `inspera-sync help TOPIC`:", "", *lines, ""])


def help_text(topic: str, *, terminal: bool) -> str:
    """Return the topic's text; a page is laid out for reading if it goes to a terminal.

    Raises:
        UsageError: the topic is unknown, or its file is missing.
    """
    known = topics()
    if topic not in known:
        begun = [name for name in known if topic and name.startswith(topic)]
        near = begun or get_close_matches(topic, known, n=1)
        remedy = f"did you mean '{near[0]}'?" if near else "`inspera-sync help` lists the topics"
        raise UsageError(f"help: '{topic}' is not a topic; {remedy}")
    try:
        text = known[topic].read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{known[topic]}: {error.strerror}; install inspera-sync again") from None
    return _laid_out(text) if terminal and known[topic].suffix == ".md" else text


def _laid_out(text: str) -> str:
    from rich.console import Console
    from rich.markdown import Markdown

    console = Console(file=io.StringIO(), force_terminal=True)
    with console.capture() as captured:
        console.print(Markdown(text, hyperlinks=False))
    return captured.get()


def _folder(in_wheel: str, in_checkout: str) -> Path:
    inside = PACKAGE / in_wheel
    return inside if inside.is_dir() else PACKAGE.parent / in_checkout


def _summary(path: Path) -> str:
    """Return what a topic is about: a page's first sentence after its heading, or a file's kind."""
    if path.suffix != ".md":
        if path.name.startswith("inspera-sync-"):
            return "A systemd unit, to copy, for who prefers timers."
        return {
            "inspera-sync.yaml": "The example configuration, which explains every setting.",
            "inspera-sync.service": "The systemd unit, to copy.",
        }.get(path.name, "The script that runs a command as the service's user, to copy.")
    paragraph = path.read_text(encoding="utf-8").split("\n\n")[1]
    return " ".join(paragraph.split()).split(". ")[0].removesuffix(".") + "."
