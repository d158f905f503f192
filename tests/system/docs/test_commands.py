"""Commands and exit statuses in the pages are those of the program."""

import re
from pathlib import Path

import pytest
from sync.cli import run
from sync.exit_codes import Exit, worst

from .pages import HELP, MANUAL, PAGES, commands, name_of, rows, section

NAMES = (
    *("init", "check", "sample", "plan", "explain", "report", "apply", "held", "approve", "reject"),
    *("undo", "adopt", "reconcile", "notify", "serve", "pause", "resume", "run-now", "status"),
    *(
        "backup",
        "restore",
        "forget",
        "export-person",
        "doctor",
        "sandbox",
        "schema",
        "demo",
        "help",
    ),
    *("state", "audit"),
)
_OF_GROUPS = (("state", "rebind"), ("state", "copy"), ("audit", "verify"), ("audit", "export"))
COMMANDS, STATUSES = HELP["commands"], HELP["exit-statuses"]


def is_understood(words: list[str]) -> bool:
    """Tell whether the program can read these words; asked for help, it reads them only."""
    return run([*words, "--help"]) == Exit.OK


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_line_in_a_page_can_be_parsed(page: Path) -> None:
    assert [" ".join(words) for words in commands(page) if not is_understood(words)] == []


def test_the_command_lines_of_the_pages_use_every_command() -> None:
    used = {words[0] for page in MANUAL for words in commands(page)}
    assert used >= set(NAMES) - {"schema"}


def test_wrong_words_would_be_noticed() -> None:
    assert not is_understood(["adopt", "--everything"])
    assert not is_understood(["aply"])


def help_of(*words: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert is_understood(list(words))
    return capsys.readouterr().out


def test_the_table_of_commands_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    table = rows(COMMANDS.read_text(encoding="utf-8"))
    named = [name for row in table for name in re.findall(r"`inspera-sync ([\w-]+)`", row[0])]
    listed = re.findall(r"^[^\w-]*([a-z][a-z-]*)  +[A-Z]", help_of(capsys=capsys), re.MULTILINE)
    assert named == listed == list(NAMES)


def test_every_option_in_a_page_is_one_of_some_command(capsys: pytest.CaptureFixture[str]) -> None:
    helps = help_of(capsys=capsys) + "".join(
        help_of(*words, capsys=capsys)
        for words in (*((name,) for name in NAMES), ("sync",), *_OF_GROUPS)
    )
    texts = "".join(page.read_text(encoding="utf-8") for page in MANUAL)
    prose = re.sub(r"```.*?```", "", texts, flags=re.DOTALL)
    named = set(re.findall(r"`(?!uv |python3 )(?:[^`\n]* )?(--[a-z-]+)", prose))
    assert {"--all", "--allow", "--apidoc", "--data", "--held", "--repair", "--keep"} <= named
    assert named <= set(re.findall(r"--[a-z-]+", helps))


def statuses(table: str) -> list[int]:
    return [int(number) for row in rows(table) for number in re.findall(r"\d+", row[0])]


def test_the_table_has_the_programs_exit_statuses_in_order_of_precedence() -> None:
    listed = statuses(STATUSES.read_text(encoding="utf-8"))
    assert sorted(listed) == sorted(Exit)
    applying = [Exit.INSPERA, Exit.SOURCE, Exit.HELD, Exit.ERRORS]
    names = ["inspera", "source", "held", "row_errors"]
    by_the_program = [worst(**dict.fromkeys(names[at:], True)) for at in range(len(names))]
    assert by_the_program == applying
    assert [status for status in listed if status in applying] == applying
    assert listed == [2, 75, 130, 143, 5, 4, 3, 1, 10, 0]


def test_troubleshooting_covers_every_exit_status_of_an_apply() -> None:
    listed = statuses(section(HELP["troubleshooting"], "What to do at each exit status"))
    assert sorted(listed) == sorted(set(Exit) - {Exit.CHANGES})
