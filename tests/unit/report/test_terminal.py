"""A report on a terminal: colours and columns there, plain text elsewhere, data never as markup."""

import io
import re
from collections.abc import Iterable
from contextlib import redirect_stdout

import pytest
from sync.records.base import Kind, RowError
from sync.records.changes import Action, Change, PlannedChange, Verdict
from sync.report.plan_text import plan_text, row_errors_text, summary_text
from sync.report.terminal import MOST_ROWS, shown_report
from sync.state.compare.plan_reader import ScopeGroup
from sync.text.characters import escaped

EVIL = "[red]x[/red] \x1b[31mred\x1b[0m \u202e:smile:"
CODE = re.compile(r"\x1b\[[\d;]*m")
KEY = ("INF1000-AUTUMN-2026", "1001001")
WAITING = "waits for `adopt candidate INF1000-AUTUMN-2026 1001001`, said the rule, again and again"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")


def change(
    action: Action,
    key: tuple[str, ...] = KEY,
    verdict: Verdict = Verdict.PASS,
    title: str = "Exam",
) -> PlannedChange:
    asked = Change(
        action, Kind.CANDIDATE, key, {"title": "Old"}, {"title": title}, ("title",), "r.csv line 2"
    )
    return PlannedChange(1, asked, verdict, WAITING, "", "0", 1, None, None)


def report(*changes: PlannedChange) -> Iterable[str]:
    held = [change(Action.REMOVE, ("T", str(number)), Verdict.HELD) for number in range(3)]
    errors = [RowError("r.csv line 3", "minutes", EVIL, "correct it", Kind.CANDIDATE)]
    yield from plan_text(changes, {Verdict.HELD: [ScopeGroup(WAITING, 9, held)]})
    yield from row_errors_text(errors)
    tally = {(Kind.CANDIDATE, Action.CREATE, Verdict.PASS): 1_200}
    yield summary_text(tally, 1, 0, 1)


def printed(*changes: PlannedChange, out: io.StringIO | None = None) -> str:
    out = out or Terminal()
    with redirect_stdout(out), shown_report() as say:
        for line in report(*changes):
            say(line)
    return out.getvalue()


ALL = (change(Action.CREATE), change(Action.UPDATE), change(Action.REMOVE))
PLAIN = "".join(f"{escaped(line)}\n" for line in report(*ALL))


def test_additions_updates_and_removals_have_signs_and_colours() -> None:
    text = printed(*ALL)
    assert "\x1b[32m+" in text
    assert "\x1b[33m~" in text
    assert "\x1b[31m−" in text
    assert re.search(
        r"^  ?create *\n?candidate +1,200$|^candidate +1,200$", CODE.sub("", text), re.M
    )


def test_held_changes_and_errors_are_marked_without_colours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    text = printed(*ALL)
    assert "\x1b" not in text
    assert re.search(r"^! +remove +9 candidates", text, re.M)
    assert re.search(r"^! +r\.csv line 3 +minutes", text, re.M)


@pytest.mark.parametrize(("name", "value"), [("TERM", "dumb"), ("FORCE_COLOR", "")])
def test_a_terminal_that_cannot_or_shall_not_gets_plain_text(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    assert printed(*ALL) == PLAIN


def test_a_pipe_gets_plain_text_unless_colours_are_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    assert printed(*ALL, out=io.StringIO()) == PLAIN
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[32m+" in printed(*ALL, out=io.StringIO())


@pytest.mark.parametrize("width", [60, 200])
def test_markup_and_control_characters_of_sources_are_text(
    monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    text = printed(change(Action.UPDATE, (f"{EVIL}\nforged line", "7"), title=EVIL))
    words = re.sub(r"\s+", " ", CODE.sub("", text))
    assert "\x1b" not in CODE.sub("", text)
    assert text.count("\x1b[31m") == 0
    assert words.count("[red]x[/red] \\u001b[31mred\\u001b[0m \\u202e:smile:") == 3
    assert "\\nforged line / 7" in words


@pytest.mark.parametrize("width", [40, 60, 80])
def test_keys_are_whole_however_narrow_the_terminal_is(
    monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    lines = CODE.sub("", printed(*ALL)).splitlines()
    assert sum(" / ".join(KEY) in line for line in lines) == len(ALL)
    assert any(KEY[0] in line for line in lines if WAITING[:9] not in line)
    assert max(map(len, lines)) <= width


def test_a_key_that_is_longer_than_a_line_is_not_cut() -> None:
    key = "K" * 150
    assert key in printed(change(Action.CREATE, (key,)))


def test_a_long_list_is_shown_before_it_ends() -> None:
    out = Terminal()
    with redirect_stdout(out), shown_report() as say:
        for line in plan_text((change(Action.CREATE) for _ in range(MOST_ROWS)), {}, None):
            say(line)
        assert out.getvalue().count("create") == MOST_ROWS
