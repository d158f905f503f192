"""Secrets from a command: its output is the value, and it can neither hang nor talk."""

import time
from pathlib import Path

import pytest
from sync.config_base.commands import CommandError, run_command
from sync.errors import UsageError

from .conftest import Load
from .test_secrets import SECRET, secret

pytestmark = pytest.mark.process


def test_the_output_of_a_command_is_a_secret_and_is_read_anew_each_time(load_text: Load) -> None:
    key, folder = secret(load_text, "${cmd:cat 'the key'}")
    for value in (SECRET, "another"):
        (folder / "the key").write_text(value + "\n", encoding="utf-8")
        assert key.reveal(folder) == value


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("false", "ended with status 1"),
        ("sh -c 'kill -9 $$'", "ended by signal 9"),
        ("no-such-program-here", "does not exist on this machine"),
        ("/etc", "can't be run (Permission denied)"),
    ],
)
def test_a_command_that_fails_says_how_and_what_to_do(
    load_text: Load, command: str, reason: str
) -> None:
    key, folder = secret(load_text, f"${{cmd:{command}}}")
    with pytest.raises(UsageError) as raised:
        key.reveal(folder)
    assert str(raised.value).startswith(f"${{cmd:{command}}}: the command {reason}; run it by hand")


def test_what_a_command_writes_to_standard_error_is_not_shown(
    load_text: Load, capfd: pytest.CaptureFixture[str]
) -> None:
    key, folder = secret(load_text, f"${{cmd:sh -c 'echo {SECRET} >&2; exit 3'}}")
    with pytest.raises(UsageError) as raised:
        key.reveal(folder)
    assert raised.value.__context__ is None or raised.value.__suppress_context__
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "left", ["sleep 60", "sh -c 'sleep 60 & echo value'", "sh -c 'exec >&-; sleep 60'"]
)
def test_a_command_that_does_not_end_is_killed_with_its_children(tmp_path: Path, left: str) -> None:
    began = time.monotonic()
    with pytest.raises(CommandError, match=r"did not end within 0\.1 s"):
        run_command(left, tmp_path, 100, timeout=0.1)
    assert time.monotonic() - began < 10


def test_output_without_an_end_is_not_read_further_than_needed(tmp_path: Path) -> None:
    assert len(run_command("yes", tmp_path, 1000)) == 1001


@pytest.mark.parametrize("command", ["", "'not closed"])
def test_a_command_without_words_is_refused_when_the_file_is_loaded(
    load_text: Load, command: str
) -> None:
    with pytest.raises(UsageError, match="is not a reference"):
        secret(load_text, f"${{cmd:{command}}}")
