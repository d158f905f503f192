"""The words of the command line, and what an operator sees when they are wrong."""

import subprocess
import sys
from pathlib import Path

import pytest
from sync import __version__
from sync.cli import run

COMMANDS = (
    *("init", "check", "sample", "plan", "report", "apply", "adopt", "reconcile", "status"),
    *("doctor", "sandbox", "schema", "demo"),
)
HEAVY = ("sqlmodel", "sqlalchemy", "requests", "alembic", "starlette", "uvicorn", "yaml")


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    said = capsys.readouterr().out
    assert all(command in said for command in COMMANDS)


def test_the_version_is_the_packages_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"inspera-sync {__version__}\n"


@pytest.mark.process
@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_and_version_import_nothing_heavy(arguments: list[str]) -> None:
    code = (
        f"import sys; from sync.cli import run; run({arguments!r})\n"
        f"print([m for m in {HEAVY!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    "arguments",
    [
        ["aply"],
        ["plan", "--jsn"],
        ["adopt", "--as-new"],
        ["adopt", "candidate", "A"],
        ["reconcile", "--repare"],
        ["doctor", "--apidoc"],
        ["sandbox", "--failures", "nowhere.yaml"],
    ],
)
def test_words_that_are_wrong_exit_2_and_leave_no_traceback(
    arguments: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("INSPERA_SYNC_CONFIG", raising=False)
    assert run(arguments) == 2
    said = capsys.readouterr()
    assert said.err.strip()
    assert "Traceback" not in said.err + said.out


def test_without_a_configuration_it_says_where_it_looked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("INSPERA_SYNC_CONFIG", raising=False)
    monkeypatch.setattr(
        "sync.commands.invocation.PLACES",
        (Path("inspera-sync.yaml"), tmp_path / "etc" / "inspera-sync.yaml"),
    )
    assert run(["plan"]) == 2
    said = capsys.readouterr().err
    assert "inspera-sync.yaml" in said
    assert "--config" in said


def test_the_schema_command_prints_the_file_that_editors_use(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["schema"]) == 0
    assert (
        capsys.readouterr().out
        == Path(__file__).parents[2].joinpath("config", "schema.json").read_text()
    )
