"""The status page of a university, served on loopback and asked for as a browser does."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from html import unescape

import requests
from sync.app import App
from sync.commands.page_desk import PageDesk
from sync.page.access import Access
from sync.page.application import make_pages
from sync.page.guard import Reach
from sync.service.health import Health
from sync.service.http import serve_pages
from sync.service.metrics import Metrics

from .university import University

TOKEN = "merke-for-statussiden-0123456789"


class PageTenant:
    """A university with its page. `clock` is what the log-in measures time by."""

    def __init__(self, university: University) -> None:
        self.university = university
        self.app = App.open(university.write(), lambda _line: None)
        self.health = Health(
            alive=True, unreachable="", migrated=True, role="leader", loaded=datetime.now(UTC)
        )
        self.leads, self.requested, self.clock, self.token = True, list[str](), 0.0, TOKEN
        self.url = ""
        self.browser = requests.Session()

    @contextmanager
    def serving(self, reach: Reach | None = None) -> Iterator["PageTenant"]:
        """Serve the pages inside the block."""
        desk = PageDesk(
            lambda: self.app,
            lambda: self.health,
            lambda: {name: self.university.now() + timedelta(hours=1) for name in self.jobs},
            lambda: "",
            self._request,
        )
        access = Access(lambda: self.token, lambda: self.clock)
        metrics = Metrics(self.university.now)
        pages = make_pages(desk, access, reach or Reach())
        with serve_pages(
            "127.0.0.1:0", lambda: self.health, metrics, pages={"/": pages}
        ) as self.url:
            yield self

    @property
    def jobs(self) -> list[str]:
        return list(self.app.loaded.settings.jobs)

    def _request(self, job: str) -> bool:
        if self.leads:
            self.requested.append(job)
        return self.leads

    def log_in(self) -> None:
        """Log in, as a person does."""
        answer = self.post("/login", token=TOKEN)
        assert answer.status_code == 200, answer.text

    def get(self, path: str, **headers: str) -> requests.Response:
        """Ask for a page, and follow where it leads."""
        return self.browser.get(f"{self.url}{path}", headers=headers, timeout=20)

    def text(self, path: str) -> str:
        """Return the words of a page, without its marks."""
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return words_of(answer.text)

    def post(self, path: str, /, **fields: str | list[str]) -> requests.Response:
        """Send a form to an address."""
        return self.browser.post(f"{self.url}{path}", data=fields, timeout=20)

    def csrf(self) -> str:
        """Return the session's proof, as it is in every form."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.get("/held").text)
        assert found
        return found[1]


def words_of(html: str) -> str:
    """Return the text of a page in one line."""
    body = html.partition("<main")[2] or html
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", body)).split())
