"""The loader of the configuration file. It reports all errors at once."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from pydantic import ValidationError

from sync.config.checks import find_conflicts, find_unused
from sync.config.contract_checks import find_secrets
from sync.config.errors import (
    ConfigurationError,
    ConfigurationErrors,
    SettingError,
    Steps,
    path_text,
)
from sync.config.guide import is_secret
from sync.config.messages import NEEDED, UNKNOWN, findings_of
from sync.config.model import Settings
from sync.config.tree import Plain, Tree, read_tree
from sync.config.yaml_text import YamlError
from sync.config_base.secrets import BrokenReference, SecretRef, expand

MOST_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Configuration:
    """A valid configuration.

    Attributes:
        settings: the settings.
        folder: the absolute path of the file's folder, where relative paths start.
        warnings: what is valid but unwise, such as a secret in plain text.
        data: the plain values of the file, with references as they are written.
    """

    settings: Settings
    folder: Path
    warnings: tuple[ConfigurationError, ...] = ()
    data: Plain = field(default=None, repr=False)

    @property
    def state_url(self) -> str:
        """Return the state's URL; the path of a file is absolute."""
        return self.settings.state_url(self.folder)

    def state_password(self) -> str:
        """Return the password for a state on PostgreSQL; empty if none is set.

        Raises:
            UsageError: it is missing, empty or unreadable.
        """
        secret = self.settings.state_password
        return secret.reveal(self.folder) if secret else ""


def load(path: Path) -> Configuration:
    """Return the configuration in this file. References are resolved, except those of secrets.

    Raises:
        ConfigurationErrors: it is not valid; the exception contains every error with its line.
    """
    return _validated(path, _tree(path))


def load_values(data: Plain, folder: Path) -> Configuration:
    """Return the configuration with these plain values, which are in no file.

    Raises:
        ConfigurationErrors: it is not valid.
    """
    return _validated(folder / "earlier configuration", Tree(data))


def _validated(path: Path, tree: Tree) -> Configuration:
    folder = path.absolute().parent
    reader = _Reader(tree, folder)
    data = {} if tree.data is None else reader.resolve(tree.data, ())
    findings = [*tree.findings, *reader.findings]
    findings += _independent(find_conflicts(data, folder), findings)
    settings = None
    try:
        settings = Settings.model_validate(data)
    except ValidationError as error:
        findings += _independent(findings_of(error, data), findings)
    findings = _without_twins(findings)
    if findings or settings is None:
        raise ConfigurationErrors(_with_lines(path, tree, findings))
    warnings = _with_lines(path, tree, [*reader.warnings, *find_unused(data)])
    return Configuration(settings, folder, tuple(warnings), tree.data)


def _tree(path: Path) -> Tree:
    text = _text(path)
    try:
        return read_tree(text)
    except YamlError as error:
        place = error.place
        raise ConfigurationErrors(
            [
                ConfigurationError(
                    str(path), place.line, place.column, "", error.reason, error.remedy
                )
            ]
        ) from None


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise _unreadable(
            path, "does not exist", "give the configuration's path with --config"
        ) from None
    except (OSError, ValueError):
        raise _unreadable(
            path, "can't be read", "give the user who runs this program the right to read it"
        ) from None
    if len(raw) > MOST_BYTES:
        raise _unreadable(
            path,
            f"is larger than {MOST_BYTES // 1024} KiB, so it is probably another file",
            "give the configuration's path with --config",
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
                "a byte is not UTF-8",
                "save the file as UTF-8",
            )
        ]
    )


def _unreadable(path: Path, reason: str, remedy: str) -> ConfigurationErrors:
    return ConfigurationErrors([ConfigurationError(str(path), None, None, "", reason, remedy)])


class _Reader:
    """A resolver of the references in the file.

    It does not resolve secret settings, and only warns about unwise ones. A pin or a password that
    is a constant of a feed is one of the feed's values, so it is resolved with the others.
    """

    def __init__(self, tree: Tree, folder: Path) -> None:
        self._tree, self._folder = tree, folder
        self._fixed = frozenset(find_secrets(tree.data))
        self.findings: list[SettingError] = []
        self.warnings: list[SettingError] = []

    def resolve(self, value: Plain, steps: Steps) -> Plain:
        """Return the value with its references resolved.

        A reference that can't be resolved stays as it is, and becomes a finding.
        """
        if isinstance(value, dict):
            return {name: self.resolve(item, (*steps, name)) for name, item in value.items()}
        if isinstance(value, list):
            return [self.resolve(item, (*steps, index)) for index, item in enumerate(value)]
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
            remedy = "move it to a file that only the service's user may read, and write ${file:PATH} here"
            self.warnings.append(SettingError(steps, "is a secret in plain text", remedy))
        for loose in secret.loose_files(self._folder):
            reason = f"{loose} can be read by users other than its owner"
            self.warnings.append(SettingError(steps, reason, "remove this right with chmod 0400"))


def _independent(more: Iterable[SettingError], known: list[SettingError]) -> list[SettingError]:
    """Return those errors that are not at or inside a setting with a known error.

    They would only be consequences of the known one.
    """
    affected = {finding.steps for finding in known if not finding.on_name}
    return [
        error
        for error in more
        if not any(error.steps[:length] in affected for length in range(len(error.steps) + 1))
    ]


def _without_twins(findings: list[SettingError]) -> list[SettingError]:
    """Leave out that a setting is needed where a mistyped name next to it is nearly its name."""
    unknown = [one.steps for one in findings if one.on_name and one.reason == UNKNOWN]

    def is_twin(one: SettingError) -> bool:
        near = get_close_matches(str(one.steps[-1]), _names_next_to(one.steps, unknown), n=1)
        return one.reason == NEEDED and bool(near)

    return [one for one in findings if not (one.steps and is_twin(one))]


def _names_next_to(steps: Steps, others: Iterable[Steps]) -> list[str]:
    return [str(other[-1]) for other in others if other[:-1] == steps[:-1]]


def _with_lines(
    path: Path, tree: Tree, findings: Iterable[SettingError]
) -> list[ConfigurationError]:
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
