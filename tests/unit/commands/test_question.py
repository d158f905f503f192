"""The question whether changes are sent: on a terminal, and with answers that a test gives."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sync.commands.question import LIMIT, Question
from sync.engine.interruption import Interruption
from sync.errors import Interrupted

from .test_terminal import CONFIG


def ask(*answers: str | None, total: int = 12) -> bool:
    """Return what a person with these answers decides; None is a moment without an answer."""
    left = iter(answers)
    return Question(Interruption(), lambda _seconds: next(left))(total)


@pytest.mark.parametrize("answer", ["y\n", "Y\n", "yes\n", " YES \n"])
def test_yes_sends(answer: str) -> None:
    assert ask(None, None, answer)


@pytest.mark.parametrize("answer", ["\n", "n\n", "no\n", "yess\n", ""])
def test_anything_else_and_the_end_of_the_input_mean_no(answer: str) -> None:
    assert not ask(None, answer)


def test_the_question_says_how_many(capsys: pytest.CaptureFixture[str]) -> None:
    ask("n\n", total=1200)
    ask("n\n", total=1)
    printed = capsys.readouterr().out
    assert "Send these 1,200 changes? [y/N]" in printed
    assert "Send this 1 change? [y/N]" in printed


def test_no_answer_within_the_limit_means_no(capsys: pytest.CaptureFixture[str]) -> None:
    seconds = iter([0.0, 1.0, LIMIT - 1, LIMIT + 1])
    question = Question(Interruption(), lambda _seconds: None, lambda: next(seconds))
    assert not question(2)
    assert "no answer within 10 minutes" in capsys.readouterr().out


def test_an_interrupted_run_stops_to_wait_for_the_answer() -> None:
    interruption = Interruption()

    def read(_seconds: float) -> None:
        interruption.end("stopped by a signal")

    with pytest.raises(Interrupted):
        Question(interruption, read)(2)


class Terminal:
    """`apply` as a process on a terminal of its own."""

    def __init__(self, config: Path, *words: str) -> None:
        self._ours, theirs = os.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sync", "-c", str(config), "apply", *words],
            stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL,
            env={**os.environ, "TERM": "dumb"},
        )  # fmt: skip
        os.close(theirs)
        self.output = ""

    def read_until(self, words: str) -> None:
        """Read until these words are printed."""
        deadline = time.monotonic() + 30
        while words not in self.output and time.monotonic() < deadline:
            self.output += os.read(self._ours, 65_536).decode()
        assert words in self.output

    def answer(self, text: str) -> int:
        """Type an answer, and return the exit status."""
        os.write(self._ours, text.encode())
        return self.end()

    def interrupt(self) -> int:
        """Interrupt the process as Ctrl-C does, and return the exit status."""
        self._process.send_signal(signal.SIGINT)
        return self.end()

    def end(self) -> int:
        """Return the exit status, once everything that was printed is read."""
        try:
            while piece := os.read(self._ours, 65_536):
                self.output += piece.decode()
        except OSError:  # the other end is closed
            pass
        return self._process.wait(30)


STUDENTS = "no,given,family\n1001,Åse,Eksempel\n1002,,Demo\n"


@pytest.mark.process
def test_on_a_terminal_apply_asks_and_sends_nothing_without_a_yes(tmp_path: Path) -> None:
    (tmp_path / "students.csv").write_text(STUDENTS, encoding="utf-8")
    config = tmp_path / "inspera-sync.yaml"
    config.write_text(CONFIG, encoding="utf-8")
    for answer in ("n\n", "\x04"):  # no, and the end of the input
        terminal = Terminal(config)
        terminal.read_until("Send these 2 changes? [y/N]")
        assert terminal.answer(answer) == 3
        assert "3: nothing was sent, as you asked" in terminal.output
    terminal = Terminal(config)
    terminal.read_until("[y/N]")
    assert terminal.interrupt() == 130
    with sqlite3.connect(tmp_path / "state.db") as state:
        assert state.execute("SELECT count(*) FROM intent").fetchone() == (0,)
        runs = [row[0] for row in state.execute("SELECT status FROM run ORDER BY id")]
    assert runs == ["declined", "declined", "interrupted"]
