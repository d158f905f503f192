"""A university for each test, with an Inspera of its own and a clock that stands still."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sync.commands import adopt, apply, check, doctor_checks, plan, reconcile, state_rebind, status

from .leak_scan import leaks
from .site import Site


@pytest.fixture
def site(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Site]:
    """An empty university. No story may leave a secret anywhere."""
    site = Site(tmp_path, capsys)
    for module in (adopt, apply, check, doctor_checks, plan, state_rebind, reconcile, status):
        monkeypatch.setattr(module, "now", site.now)
    with site.sandbox:
        yield site
    assert leaks(site, caplog.text) == []
