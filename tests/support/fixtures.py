"""The fixture of a made-up university, for the tests of rules and of the whole program."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sync.commands import (
    adopt,
    apply,
    approve,
    backup,
    check,
    doctor_checks,
    explain,
    held,
    page_desk,
    pause,
    plan,
    reconcile,
    report,
    state_copy,
    state_rebind,
    status,
    undo,
)

from .leak_scan import leaks
from .university import TEST, University, numbers


@pytest.fixture
def university(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[University]:
    """Return an empty university with a clock of its own; fail when a secret is left anywhere."""
    university = University(tmp_path, capsys)
    for module in (
        adopt,
        apply,
        approve,
        backup,
        check,
        doctor_checks,
        explain,
        held,
        page_desk,
        pause,
        plan,
        state_copy,
        state_rebind,
        reconcile,
        report,
        status,
        undo,
    ):
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
