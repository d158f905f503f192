from collections.abc import Callable
from pathlib import Path

import pytest
from sync.config import Configuration, ConfigurationErrors, load

Load = Callable[[str], Configuration]
Errors = Callable[[str], list[str]]


@pytest.fixture
def load_text(tmp_path: Path) -> Load:
    """Loads a configuration from its text, in a folder whose name is not ASCII."""
    folder = tmp_path / "oppsett-Ærø"
    folder.mkdir(exist_ok=True)

    def loaded(text: str) -> Configuration:
        path = folder / "inspera-sync.yaml"
        path.write_text(text, encoding="utf-8")
        return load(path)

    return loaded


@pytest.fixture
def errors_of(load_text: Load) -> Errors:
    """The errors of a configuration's text, each as `line:column: path: what`, without the file's name."""

    def errors(text: str) -> list[str]:
        with pytest.raises(ConfigurationErrors) as caught:
            load_text(text)
        return [str(error).removeprefix(f"{error.file}:") for error in caught.value.errors]

    return errors
