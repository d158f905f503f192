"""Reads the configuration file.

All of it or nothing, and everything that is wrong with it at once.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from sync.config.checks import crossed, unused
from sync.config.contract_checks import secrets_fixed
from sync.config.errors import (
    ConfigurationError,
    ConfigurationErrors,
    SettingError,
    Steps,
    path_text,
)
from sync.config.guide import is_secret
from sync.config.messages import findings_of
from sync.config.model import Settings
from sync.config.tree import Plain, Tree, read_tree
from sync.config.yaml_text import YamlError
from sync.config_base.secrets import BrokenReference, SecretRef, expand

MOST_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration that can be used.

    Attributes:
        settings: what it says.
        folder: the absolute path of the file's folder, where relative paths start.
        warnings: what is unwise in it, such as a secret in plain text.
    """

    settings: Settings
    folder: Path
    warnings: tuple[ConfigurationError, ...] = ()

    @property
    def state_url(self) -> str:
        """Return the state's URL; the path of a file is absolute."""
        return self.settings.state_url(self.folder)

    def state_password(self) -> str:
        """Return the password for a state on PostgreSQL; empty when none is set.

        Raises:
            UsageError: it is missing, empty or unreadable.
        """
        secret = self.settings.state_password
        return secret.reveal(self.folder) if secret else ""


def load(path: Path) -> Loaded:
    """Return the configuration in this file. Secrets are not read yet; other references are.

    Raises:
        ConfigurationErrors: it can't be used; holds every error, with its line.
    """
    folder = path.absolute().parent
    tree = _tree(path)
    reader = _Reader(tree, folder)
    data = {} if tree.data is None else reader.expanded(tree.data, ())
    findings = [*tree.findings, *reader.findings]
    findings += _besides(crossed(data, folder), findings)
    settings = None
    try:
        settings = Settings.model_validate(data)
    except ValidationError as error:
        findings += _besides(findings_of(error, data), findings)
    if findings or settings is None:
        raise ConfigurationErrors(_placed(path, tree, findings))
    return Loaded(settings, folder, tuple(_placed(path, tree, [*reader.unwise, *unused(data)])))


def _tree(path: Path) -> Tree:
    text = _text(path)
    try:
        return read_tree(text)
    except YamlError as wrong:
        place = wrong.place
        raise ConfigurationErrors(
            [
                ConfigurationError(
                    str(path), place.line, place.column, "", wrong.reason, wrong.remedy
                )
            ]
        ) from None


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise _unreadable(path, "does not exist", "give the path of the configuration") from None
    except (OSError, ValueError):
        raise _unreadable(
            path, "can't be read", "name a file that the user who runs this may read"
        ) from None
    if len(raw) > MOST_BYTES:
        raise _unreadable(
            path, f"is above {MOST_BYTES // 1024} KiB", "name the configuration; this is hardly it"
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
    raise ConfigurationErrors(
        [
            ConfigurationError(
                str(path),
                line,
                column,
                "",
                "there is a byte that is not UTF-8",
                "save the file as UTF-8",
            )
        ]
    )


def _unreadable(path: Path, reason: str, remedy: str) -> ConfigurationErrors:
    return ConfigurationErrors([ConfigurationError(str(path), None, None, "", reason, remedy)])


class _Reader:
    """Puts what references stand for in their place.

    It only looks at secrets from outside. A pin or a password that a feed has as a constant is one
    of its values, so it is read with the others.
    """

    def __init__(self, tree: Tree, folder: Path) -> None:
        self._tree, self._folder = tree, folder
        self._fixed = frozenset(secrets_fixed(tree.data))
        self.findings: list[SettingError] = []
        self.unwise: list[SettingError] = []

    def expanded(self, value: Plain, steps: Steps) -> Plain:
        """Return the value with its references resolved.

        One that could not be stays as it is, and becomes a finding.
        """
        if isinstance(value, dict):
            return {name: self.expanded(inner, (*steps, name)) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.expanded(inner, (*steps, index)) for index, inner in enumerate(value)]
        if value is None:
            return None
        secret = is_secret(steps, self._tree.data)
        try:
            if secret or steps in self._fixed:
                self._look_at_secret(SecretRef(value), steps)
            return value if secret or "${" not in value else expand(value, self._folder)
        except BrokenReference as broken:
            self.findings.append(SettingError(steps, broken.reason, broken.remedy))
            return value

    def _look_at_secret(self, secret: SecretRef, steps: Steps) -> None:
        if secret.is_plain():
            remedy = (
                "move it into a file that only the service's user may read, "
                "and write ${file:PATH} here"
            )
            self.unwise.append(SettingError(steps, "is a secret in plain text", remedy))
        for loose in secret.loose_files(self._folder):
            reason = f"{loose} may be read by more users than its owner"
            self.unwise.append(
                SettingError(steps, reason, "take that right away, as in chmod 0400")
            )


def _besides(more: Iterable[SettingError], known: list[SettingError]) -> list[SettingError]:
    """Return the errors that are not merely the consequence of a known one.

    A known one counts at the same setting or around it.
    """
    spoilt = {finding.steps for finding in known if not finding.on_name}
    return [
        one
        for one in more
        if not any(one.steps[:length] in spoilt for length in range(len(one.steps) + 1))
    ]


def _placed(path: Path, tree: Tree, findings: Iterable[SettingError]) -> list[ConfigurationError]:
    errors = []
    for finding in findings:
        place = tree.place(finding.steps, finding.on_name)
        shown = path_text(finding.steps)
        errors.append(
            ConfigurationError(
                str(path), place.line, place.column, shown, finding.reason, finding.remedy
            )
        )
    return errors
