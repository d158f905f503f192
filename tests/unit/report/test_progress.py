"""The bar of long work stays out of the report, on a terminal and in a file."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

CODE = """
import sys
from sync.report.progress import shown
with shown() as progress:
    progress("reading [red]x", 1, 2)
    sys.stdout.write('{"title": "[red]x[/red]"')
    sys.stdout.flush()
    progress("sending", 1, 2)
    sys.stdout.write('}\\n')
"""
REPORT = '{"title": "[red]x[/red]"}'


def test_a_report_goes_to_its_file_although_the_bar_is_on_a_terminal(tmp_path: Path) -> None:
    terminal, end = os.openpty()
    with (tmp_path / "report").open("w") as report:
        subprocess.run([sys.executable, "-c", CODE], stdout=report, stderr=end, check=True)
    os.close(end)
    bars = os.read(terminal, 100_000).decode()
    assert (tmp_path / "report").read_text() == f"{REPORT}\n"
    assert "reading [red]x" in bars
    assert "title" not in bars


def test_a_report_on_the_terminal_of_the_bar_is_printed_as_it_is() -> None:
    terminal, end = os.openpty()
    subprocess.run([sys.executable, "-c", CODE], stdout=end, stderr=end, check=True)
    os.close(end)
    printed = os.read(terminal, 100_000).decode()
    assert '{"title": "[red]x[/red]"' in printed
    assert "sending" in printed
