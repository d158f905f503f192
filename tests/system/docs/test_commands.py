"""Commands and exit statuses in the pages are those of the program."""

import re
from pathlib import Path

import pytest
from sync.cli import run
from sync.exit_codes import Exit, worst

from .pages import OPERATING, PAGES, README, commands, rows, section

NAMES = (
    *(
        "init",
        "check",
        "sample",
        "plan",
        "apply",
        "adopt",
        "reconcile",
        "serve",
        "pause",
        "resume",
        "status",
        "doctor",
    ),
    *("sandbox", "schema", "demo", "state"),
)


def is_understood(words: list[str]) -> bool:
    """Whether the program can read these words; asked for help, it reads them and does nothing."""
    return run([*words, "--help"]) == Exit.OK


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}-{page.stem}")
def test_every_command_line_in_a_page_can_be_parsed(page: Path) -> None:
    assert [" ".join(words) for words in commands(page) if not is_understood(words)] == []


def test_there_are_command_lines_to_be_parsed() -> None:
    assert {words[0] for words in commands(README)} >= set(NAMES) - {"reconcile", "schema", "state"}
    assert {words[0] for words in commands(OPERATING)} >= set(NAMES) - {
        *("init", "sample", "serve", "pause", "resume", "sandbox", "schema", "demo")
    }


def test_wrong_words_would_be_noticed() -> None:
    assert not is_understood(["adopt", "--everything"])
    assert not is_understood(["aply"])


def help_of(*words: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert is_understood(list(words))
    return capsys.readouterr().out


def test_the_table_of_commands_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    named = [
        name
        for row in rows(section(README, "Commands"))
        for name in re.findall(r"`inspera-sync (\w+)`", row[0])
    ]
    listed = re.findall(r"^\W*([a-z]+)  +[A-Z]", help_of(capsys=capsys), re.MULTILINE)
    assert named == listed == list(NAMES)


def test_every_option_in_the_readme_is_one_of_some_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    helps = help_of(capsys=capsys) + "".join(
        help_of(name, capsys=capsys) for name in (*NAMES, "sync")
    )
    helps += help_of("state", "rebind", capsys=capsys)
    prose = re.sub(r"```.*?```", "", README.read_text(encoding="utf-8"), flags=re.DOTALL)
    named = set(re.findall(r"`(?:[^`]* )?(--[a-z-]+)", prose))
    assert (
        {"--all", "--allow", "--apidoc", "--data", "--held", "--repair", "--retry-refused"}
        <= named
        <= set(re.findall(r"--[a-z-]+", helps))
    )


def statuses(page: Path, title: str) -> list[int]:
    return [
        int(number) for row in rows(section(page, title)) for number in re.findall(r"\d+", row[0])
    ]


def test_the_readmes_exit_statuses_are_those_of_the_program_in_order_of_precedence() -> None:
    told = statuses(README, "Exit statuses")
    assert sorted(told) == sorted(Exit)
    applying = [Exit.INSPERA, Exit.SOURCE, Exit.HELD, Exit.ERRORS]
    names = ["inspera", "source", "held", "row_errors"]
    by_the_program = [worst(**dict.fromkeys(names[at:], True)) for at in range(len(names))]
    assert by_the_program == applying
    assert [status for status in told if status in applying] == applying
    assert told == [2, 75, 130, 143, 5, 4, 3, 1, 10, 0]


def test_the_operating_guide_says_what_to_do_at_every_exit_status_of_an_apply() -> None:
    told = statuses(OPERATING, "What to do at each exit status")
    assert sorted(told) == sorted(set(Exit) - {Exit.CHANGES})
