"""The HTML report in Chromium: figures, search, sorting, print, small screens, and no network."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sync.commands import apply, report

from ..support import reported
from ..support.reported import LAW, LONG, RTL
from ..support.servers.chromium import chromium
from ..support.university import University

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.server


class Nothing:
    """A capture of nothing: the output is not looked at."""

    out = err = ""

    def readouterr(self) -> "Nothing":
        return self


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def file(browser: "Browser", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return the report of a plan, which all tests read."""
    university = University(tmp_path_factory.mktemp("reported"), Nothing())
    with pytest.MonkeyPatch.context() as patch, university.sandbox:
        for module in (apply, report):
            patch.setattr(module, "now", university.now)
        reported.begin(university)
        reported.change(university)
        path = university.folder / "report.html"
        assert university.run("report", "--html", str(path)).status == 0
        yield path


@dataclass
class Opened:
    """A page with all that it asked for and complained about."""

    page: "Page"
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def rows(self, within: str = "") -> int:
        """Return how many rows of its tables are seen."""
        return self.page.locator(f"{within} tr.item:visible").count()

    def search(self, words: str) -> str:
        """Search, and return what the page says about the result."""
        self.page.fill("#search", words)
        self.page.wait_for_timeout(250)  # it waits for the end of typing
        return self.page.inner_text("#found")


def opened(browser: "Browser", file: Path, **options: Any) -> Opened:
    page = browser.new_page(**options)
    seen = Opened(page)
    page.on("request", lambda request: seen.requests.append(request.url))
    page.on("console", lambda message: seen.errors.append(message.text))
    page.on("pageerror", lambda error: seen.errors.append(str(error)))
    page.goto(file.as_uri())
    return seen


@pytest.fixture
def wide(browser: "Browser", file: Path) -> Iterator[Opened]:
    seen = opened(browser, file, viewport={"width": 1280, "height": 900})
    yield seen
    assert seen.requests == [file.as_uri()]
    assert seen.errors == []
    seen.page.close()


def test_totals_are_right_and_held_comes_first(wide: Opened) -> None:
    totals = [text.split() for text in wide.page.locator(".totals a").all_inner_texts()]
    assert totals == [
        ["10", "held"],
        ["3", "errors"],
        ["0", "waiting"],
        ["0", "deferred"],
        ["18", "changes"],
    ]
    sections = wide.page.locator("main > section.part")
    assert sections.first.get_attribute("id") == "held"
    assert [wide.rows(f"#{name}") for _, name in totals] == [10, 3, 0, 0, 18]
    assert "Nothing of it has been sent" in wide.page.inner_text("header")


def test_text_of_a_source_is_text_and_not_markup(wide: Opened) -> None:
    assert LONG in wide.page.inner_text("#changes")
    assert wide.page.locator("#changes bdi", has_text=RTL).first.is_visible()
    assert "Per & <Kari> Ødegård-Ærlig" in wide.page.inner_text("#changes")
    assert wide.page.locator("script").count() == 1
    assert wide.page.locator("tr.item b, tr.item script").count() == 0


def test_both_values_of_a_change_are_shown_in_local_time_and_utc(wide: Opened) -> None:
    row = wide.page.locator("#held tr.item", has_text="MAT1100-H26")
    assert "2026-12-02 09:00 (08:00 UTC)" in row.locator("del").first.inner_text()
    assert "2027-12-02 09:00 (08:00 UTC)" in row.locator("ins").first.inner_text()


def test_the_search_finds_rows_in_all_tables_by_words_in_any_order(wide: Opened) -> None:
    assert wide.rows() == 31
    assert wide.search("nygård 1010") == "2 of 31 rows"
    assert wide.rows() == 2
    assert wide.search("limit: 9 of 12") == "9 of 31 rows"
    assert wide.search("nobody at all") == "0 of 31 rows"
    assert wide.page.locator("details.group:visible").count() == 0
    assert wide.search("") == ""
    assert wide.rows() == 31


def test_a_table_is_sorted_by_any_column_with_the_keyboard(wide: Opened) -> None:
    table = wide.page.locator("#changes details.group", has_text="Candidates").locator("table")
    head = table.locator("th", has_text="Who or what")
    head.locator("button").focus()
    wide.page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    names = table.locator("tr.item td:nth-child(2)").all_inner_texts()
    wide.page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert table.locator("tr.item td:nth-child(2)").all_inner_texts() == names[::-1]
    assert names[0].startswith("Bjørn")


def test_print_has_everything_and_no_controls(wide: Opened) -> None:
    wide.search(LAW)
    wide.page.locator("#changes summary").first.click()
    assert wide.rows() < 31
    wide.page.emulate_media(media="print")
    wide.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert wide.rows() == 31
    assert not wide.page.locator("#controls").is_visible()
    assert wide.page.locator("table.small").first.is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_small_screen_needs_no_scrolling_sideways(
    browser: "Browser", file: Path, scheme: Any
) -> None:
    seen = opened(browser, file, viewport={"width": 400, "height": 800}, color_scheme=scheme)
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= 400
    assert seen.rows() == 31
    assert seen.page.locator("table.items[role=table] td[role=cell]").count() > 31
    seen.page.close()


def test_without_a_script_everything_is_readable(browser: "Browser", file: Path) -> None:
    seen = opened(browser, file, java_script_enabled=False)
    assert seen.rows() == 31
    assert not seen.page.locator("#controls").is_visible()
    seen.page.close()


def test_the_policy_stops_every_other_script_style_and_request(wide: Opened) -> None:
    wide.page.evaluate(
        "() => { const one = document.createElement('script');"
        " one.textContent = 'window.foreign = 1'; document.body.append(one); }"
    )
    assert wide.page.evaluate("window.foreign") is None
    wide.page.evaluate("fetch('https://example.edu/').catch(() => 0)")
    assert all("Content Security Policy" in error for error in wide.errors), wide.errors
    assert wide.errors
    wide.errors.clear()
