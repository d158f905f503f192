"""References in settings: `${NAME}`, `${file:PATH}`, `${cred:NAME}` and `${cmd:COMMAND}`.

A secret is read through its reference each time it is used. The value of a reference never appears
in a message, a repr or an exception; only the reference itself does.
"""

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from sync.config_base.base import validation_error
from sync.config_base.commands import CommandError, has_words, run_command
from sync.errors import UsageError

MOST_BYTES = 64 * 1024
"""The largest file or output that is read as a value; a secret is far smaller."""

_MARKS = re.compile(r"\$\$\{|\$\{([^}]*)\}|\$\{")
_BODY = re.compile(r"(?:(?P<scheme>file|cred|cmd):)?(?P<name>.+)")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CREDENTIAL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]*")


class BrokenReference(UsageError):  # noqa: N818 - named, like all errors here, by what it means
    """A reference that is not valid, or whose value can't be read: the reason, and what to do."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(f"{reason}; {remedy}")
        self.reason, self.remedy = reason, remedy


class Reference(NamedTuple):
    """The parts of a reference: `scheme` is `env`, `file`, `cred` or `cmd`."""

    scheme: str
    name: str

    def __str__(self) -> str:
        return f"${{{self.name}}}" if self.scheme == "env" else f"${{{self.scheme}:{self.name}}}"


def references(text: str) -> Iterator[Reference]:
    """Yield the references in a setting's text, without reading their values.

    Raises:
        BrokenReference: a `${` does not begin a valid reference.
    """
    for mark in _MARKS.finditer(text):
        if mark[0] != "$${":
            yield _parse(mark[1])


def expand(text: str, folder: Path) -> str:
    """Return the text with every reference replaced by its value, and `$${` by `${`.

    Raises:
        BrokenReference: a `${` does not begin a valid reference, or a value is missing, empty or
            unreadable.
    """
    return _MARKS.sub(
        lambda mark: "${" if mark[0] == "$${" else _value(_parse(mark[1]), folder), text
    )


def _parse(body: str | None) -> Reference:
    if body is None:
        raise BrokenReference(
            "has a '${' without its '}'", "close it, or write '$${' for the characters themselves"
        )
    match = _BODY.fullmatch(body)
    scheme, name = (match["scheme"] or "env", match["name"]) if match else ("env", "")
    valid = {
        "env": _VARIABLE.fullmatch(name),
        "cred": _CREDENTIAL.fullmatch(name),
        "file": "{" not in name,
        "cmd": "{" not in name and has_words(name),
    }
    if not valid[scheme]:
        raise BrokenReference(
            "has a '${…}' that is not a reference",
            "write ${NAME}, ${file:PATH}, ${cred:NAME} or ${cmd:COMMAND}, or '$${' for the characters "
            "themselves",
        )
    return Reference(scheme, name)


def _value(reference: Reference, folder: Path) -> str:
    if reference.scheme == "file":
        return _from_file(folder / reference.name, reference)
    if reference.scheme == "cred":
        return _from_file(_credentials(reference) / reference.name, reference)
    if reference.scheme == "cmd":
        return _from_command(reference, folder)
    value = os.environ.get(reference.name)
    if value is None:
        raise BrokenReference(
            f"{reference} names an environment variable that is not set",
            "set it where this program is started",
        )
    return _require_content(value, reference)


def _credentials(reference: Reference) -> Path:
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        raise BrokenReference(
            f"{reference} needs a credential from systemd, and this process has none",
            f"add LoadCredential={reference.name}:PATH to the service; "
            "outside the service use ${file:PATH}",
        )
    return Path(folder)


def _from_file(path: Path, reference: Reference) -> str:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise BrokenReference(
                f"{reference} does not name an ordinary file",
                "name a file that contains only the value",
            )
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise BrokenReference(
            f"{reference} names a file that does not exist", "create it, or correct the path"
        ) from None
    except (OSError, ValueError):
        raise BrokenReference(
            f"{reference} names a file that can't be read",
            "give the user who runs this program the right to read it",
        ) from None
    return _require_content(_decoded(raw, reference), reference)


def _from_command(reference: Reference, folder: Path) -> str:
    try:
        output = run_command(reference.name, folder, MOST_BYTES)
    except CommandError as error:
        raise BrokenReference(
            f"{reference}: the command {error}",
            "run it by hand as the user who runs this program, in the folder of the configuration",
        ) from None
    return _require_content(_decoded(output, reference), reference)


def _decoded(raw: bytes, reference: Reference) -> str:
    if len(raw) > MOST_BYTES:
        size = f"{MOST_BYTES // 1024} KiB"
        raise BrokenReference(
            f"{reference} gives more than {size}", "let it contain the value and nothing else"
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = None
    if text is None:  # raised outside the handler, so that no chained exception contains the bytes
        raise BrokenReference(
            f"{reference} gives something that is not UTF-8 text", "save it as UTF-8"
        )
    return _without_newline(text)


def _without_newline(text: str) -> str:
    return text.removesuffix("\n").removesuffix("\r")


def _require_content(value: str, reference: Reference) -> str:
    if not value:
        raise BrokenReference(f"{reference} is empty", "put the value into it")
    return value


@dataclass(frozen=True, slots=True, repr=False)
class SecretRef:
    """A secret as the YAML gives it: a reference, or (unwisely) the secret itself.

    Neither `repr` nor `str` ever shows more than the reference.
    """

    _text: str

    def reveal(self, folder: Path) -> str:
        """Return the secret. Relative paths start at `folder`.

        It is read anew each time, so that a new secret works without a restart.

        Raises:
            UsageError: the value is missing, empty or unreadable, or can't be sent as a secret.
        """
        secret = _without_newline(expand(self._text, folder))
        if secret != secret.strip() or not secret.isprintable():
            # The HTTP library would repeat such a value, complete, in its own exception.
            raise BrokenReference(
                f"{self} contains a line break, an invisible character "
                "or white space around the value",
                "save the value there and nothing else",
            )
        return secret

    def is_plain(self) -> bool:
        """Tell whether the YAML contains the secret itself, which every reader then knows."""
        return not any(references(self._text))

    def loose_files(self, folder: Path) -> tuple[Reference, ...]:
        """Return the named files that users other than the owner may read."""
        return tuple(
            reference
            for reference in references(self._text)
            if reference.scheme == "file" and _is_loose(folder / reference.name)
        )

    def __repr__(self) -> str:
        return f"SecretRef({self})"

    def __str__(self) -> str:
        mark = _MARKS.fullmatch(self._text)
        return self._text if mark and mark[1] else "****"

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            _secret, serialization=core_schema.to_string_ser_schema()
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "minLength": 1, "examples": ["${file:/etc/inspera-sync/api-key}"]}


def _secret(value: object) -> SecretRef:
    if isinstance(value, SecretRef):
        return value
    if not isinstance(value, str) or not value:
        raise validation_error(
            "should be a secret",
            "write ${file:PATH}, ${cred:NAME}, ${cmd:COMMAND} or ${NAME} on this line",
        )
    secret = SecretRef(value)
    try:
        secret.is_plain()
    except BrokenReference as broken:
        raise validation_error(broken.reason, broken.remedy) from None
    return secret


def _is_loose(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))
    except (OSError, ValueError):
        return False
