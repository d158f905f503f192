"""The man page, made from the commands and options themselves: `inspera-sync help man`."""

import re
from collections.abc import Iterator
from typing import Any, Final

from sync import __version__
from sync.commands.help import PACKAGE

_FILES: Final = {
    "inspera-sync.yaml": "The configuration, in the working folder.",
    "/etc/inspera-sync/inspera-sync.yaml": "The configuration, if there is none there.",
    "/etc/inspera-sync/api-key": "The API key, which root passes to the service.",
    "/var/lib/inspera-sync": "The state of the service: state.db, and the files next to it.",
}
_ENVIRONMENT: Final = {
    "INSPERA_SYNC_CONFIG": "The configuration file, if --config does not name one.",
    "CREDENTIALS_DIRECTORY": "The folder of the secrets that ${cred:NAME} names; systemd sets it.",
    "SQLITE_TMPDIR, TMPDIR": "The folder of temporary files, instead of /var/tmp and /tmp.",
    "NO_COLOR, FORCE_COLOR": "Show no colours; show them also without a terminal.",
}
_LINK: Final = re.compile(r"\[([^\]]*)\]\([^)]*\)")


def man_page(program: Any) -> str:
    """Return the page in roff. `program` is the group of all commands."""
    return "\n".join([*_lines(program), ""])


def _lines(program: Any) -> Iterator[str]:
    yield f'.TH INSPERA\\-SYNC 1 "" "inspera\\-sync {__version__}" "User Commands"'
    yield ".SH NAME\ninspera\\-sync \\- keep Inspera Assessment in step with the student system"
    yield ".SH SYNOPSIS\n.B inspera\\-sync\n[OPTIONS] COMMAND [ARGUMENTS]"
    yield ".SH DESCRIPTION"
    yield from _prose(program.help)
    yield ".SH OPTIONS"
    yield from _options(program)
    yield ".SH COMMANDS"
    for name, command in program.commands.items():
        if not command.hidden:
            yield from _command(name, command)
    yield ".SH EXIT STATUS\nIf several apply, the first one in this list."
    for status, meaning in _statuses():
        yield from _item(status, meaning)
    for title, entries in (("ENVIRONMENT", _ENVIRONMENT), ("FILES", _FILES)):
        yield f".SH {title}"
        for name, about in entries.items():
            yield from _item(name, about)
    yield ".SH SEE ALSO"
    yield "The manual: inspera\\-sync help. The guides of operators: inspera\\-sync help operating."


def _command(name: str, command: Any) -> Iterator[str]:
    """Yield a command with its options, and the commands below it."""
    below = getattr(command, "commands", None)
    if below:
        for inner, each in below.items():
            yield from _command(f"{name} {inner}", each)
        return
    words = [_escaped(one.metavar or one.name.upper()) for one in _arguments(command)]
    yield f".SS {_escaped(name)} {' '.join(words)}".rstrip()
    yield from _prose(command.help)
    yield from _options(command)


def _arguments(command: Any) -> list[Any]:
    return [one for one in command.params if one.param_type_name == "argument"]


def _options(command: Any) -> Iterator[str]:
    for argument in _arguments(command):
        if argument.help:
            yield from _item(argument.metavar or argument.name.upper(), argument.help)
    for one in command.params:
        if one.param_type_name == "option" and not one.hidden:
            names = ", ".join((*one.opts, *one.secondary_opts))
            value = "" if one.is_flag else one.metavar or one.name.upper()
            yield from _item(f"{names} {value}".strip(), one.help or "")
    yield from _item("--help", "Show the help and exit.")


def _item(name: str, text: str) -> Iterator[str]:
    yield f".TP\n.B {_escaped(name)}\n{_escaped(text) or '.br'}"


def _prose(text: str | None) -> Iterator[str]:
    for paragraph in (text or "").split("\n\n"):
        yield f".PP\n{_escaped(' '.join(paragraph.split()))}"


def _statuses() -> Iterator[tuple[str, str]]:
    """Yield the rows of the page of exit statuses."""
    page = (PACKAGE / "help" / "exit-statuses.md").read_text(encoding="utf-8")
    for status, meaning in re.findall(r"^\| (\d+) \| (.*?) \|", page, re.M):
        yield status, _LINK.sub(r"\1", meaning)


def _escaped(text: str) -> str:
    """Return text that roff prints as it is."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "")
    text = re.sub(r"^(?=[.'])", r"\\&", text, flags=re.M)
    return re.sub(r"[^\x00-\x7f]", lambda letter: f"\\[u{ord(letter[0]):04X}]", text)
