"""What the status page refuses: without a token, forged, oversized, slow, or of another address."""

import contextlib
import http.client
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
import requests
from sync.commands.serve import ServiceMonitor
from sync.errors import UsageError
from sync.page.guard import LARGEST, Reach
from sync.service import http as web

from ..support.pages import TOKEN, PageTenant
from ..support.university import TEST, University

GETS = ("/", "/exams", "/held", "/held/abc", "/errors", "/sources", "/runs", "/runs/1", "/records")
POSTS = ("/held/abc/decide", "/pause", "/resume", "/jobs/nightly/run", "/explain/learner/1001")


@pytest.fixture
def page(university: University) -> Iterator[PageTenant]:
    university.register(TEST, "1001")
    university.apply_once()
    with PageTenant(university).serving() as one:
        yield one


def raw(
    page: PageTenant, method: str, path: str, body: str = "", **headers: str
) -> tuple[int, str]:
    """Send a request just so, with the session's cookie."""
    host = page.url.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=20)
    cookie = "; ".join(f"{one.name}={one.value}" for one in page.browser.cookies)
    sent = {"Cookie": cookie, "Host": host, "Content-Type": "application/x-www-form-urlencoded"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, sent)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


@pytest.mark.parametrize("path", GETS)
def test_without_a_token_a_page_only_leads_to_the_log_in(page: PageTenant, path: str) -> None:
    answer = page.get(path)
    assert answer.url.endswith("/login")
    assert "1001" not in answer.text


@pytest.mark.parametrize("path", POSTS)
def test_without_a_token_nothing_is_done(page: PageTenant, path: str) -> None:
    assert page.post(path, csrf="x", person="x", why="x").status_code == 401
    assert page.requested == []
    assert page.app.state.paused() is None


def test_health_needs_no_token(page: PageTenant) -> None:
    assert page.get("/healthz").status_code == 200
    assert page.get("/readyz").status_code == 200


def test_a_form_needs_the_proof_of_its_session(page: PageTenant) -> None:
    page.log_in()
    for proof in ({}, {"csrf": ""}, {"csrf": "made up"}):
        assert page.post("/pause", person="x", why="x", **proof).status_code == 403
    assert page.app.state.paused() is None


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
def test_a_form_of_another_site_is_refused(page: PageTenant, headers: dict[str, str]) -> None:
    page.log_in()
    form = urlencode({"csrf": page.csrf(), "person": "x", "why": "x"})
    assert raw(page, "POST", "/pause", form, **headers)[0] == 403
    assert page.app.state.paused() is None


def test_a_name_that_someone_else_points_at_this_machine_is_refused(page: PageTenant) -> None:
    page.log_in()
    assert raw(page, "GET", "/", Host="evil.example")[0] == 421
    assert raw(page, "GET", "/login", Host="evil.example")[0] == 421


@pytest.mark.parametrize("path", ["/", "/page.css", "/login", "/nothing"])
def test_a_host_that_can_not_be_read_is_refused(page: PageTenant, path: str) -> None:
    status, text = raw(page, "GET", path, Host="[evil")
    assert status == (404 if path == "/nothing" else 400)
    assert "Traceback" not in text


@pytest.mark.parametrize(
    "path",
    [
        "/..%2f..%2fetc%2fpasswd",
        "/page.css/../../etc/passwd",
        "/templates/base.html",
        "/records/learner/..%2f..",
        "/records/other/1001",
        "/records/learner/",
        "/records/candidate/1001",
        "/runs/99999999999999999999999",
        "/runs/-1",
        "/held/%00",
    ],
)
def test_odd_addresses_are_refused_in_plain_words(page: PageTenant, path: str) -> None:
    page.log_in()
    status, text = raw(page, "GET", path)
    assert status in (200, 404, 409, 410)
    assert "root:" not in text
    assert "Traceback" not in text


def test_a_form_that_is_too_large_or_none_is_refused(page: PageTenant) -> None:
    page.log_in()
    assert raw(page, "POST", "/pause", "a=" + "b" * (LARGEST + 1))[0] == 413
    assert raw(page, "POST", "/pause", "{}", Content_Type="application/json")[0] == 415
    assert raw(page, "POST", "/pause", "&".join(f"a{n}=1" for n in range(5_000)))[0] == 400
    assert raw(page, "POST", "/pause", "a=%ff")[0] == 400
    assert raw(page, "POST", "/pause", "a=%00")[0] == 400
    assert page.app.state.paused() is None


def test_wrong_tokens_are_counted_by_log_in_and_by_header_alike(page: PageTenant) -> None:
    for _ in range(3):
        assert page.post("/login", token="wrong").status_code == 401
    for _ in range(2):
        assert page.get("/", Authorization="Bearer wrong").status_code == 401
    refused = page.post("/login", token=TOKEN)
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    page.clock += 61
    page.log_in()


def test_logging_out_ends_the_session(page: PageTenant) -> None:
    page.log_in()
    page.post("/logout", csrf=page.csrf())
    assert page.get("/").url.endswith("/login")


def test_every_answer_forbids_scripts_frames_and_storing(page: PageTenant) -> None:
    page.log_in()
    for path in ("/", "/login", "/nothing", "/page.css", "/held"):
        headers = page.get(path).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "script-src" not in headers["Content-Security-Policy"]
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Frame-Options"] == "DENY"


def test_the_cookie_is_for_this_site_alone_and_not_for_scripts(page: PageTenant) -> None:
    answer = page.browser.post(
        f"{page.url}/login", data={"token": TOKEN}, allow_redirects=False, timeout=20
    )
    cookie = answer.headers["Set-Cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


def test_behind_a_proxy_the_cookie_is_secure_and_forms_come_from_the_proxy(
    university: University,
) -> None:
    university.register(TEST, "1001")
    university.apply_once()
    one = PageTenant(university)
    with one.serving(Reach(proxy="https://exams.example.edu")):
        answer = one.browser.post(
            f"{one.url}/login",
            data={"token": TOKEN},
            headers={"Host": "exams.example.edu", "Origin": "https://exams.example.edu"},
            allow_redirects=False,
            timeout=20,
        )
        assert answer.status_code == 303
        cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith("__Host-")
        assert "Secure" in cookie
        forged = requests.post(
            f"{one.url}/login",
            data={"token": TOKEN},
            headers={"Host": "exams.example.edu", "Origin": "https://evil.example"},
            timeout=20,
        )
        assert forged.status_code == 403


def test_a_client_that_sends_nothing_loses_its_place(
    page: PageTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "_PATIENCE", 0.2)
    host, port = page.url.removeprefix("http://").split(":")
    began = time.monotonic()
    with socket.create_connection((host, int(port)), timeout=10) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: ")
        assert slow.recv(1) == b""
    assert time.monotonic() - began < 10
    assert page.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    "more", [b"G", b"GET /healthz HTTP/1.1\r\nHost: "], ids=["a letter", "half a head"]
)
def test_a_client_that_is_slow_with_its_second_request_loses_its_place(
    page: PageTenant, monkeypatch: pytest.MonkeyPatch, more: bytes
) -> None:
    monkeypatch.setattr(web, "_PATIENCE", 0.2)
    host, port = page.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as slow:
        slow.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert slow.recv(10_000).startswith(b"HTTP/1.1 200")
        slow.sendall(more)
        while slow.recv(10_000):  # the rest of the first answer
            pass


def test_a_connection_may_wait_between_its_requests(
    page: PageTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "_PATIENCE", 0.1)
    host, port = page.url.removeprefix("http://").split(":")
    ask = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with socket.create_connection((host, int(port)), timeout=5) as one:
        for _ in range(3):
            one.sendall(ask)
            assert one.recv(10_000).startswith(b"HTTP/1.1 200")
            one.settimeout(0.3)
            with contextlib.suppress(TimeoutError):
                assert one.recv(10_000) != b""  # the rest of the answer, and then nothing
            one.settimeout(5)


@pytest.mark.parametrize("value", ["short", "x" * 19])
def test_a_token_that_can_be_guessed_is_refused_at_the_start(
    university: University, value: str
) -> None:
    (university.folder / "page-token").write_text(value)
    university.config["jobs"] = {"nightly": {"cron": "15 2 * * *", "zone": "Europe/Oslo"}}
    page = {"token": "${file:page-token}"}
    university.config["service"] = {"listen": "127.0.0.1:9464", "page": page}
    with pytest.raises(UsageError) as refused:
        ServiceMonitor(university.write())
    assert "service.page.token: has fewer than 20 characters" in str(refused.value)
    assert value not in str(refused.value)
