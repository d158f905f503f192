"""`inspera-sync help` prints the manual."""

import pytest
from sync.cli import run
from sync.commands.help import help_text, list_text, topics


def test_the_list_has_one_line_for_each_topic(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["help"]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()[2:]]
    assert listed == list(topics())
    assert listed[0] == "tutorial"


def test_every_line_of_the_list_says_what_the_topic_is_about() -> None:
    for line in list_text().splitlines()[2:]:
        name, _, about = line.strip().partition(" ")
        assert about.strip().endswith("."), name


@pytest.mark.parametrize("topic", list(topics()))
def test_a_topic_is_printed_as_its_file_is(topic: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["help", topic]) == 0
    assert capsys.readouterr().out == topics()[topic].read_text(encoding="utf-8")


def test_an_unknown_topic_names_the_nearest_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["help", "rule"]) == 2
    assert "'rule' is not a topic; did you mean 'rules'?" in capsys.readouterr().err


def test_the_beginning_of_a_topic_names_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["help", "held"]) == 2
    assert "'held' is not a topic; did you mean 'held-changes'?" in capsys.readouterr().err
    assert run(["help", "held-changes"]) == 0


def test_without_a_near_topic_the_list_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["help", "zzzz"]) == 2
    assert "`inspera-sync help` lists the topics" in capsys.readouterr().err


def test_on_a_terminal_a_page_is_laid_out() -> None:
    page = help_text("exit-statuses", terminal=True)
    assert "| Status |" not in page
    assert "Exit statuses" in page
