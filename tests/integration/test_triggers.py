"""Jobs that start on request: `run-now`, `POST /trigger/JOB`, and what watches a source."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from sync.app import App
from sync.commands.serve import ServiceMonitor
from sync.errors import UsageError
from sync.page.access import Access
from sync.page.guard import Reach
from sync.page.triggers import make_triggers
from sync.service.http import serve_pages

from ..support.pages import PageTenant
from ..support.servers.postgres import SUPERUSER, postgres
from ..support.university import TEST, University

TOKEN = "merke-for-utloesere-0123456789"


@pytest.fixture
def university(university: University) -> University:
    university.config["jobs"] = {"nightly": {"cron": "15 2 * * *", "zone": "Europe/Oslo"}}
    return university


def test_run_now_reaches_the_service_through_the_state_once(university: University) -> None:
    university.register(TEST, "1001")
    university.apply_once()
    assert university.run("run-now", "nightly").status == 0
    state = App.open(university.write(), lambda _line: None).state
    assert state.take_requested() == ["nightly"]
    assert state.take_requested() == []


def test_run_now_of_an_unknown_job_names_the_jobs(university: University) -> None:
    ran = university.run("run-now", "hourly")
    assert ran.status == 2
    assert "hourly: the configuration has no such job; the jobs are nightly" in ran.err


@pytest.fixture
def url(university: University) -> Iterator[tuple[str, list[str]]]:
    page = PageTenant(university)
    started: list[str] = []

    def run_now(job: str) -> None:
        if job != "nightly":
            raise UsageError(f"{job}: the configuration has no such job")
        started.append(job)

    triggers = make_triggers(run_now, Access(lambda: TOKEN), Reach())
    with serve_pages(
        "127.0.0.1:0", lambda: page.health, _Nothing(), pages={"/trigger": triggers}
    ) as address:
        yield address, started


class _Nothing:
    def expose(self) -> bytes:
        return b""


def ask(url: str, path: str, token: str | None, method: str = "POST") -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    return requests.request(method, f"{url}{path}", headers=headers, timeout=20)


def test_a_trigger_starts_its_job(url: tuple[str, list[str]]) -> None:
    address, started = url
    answer = ask(address, "/trigger/nightly", TOKEN)
    assert (answer.status_code, answer.json()) == (202, {"job": "nightly", "requested": True})
    assert started == ["nightly"]


@pytest.mark.parametrize(
    ("path", "token", "method", "status"),
    [
        ("/trigger/nightly", None, "POST", 401),
        ("/trigger/nightly", "wrong", "POST", 401),
        ("/trigger/nightly", TOKEN, "GET", 405),
        ("/trigger/hourly", TOKEN, "POST", 409),
        ("/trigger/nightly/more", TOKEN, "POST", 404),
    ],
)
def test_other_requests_start_nothing(
    url: tuple[str, list[str]], path: str, token: str | None, method: str, status: int
) -> None:
    address, started = url
    assert ask(address, path, token, method).status_code == status
    assert started == []


def test_wrong_tokens_are_limited(url: tuple[str, list[str]]) -> None:
    address, started = url
    for _ in range(5):
        ask(address, "/trigger/nightly", "wrong")
    assert ask(address, "/trigger/nightly", TOKEN).status_code == 429
    assert started == []


@pytest.mark.parametrize(
    ("watch", "source", "said"),
    [
        (["nothing"], {}, "jobs.nightly.watch[1]: is not a source; the sources are"),
        (["students"], {}, "is a source that can't tell when a delivery is complete; set its"),
    ],
)
def test_a_job_can_only_watch_what_tells_when_it_is_complete(
    university: University, watch: list[str], source: dict[str, str], said: str
) -> None:
    university.config["jobs"]["nightly"]["watch"] = watch
    university.config["sources"]["students"] |= source
    ran = university.run("check")
    assert ran.status == 2
    assert said in ran.err


def test_the_service_watches_the_sources_of_its_jobs(university: University) -> None:
    university.config["jobs"]["nightly"]["watch"] = ["students"]
    university.config["sources"]["students"]["moved_into_place"] = True
    (watched,) = ServiceMonitor(university.write()).load().watched
    assert (watched.name, list(watched.jobs)) == ("students", ["nightly"])
    assert watched.watcher.is_new()
    assert not watched.watcher.is_new()
    file = Path(university.folder / university.config["sources"]["students"]["path"])
    file.with_name("next").write_bytes(file.read_bytes())
    file.with_name("next").rename(file)
    assert watched.watcher.is_new()


@pytest.mark.server
def test_a_notification_of_postgresql_is_new_once_and_a_lost_connection_looks_again(
    university: University,
) -> None:
    import psycopg

    with postgres() as server:
        _listen(university, server.url(), psycopg.connect)


def _listen(university: University, url: str, connect: Any) -> None:
    university.config["sources"]["sis"] = {
        "type": "sql", "url": url, "user": SUPERUSER, "query": "SELECT 1 AS a", "listen": "sis_changed",
    }  # fmt: skip
    university.config["jobs"]["nightly"]["watch"] = ["sis"]
    source = App.open(university.write(), lambda _line: None).loaded.settings.sources["sis"]
    watcher = source.watcher(university.folder)
    assert watcher
    assert watcher.is_new()
    assert not watcher.is_new()
    with connect(url, user=SUPERUSER, autocommit=True) as other:
        other.execute("NOTIFY other")
        assert not watcher.is_new()
        other.execute("NOTIFY sis_changed")
        assert watcher.is_new()
        assert not watcher.is_new()
    watcher.close()
    assert watcher.is_new()
    watcher.close()
