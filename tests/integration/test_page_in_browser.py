"""The status page in Chromium: read and used as people do, on a desk and on a phone, and by axe."""

import os
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sync.commands import apply, approve, explain, held, page_desk, pause, status

from ..support.pages import TOKEN, PageTenant
from ..support.servers.chromium import chromium
from ..support.university import OTHER, TEST, University, numbers

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.server

PATHS = (
    "/",
    "/exams",
    "/held",
    "/errors",
    "/sources",
    "/runs",
    "/records?q=100",
    "/records/learner/1001",
)


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
def tenant(browser: "Browser", tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageTenant]:
    """Return a university with a held removal, an error, and an exam that is not complete."""
    university = University(tmp_path_factory.mktemp("page"), Nothing())
    with pytest.MonkeyPatch.context() as patch, university.sandbox:
        for module in (apply, approve, explain, held, page_desk, pause, status):
            patch.setattr(module, "now", university.now)
        university.at("2026-11-30T12:00")
        university.config["jobs"] = {"nightly": {"cron": "15 2 * * *", "zone": "Europe/Oslo"}}
        university.register(TEST, *numbers(1001, 40))
        university.register(OTHER, *numbers(1001, 3))
        university.apply()
        university.registrations.add(f"{OTHER} 9999")
        del university.registrations.rows[10:40]
        university.apply()
        one = PageTenant(university)
        with one.serving():
            yield one


def log_in(browser: "Browser", tenant: PageTenant, **options: Any) -> "Page":
    page = browser.new_page(**options)
    page.goto(f"{tenant.url}/held")
    page.fill("#token", TOKEN)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{tenant.url}/")
    return page


@pytest.mark.parametrize("size", [(1280, 900), (400, 800)])
def test_no_page_is_hard_to_use_is_wider_than_the_screen_or_asks_for_anything_elsewhere(
    browser: "Browser", tenant: PageTenant, size: tuple[int, int], tmp_path: Path
) -> None:
    axe = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    width, height = size
    page = log_in(
        browser, tenant, viewport={"width": width, "height": height}, java_script_enabled=True
    )
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    shots = Path(os.environ.get("SCREENSHOTS", tmp_path))
    page.goto(f"{tenant.url}/held")
    link = page.get_attribute("section.card a[href^='/held/']", "href")
    for number, path in enumerate((*PATHS, link, f"/records/test/{TEST}", "/runs/2", "/nothing")):
        page.goto(f"{tenant.url}{path}")
        page.screenshot(path=shots / f"{width}-{number}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        if number % 2 == (width < 800):  # the marks are the same on both, and axe takes a second
            continue
        page.evaluate(axe)
        found = page.evaluate("axe.run().then(r => r.violations)")
        serious = [
            (one["id"], one["nodes"][0]["html"])
            for one in found
            if one["impact"] in ("serious", "critical")
        ]
        assert serious == [], path
    assert {url.split("/")[2] for url in asked} == {tenant.url.split("/")[2]}
    page.close()


def test_a_held_change_is_found_and_approved_by_keyboard_alone_without_scripts(
    browser: "Browser", tenant: PageTenant
) -> None:
    page = log_in(browser, tenant, java_script_enabled=False)
    page.get_by_role("link", name="Approve or reject them").focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    page.locator("section.card h2 a").first.focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    page.get_by_label("Who are you?").fill("drift")
    page.get_by_label("Why?").fill("the course was moved")
    page.get_by_role("button", name="Approve").focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "Approved: 30 changes" in page.inner_text("main")
    page.close()
    tenant.university.apply()
    assert len(tenant.university.candidates()) == 10
