from collections.abc import Callable
from pathlib import Path

import pytest
from sync.config import ConfigurationErrors, Loaded, load

Load = Callable[[str], Loaded]
Faults = Callable[[str], list[str]]


@pytest.fixture
def load_text(tmp_path: Path) -> Load:
    """Loads a configuration from its text, in a folder whose name is not ASCII."""
    folder = tmp_path / "oppsett-Ærø"
    folder.mkdir(exist_ok=True)

    def loaded(text: str) -> Loaded:
        path = folder / "inspera-sync.yaml"
        path.write_text(text, encoding="utf-8")
        return load(path)

    return loaded


@pytest.fixture
def faults_of(load_text: Load) -> Faults:
    """The faults of a configuration's text, each as `line:column: path: what`, without the file's name."""

    def faults(text: str) -> list[str]:
        with pytest.raises(ConfigurationErrors) as caught:
            load_text(text)
        return [str(fault).removeprefix(f"{fault.file}:") for fault in caught.value.faults]

    return faults
