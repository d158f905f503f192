"""What the TAB key completes: words of the program and of the configuration, and never an error."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sync.cli import run

Complete = Callable[[str], list[str]]


@pytest.fixture
def complete(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Complete:
    """Return a function that gives what bash would offer at the end of a line."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("INSPERA_SYNC_CONFIG", raising=False)

    def completed(line: str) -> list[str]:
        monkeypatch.setenv("_INSPERA_SYNC_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(len(line.split(" ")) - 1))
        assert run([]) == 0
        shown = capsys.readouterr()
        assert shown.err == ""
        return shown.out.split()

    return completed


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("inspera-sync re", ["report", "reject", "reconcile", "resume", "restore"]),
        ("inspera-sync apply --w", ["--wait"]),
        ("inspera-sync help tu", ["tutorial"]),
        ("inspera-sync adopt c", ["committee", "contributor", "candidate"]),
        ("inspera-sync adopt candidate c", []),
    ],
)
def test_commands_options_topics_and_kinds_are_completed(
    line: str, words: list[str], complete: Complete
) -> None:
    assert complete(line) == words


@pytest.mark.parametrize("before", ["", "--config inspera-sync.yaml "])
@pytest.mark.parametrize("line", ["sample ", "plan --accept-shrink ", "apply --accept-shrink "])
def test_names_of_sources_are_completed_without_reading_secrets(
    line: str, before: str, complete: Complete, tmp_path: Path
) -> None:
    (tmp_path / "inspera-sync.yaml").write_text(
        "inspera: {api_key: '${file:absent}'}\nsources: {students: {type: csv}, exams: }\n"
    )
    assert complete(f"inspera-sync {before}{line}") == ["students", "exams"]
    assert complete(f"inspera-sync {before}{line}st") == ["students"]


@pytest.mark.parametrize(
    "content",
    [b"sources: [", b"sources: [a]", b"- a", b"", b"\xff", b"? [a]\n: b", b"[" * 5000, b"a: !!x"],
)
def test_a_broken_configuration_completes_nothing(
    content: bytes, complete: Complete, tmp_path: Path
) -> None:
    (tmp_path / "inspera-sync.yaml").write_bytes(content)
    assert complete("inspera-sync sample ") == []
    assert complete(f"inspera-sync --config {tmp_path} sample ") == []
    assert complete("inspera-sync --config absent.yaml sample ") == []


def test_the_script_for_a_shell_can_be_printed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_INSPERA_SYNC_COMPLETE", "source_zsh")
    assert run([]) == 0
    assert "_INSPERA_SYNC_COMPLETE=complete_zsh" in capsys.readouterr().out
