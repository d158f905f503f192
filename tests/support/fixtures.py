"""The fixture of a made-up university, for the tests of rules and of the whole program."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType

import pytest
from sync import commands

from .leak_scan import leaks
from .university import TEST, University, numbers


def modules_with_clock() -> list[ModuleType]:
    """Return every module of the commands that asks for the time."""
    modules = [
        import_module(f"sync.commands.{one.name}") for one in iter_modules(commands.__path__)
    ]
    return [module for module in modules if hasattr(module, "now")]


@pytest.fixture
def university(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[University]:
    """Return an empty university with a clock of its own; fail when a secret is left anywhere."""
    university = University(tmp_path, capsys)
    for module in modules_with_clock():
        monkeypatch.setattr(module, "now", university.now)
    with university.sandbox:
        yield university
    assert leaks(university, caplog.text) == []


@pytest.fixture
def seated(university: University) -> University:
    """Three learners on one test, the first with 30 minutes of extra time."""
    university.register(TEST, *numbers(1001, 3))
    university.registrations.set(f"{TEST} 1001", extra="30")
    university.apply_once()
    return university
