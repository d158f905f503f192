"""The man page has every command, option and exit status of the program."""

import re

import pytest
from sync.cli import run
from sync.exit_codes import Exit


@pytest.fixture
def page(capsys: pytest.CaptureFixture[str]) -> str:
    assert run(["help", "man"]) == Exit.OK
    return capsys.readouterr().out


def test_every_command_has_a_section_with_each_of_its_options(
    page: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sections = dict(re.findall(r"^\.SS ([a-z ]*[a-z])\b(.*?)(?=^\.S[SH] )", page, re.M | re.S))
    assert {"init", "plan", "apply", "serve", "help", "state rebind"} <= sections.keys()
    assert "sync" not in sections
    for command, text in sections.items():
        run([*command.split(), "--help"])
        options = set(re.findall(r"(?<![\w`-])--[a-z][a-z-]*", capsys.readouterr().out))
        shown = {name.replace("\\-", "-") for name in re.findall(r"\\-\\-[a-z\\-]+", text)}
        assert options - shown == set(), command


def test_it_has_the_exit_statuses_files_and_the_environment(page: str) -> None:
    listed = re.search(r"^\.SH EXIT STATUS\n(.*?)^\.SH ", page, re.M | re.S)
    assert listed
    assert {int(each) for each in re.findall(r"^\.B (\d+)$", listed[1], re.M)} == set(Exit)
    assert "INSPERA_SYNC_CONFIG" in page
    assert "/etc/inspera\\-sync/inspera\\-sync.yaml" in page


def test_no_line_of_text_is_taken_for_a_request(page: str) -> None:
    begun = {line.split()[0] for line in page.splitlines() if line.startswith((".", "'"))}
    assert begun <= {".TH", ".SH", ".SS", ".TP", ".PP", ".B", ".br"}
