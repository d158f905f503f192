import re
from html.parser import HTMLParser
from typing import Any

import pytest
from sync.sandbox import Sandbox

from .api_client import (
    ASE,
    CANDIDATES,
    COMMITTEES,
    CONTRIBUTORS,
    EXAM,
    OPTIONS,
    ApiClient,
    batch,
    committees,
    learner,
    only_test,
    options,
    plant,
    staff_batch,
)

EVIL = '<script>alert("1")</script>&\''


class Tables(HTMLParser):
    """Reads a page's tables as lists of rows, by caption, and collects its tags and links."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.tags: set[str] = set()
        self.links: list[str] = []
        self._caption, self._in = "", ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag == "caption":
            self._caption = ""
        if tag == "tr" and self._caption:
            self.tables[self._caption].append([])
        if tag in ("td", "th"):
            self.tables[self._caption][-1].append("")
        self._in = tag if tag in ("caption", "td", "th") else self._in

    def handle_endtag(self, tag: str) -> None:
        if tag == "caption":
            self.tables[self._caption] = []
        if tag in ("caption", "td", "th"):
            self._in = ""
        if tag == "table":
            self._caption = ""

    def handle_data(self, data: str) -> None:
        if self._in == "caption":
            self._caption += data
        elif self._in:
            self.tables[self._caption][-1][-1] += data


def read(client: ApiClient, path: str = "") -> Tables:
    answer = client.page("GET", path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    return Tables(answer.text)


def test_the_first_page_counts_what_it_holds_and_links_to_each_test(
    client: ApiClient, sandbox: Sandbox
) -> None:
    plant(sandbox)
    client.post(CANDIDATES, batch("ase@example.edu"))
    page = read(client)
    heads, numbers = page.tables["Contents"]
    assert dict(zip(heads, numbers, strict=True)) == {
        "students": "1",
        "staff": "1",
        "tests": "1",
        "candidates": "1",
        "contributors": "0",
        "committees": "0",
        "options": "0",
        "requests": "2",
    }
    assert [line[0] for line in page.tables["Tests"][1:]] == ["INF1000-H26"]
    assert f"/_sandbox/tests/{only_test(sandbox)['assessmentRunId']}" in page.links
    assert [line[2] for line in page.tables["Learners and staff"][1:]] == [
        "ase@example.edu",
        "berit@example.edu",
    ]


def test_the_last_requests_show_what_became_of_them(client: ApiClient, sandbox: Sandbox) -> None:
    sandbox.control(fail=[{"path": "*/student", "status": 502, "when": "after"}])
    client.post("/v1/users/student", ASE)
    (newest, *_) = read(client).tables["The last 25, newest first"][1:]
    assert newest[2:] == ["POST", "/api/v1/users/student", "502", "yes", "rule"]


def test_failures_show_with_their_meaning_their_rate_and_how_often_they_struck(
    client: ApiClient, sandbox: Sandbox
) -> None:
    sandbox.control(failures={"rates": {"error_503": 1}, "seconds": {"slow": 4}})
    client.ask_token()
    lines = {line[0]: line[1:] for line in read(client).tables["Failures"]}
    assert lines["error_503"] == ["not carried out: 503", "1.0", "–", "1"]
    assert lines["slow"] == ["carried out and answered only after `seconds`", "0", "4.0", "0"]
    assert set(sandbox.control()["failure_counts"]) < set(lines)


def test_the_page_of_a_test_shows_everything_on_it(client: ApiClient, sandbox: Sandbox) -> None:
    plant(sandbox)
    client.post(COMMITTEES, committees("A", "B"))
    client.post(
        OPTIONS, options("securityOptions", LOCKDOWN_BROWSER=True, SEB_SETTINGS_PINCODE="Vinter26")
    )
    client.post(
        CONTRIBUTORS,
        staff_batch("berit@example.edu", roles=["plan", "evaluate"], committeesName=["A"]),
    )
    client.post(CANDIDATES, batch("ase@example.edu", extraTimeMins=30, committeesName=["A", "B"]))
    page = read(client, f"tests/{only_test(sandbox)['assessmentRunId']}").tables
    assert ["securityOptions", "LOCKDOWN_BROWSER", "yes"] in page["Options"]
    assert ["securityOptions", "SEB_SETTINGS_PINCODE", "set, and secret"] in page["Options"]
    assert page["Committees"][1:] == [["A", "GRADING"], ["B", "GRADING"]]
    assert page["Contributors"][1][1:4] == ["berit@example.edu", "evaluate, plan", "A"]
    assert page["Candidates (1)"][1][3:] == ["30", "–", "–", "A, B"]


def test_long_lists_come_in_pages(client: ApiClient, sandbox: Sandbox) -> None:
    for number in range(51):
        sandbox.edit(student=learner(number))
        sandbox.edit(
            test=f"T{number}", title="x", start=EXAM["startTime"], end=EXAM["endTime"], duration=60
        )
        sandbox.edit(candidate={"test": "T0", "username": f"prove{number}@example.edu"})
    first, second = read(client), read(client, "?people=2&tests=2")
    assert [len(first.tables[name]) - 1 for name in ("Tests", "Learners and staff")] == [50, 50]
    assert [line[0] for line in second.tables["Tests"][1:]] == ["T50"]
    assert [line[2] for line in second.tables["Learners and staff"][1:]] == ["prove50@example.edu"]
    assert "/_sandbox/?people=1&tests=2" in first.links
    run_id = sandbox.contents()["tests"][0]["assessmentRunId"]
    assert len(read(client, f"tests/{run_id}").tables["Candidates (51)"]) == 51
    assert len(read(client, f"tests/{run_id}?page=2").tables["Candidates (51)"]) == 2


@pytest.mark.parametrize(
    "query", ["?people=0&tests=-1", "?tests=x", "?tests=" + "9" * 5000, "?tests=3"]
)
def test_a_page_number_that_cannot_be_still_gives_a_page(stranger: ApiClient, query: str) -> None:
    assert "Contents" in read(stranger, query).tables


@pytest.mark.parametrize("run", ["1", "x", "9" * 30])
def test_the_page_of_an_unknown_test_is_not_found(stranger: ApiClient, run: str) -> None:
    assert stranger.page("GET", f"tests/{run}").status_code == 404


def test_whatever_a_record_says_is_text_on_the_page(client: ApiClient, sandbox: Sandbox) -> None:
    names: dict[str, Any] = {"firstName": EVIL, "lastName": EVIL}
    sandbox.edit(
        student={"username": EVIL, "externalIds": [{"authType": EVIL, "externalId": EVIL}], **names}
    )
    sandbox.edit(test=EVIL, title=EVIL, start=EXAM["startTime"], end=EXAM["endTime"], duration=60)
    sandbox.edit(committee={"test": EVIL, "name": EVIL[:50]})
    sandbox.edit(option={"test": EVIL, "option": EVIL, "value": EVIL})
    sandbox.edit(candidate={"test": EVIL, "username": EVIL, "roomName": EVIL})
    client.get(f"/v1/users/{EVIL}")
    for path in ("", f"tests/{only_test(sandbox)['assessmentRunId']}"):
        page = read(client, path)
        assert "script" not in page.tags
        assert any(
            EVIL in cell for table in page.tables.values() for line in table for cell in line
        )


def test_a_page_loads_nothing_and_runs_nothing(client: ApiClient, sandbox: Sandbox) -> None:
    plant(sandbox)
    answer = client.page("GET", "")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert not re.search(r"https?://", answer.text)
    assert all(link.startswith("/") for link in Tables(answer.text).links)
    assert client.page("GET", "../_sandbox").url.endswith("/_sandbox/")
