"""Whether every secret that the configuration names can be read, before a service relies on it."""

from collections.abc import Iterator

from pydantic import BaseModel

from sync.app import App
from sync.config_base.secrets import SecretRef
from sync.errors import SyncError, UsageError


def read_secrets(app: App) -> None:
    """Read each secret once, and keep none.

    Raises:
        UsageError: some can't be read; names all of them, a line each.
    """
    wrong = []
    for where, secret in _secrets(app.loaded.settings, ""):
        try:
            secret.reveal(app.loaded.folder)
        except SyncError as error:
            text = str(error)
            wrong.append(text if where in text else f"{where}: {text}")
    if wrong:
        raise UsageError("\n".join(wrong))


def _secrets(value: object, where: str) -> Iterator[tuple[str, SecretRef]]:
    """Yield every secret in the settings, with the way to it."""
    if isinstance(value, SecretRef):
        yield where, value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _secrets(getattr(value, name), f"{where}.{name}".lstrip("."))
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _secrets(inner, f"{where}.{name}")
    elif isinstance(value, (list, tuple)):
        for number, inner in enumerate(value):
            yield from _secrets(inner, f"{where}[{number}]")
