"""Every page on PostgreSQL, also with a character that it can't store."""

import pytest

from ..support.pages import PageTenant
from ..support.servers.postgres import SUPERUSER, postgres
from ..support.university import TEST, University, numbers

pytestmark = pytest.mark.server


def test_every_page_is_made_on_postgresql(university: University) -> None:
    university.at("2026-11-27T08:00")
    university.config["jobs"] = {"nightly": {"cron": "15 2 * * *", "zone": "Europe/Oslo"}}
    university.register(TEST, *numbers(1001, 40))
    with postgres() as server:
        server.create_database("page", icu="nb-NO")
        url = server.url("page").replace("://", f"://{SUPERUSER}@")
        university.config["state"] = url
        assert university.run("apply", "--all").status == 0
        del university.registrations.rows[10:]
        university.run("apply", "--all")
        with PageTenant(university).serving() as page:
            page.log_in()
            hold = page.get("/held").text.split('href="/held/')[1].split('"')[0]
            paths = ["/", "/exams", "/held", f"/held/{hold}", "/errors", "/sources", "/runs"]
            paths += ["/runs/1", "/runs?before=2", "/records/learner/1001", f"/records/test/{TEST}"]
            paths += [f"/records/candidate/{TEST}/1001"]
            paths += [f"/records?q={words}" for words in ("1001", "s10", "testd", "skriftlig")]
            for path in paths:
                assert page.get(path).status_code == 200, path
            assert page.get("/records?q=s1002").url.endswith("/records/learner/1002")
            assert "learner 1003" in page.text("/records?q=s100")
            for path in ("/records?q=a%00b", "/records/learner/a%00", "/held/a%00"):
                assert page.get(path).status_code == 404, path
            decided = page.post(
                f"/held/{hold}/decide",
                csrf=page.csrf(),
                verdict="approve",
                scope="all",
                person="a\0b",
                why="w\0y",
            )
            assert decided.status_code == 400, decided.text
            for path, reason in (("/pause", "w\0y"), ("/resume", "")):
                answer = page.post(path, csrf=page.csrf(), person="a\0b", why=reason)
                assert answer.status_code == 400, path
