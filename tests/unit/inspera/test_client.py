"""The HTTP client: what it ignores, does not follow or read, and its errors for addresses."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from sync.errors import Stop, Unknown
from sync.inspera.client import MAX_BODY
from sync.inspera.connection import Connection
from sync.inspera.target import InsperaTarget
from sync.records.changes import Result
from sync.records.remote import Assignment

from .conftest import MakeTarget
from .http_tenant import CERTIFICATE, HttpTenant, serving
from .made_up import LEARNER, SAVE_LEARNER
from .waiting import Time


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture
def tls_address(tenant: HttpTenant) -> Iterator[str]:
    with serving(tenant, tls=True) as url:
        yield url


def test_proxy_variables_and_a_netrc_of_the_process_are_not_obeyed(
    make_target: MakeTarget,
    tenant: HttpTenant,
    closed_port: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login someone password made-up\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "no-such.pem"))
    for name in (
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
    ):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert make_target().save_learner(LEARNER, None).result is Result.DONE
    assert tenant.calls(*SAVE_LEARNER)[0].headers["Authorization"] == "Bearer token-1"


def test_a_proxy_that_is_set_is_used(
    make_target: MakeTarget, address: str, tenant: HttpTenant
) -> None:
    target = make_target(url="http://made-up-tenant.example.edu", proxy=address)
    assert target.save_learner(LEARNER, None).result is Result.DONE
    assert tenant.seen[0].headers["Host"] == "made-up-tenant.example.edu"


def test_a_proxy_that_does_not_answer_is_distinguished(
    make_target: MakeTarget, closed_port: int, tenant: HttpTenant
) -> None:
    outcome = make_target(
        proxy=f"http://someone:made-up-password@127.0.0.1:{closed_port}"
    ).save_learner(LEARNER, None)
    assert outcome.result is Result.NOT_SENT
    assert "inspera.proxy" in outcome.message
    assert "made-up-password" not in outcome.message
    assert tenant.seen == []


def test_a_proxy_that_wants_a_login_ends_the_run(target: InsperaTarget, tenant: HttpTenant) -> None:
    tenant.every("POST", "/authenticate/token/", 407)
    with pytest.raises(Stop, match=r"put them into inspera\.proxy"):
        target.read_test("7")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_never_followed_and_names_the_setting(
    target: InsperaTarget, tenant: HttpTenant, status: int
) -> None:
    tenant.once(
        *SAVE_LEARNER, status, headers={"Location": "https://login.example.edu/sso?state=made-up"}
    )
    with pytest.raises(
        Stop, match=r"inspera\.url: .*redirect \(\d+\) to https://login\.example\.edu; set"
    ) as caught:
        target.save_learner(LEARNER, None)
    assert "state=" not in str(caught.value)
    assert len(tenant.calls()) == 1


def test_an_answer_beyond_eight_megabytes_is_not_read(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    number = tenant.add_test("INF101")
    tenant.every("GET", f"/v1/test/{number}/candidates", 200, b"[" + b" " * MAX_BODY + b"]")
    with pytest.raises(Unknown, match="longer than 8 MB"):
        target.members(number)


def test_an_answer_of_nearly_eight_megabytes_is_read(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    number = tenant.add_test("INF101")
    content = b'{"candidates": []' + b" " * (MAX_BODY - 18) + b"}"
    tenant.every("GET", f"/v1/test/{number}/candidates", 200, content)
    assert target.members(number).readable


def test_cookies_are_not_kept(target: InsperaTarget, tenant: HttpTenant) -> None:
    tenant.once("GET", "/v1/test/7", 404, headers={"Set-Cookie": "session=made-up; Path=/"})
    target.read_test("7")
    target.read_test("7")
    assert all("Cookie" not in seen.headers for seen in tenant.seen)


def test_an_inspera_that_cannot_be_reached_means_not_sent(
    make_target: MakeTarget, closed_port: int
) -> None:
    outcome = make_target(url=f"http://127.0.0.1:{closed_port}").save_learner(LEARNER, None)
    assert outcome.result is Result.NOT_SENT
    assert (
        f"cannot be reached at http://127.0.0.1:{closed_port}: the server refuses"
        in outcome.message
    )


def test_a_name_that_does_not_exist_means_not_sent(
    make_target: MakeTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_such_name(*args: Any, **kwargs: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_such_name)
    outcome = make_target(url="https://no-such-tenant.example.edu").save_learner(LEARNER, None)
    assert outcome.result is Result.NOT_SENT
    assert "finds no address for that name; check inspera.url" in outcome.message


def test_an_inspera_that_stays_out_of_reach_ends_the_run(
    make_target: MakeTarget, closed_port: int
) -> None:
    target = make_target(url=f"http://127.0.0.1:{closed_port}")
    assert [target.save_learner(LEARNER, None).result for _ in range(3)] == [Result.NOT_SENT] * 3
    with pytest.raises(Stop, match=r"cannot be reached at .* 12 times in a row"):
        target.save_learner(LEARNER, None)


def test_an_answer_in_between_starts_the_count_anew(
    make_target: MakeTarget, tenant: HttpTenant
) -> None:
    target = make_target(attempts=1, workers=1)
    for _ in range(5):
        tenant.once(*SAVE_LEARNER, 503, times=3)
        assert [target.save_learner(LEARNER, None).result for _ in range(3)] == [Result.UNKNOWN] * 3
        assert target.save_learner(LEARNER, None).result is Result.DONE


def test_a_certificate_that_is_not_trusted_ends_the_run_and_names_the_setting(
    make_target: MakeTarget, tls_address: str, tenant: HttpTenant
) -> None:
    with pytest.raises(
        Stop, match=r"certificate of https://127\.0\.0\.1:\d+ is not trusted .*inspera\.ca_bundle"
    ):
        make_target(url=tls_address).save_learner(LEARNER, None)
    assert tenant.seen == []


def test_a_ca_bundle_makes_the_institutions_own_certificate_trusted(
    make_target: MakeTarget, tls_address: str
) -> None:
    target = make_target(url=tls_address, ca_bundle=str(CERTIFICATE))
    assert target.save_learner(LEARNER, None).result is Result.DONE


class Noted:
    """An observer that keeps the ends of certificates."""

    def __init__(self) -> None:
        self.ends: list[datetime] = []

    def call(self, name: str, status: str, seconds: float) -> None:
        """Ignore calls."""

    def in_flight(self, now: int, allowed: int) -> None:
        """Ignore limits."""

    def certificate(self, ends: datetime) -> None:
        self.ends.append(ends)


def test_the_authorities_of_the_machine_are_trusted_and_the_end_of_the_certificate_is_noted_once(
    make_target: MakeTarget, tenant: HttpTenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ca, noted = trustme.CA(), Noted()
    ca.cert_pem.write_to_path(str(tmp_path / "system.pem"))
    # OpenSSL's own variable for where the machine's authorities are.
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "system.pem"))
    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)
    with serving(tenant, tls=ca.issue_cert("127.0.0.1", not_after=ends)) as url:
        target = make_target(url=url, observer=noted)
        for _ in range(2):
            assert target.save_learner(LEARNER, None).result is Result.DONE
    assert noted.ends == [ends]


def test_a_certificate_for_another_name_is_not_trusted(
    make_target: MakeTarget, tls_address: str
) -> None:
    elsewhere = tls_address.replace("127.0.0.1", "localhost")
    with pytest.raises(Stop, match=r"is issued for another name .*inspera\.url"):
        make_target(url=elsewhere, ca_bundle=str(CERTIFICATE)).save_learner(LEARNER, None)


@pytest.mark.parametrize(
    ("begins", "ends", "said"), [(-9, -1, "has expired"), (1, 9, "is not valid yet")]
)
def test_a_certificate_outside_its_time_says_so_and_names_the_clock(
    make_target: MakeTarget, tenant: HttpTenant, tmp_path: Path, begins: int, ends: int, said: str
) -> None:
    ca, now = trustme.CA(), datetime.now(UTC)
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    first, last = now + timedelta(days=begins), now + timedelta(days=ends)
    certificate = ca.issue_cert("127.0.0.1", not_before=first, not_after=last)
    with (
        serving(tenant, tls=certificate) as url,
        pytest.raises(Stop, match=f"{said}.*clock is wrong"),
    ):
        make_target(url=url, ca_bundle=str(tmp_path / "ca.pem")).save_learner(LEARNER, None)


@pytest.mark.parametrize("content", [None, "not a certificate\n"])
def test_a_ca_bundle_that_cannot_be_used_ends_the_run(
    make_target: MakeTarget, tls_address: str, tmp_path: Path, content: str | None
) -> None:
    bundle = tmp_path / "ca.pem"
    if content is not None:
        bundle.write_text(content)
    with pytest.raises(Stop, match=r"inspera\.ca_bundle"):
        make_target(url=tls_address, ca_bundle=str(bundle)).save_learner(LEARNER, None)


def test_a_plain_address_spoken_to_with_tls_ends_the_run(
    make_target: MakeTarget, address: str
) -> None:
    with pytest.raises(Stop, match="no secure connection can be made"):
        make_target(url=address.replace("http:", "https:")).save_learner(LEARNER, None)


@pytest.mark.parametrize(
    "url", ["made-up.example.edu", "ftp://made-up.example.edu", "https://", "http://[::1"]
)
def test_an_address_that_is_none_ends_the_run(make_target: MakeTarget, url: str) -> None:
    with pytest.raises(Stop, match=r"inspera\.url: not a usable address"):
        make_target(url=url).save_learner(LEARNER, None)


@pytest.mark.parametrize("end", ["", "/", "/api", "/api/"])
def test_the_address_may_be_given_with_or_without_its_end(
    make_target: MakeTarget, address: str, end: str
) -> None:
    assert make_target(url=address + end).save_learner(LEARNER, None).result is Result.DONE


@pytest.mark.parametrize(
    "wrong",
    [
        {"calls_per_second": 0},
        {"workers": 0},
        {"batch_size": 0},
        {"attempts": 0},
        {"read_timeout": 0},
        {"read_after_write_delay": -1},
        {"url": "https://someone:made-up@example.edu"},
    ],
)
def test_a_connection_that_makes_no_sense_is_not_made(
    connection: Connection, wrong: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="must"):
        replace(connection, **wrong)


def test_calls_keep_to_the_budget_the_tokens_included(
    make_target: MakeTarget, tenant: HttpTenant, time: Time
) -> None:
    target = make_target(calls_per_second=5)
    for _ in range(10):
        target.save_learner(LEARNER, None)
    assert len(tenant.seen) == 11
    assert time.passed == pytest.approx(2.0)


def test_a_call_in_flight_finishes_when_the_run_is_being_ended(
    target: InsperaTarget, tenant: HttpTenant, stop: threading.Event
) -> None:
    def stop_meanwhile(external_id: str) -> bool:
        stop.set()
        return False

    number = tenant.add_test("INF101")
    tenant.refuse_seat = stop_meanwhile
    seats = [Assignment("FEIDE", "4711"), Assignment("LTI", "4712")]
    assert [outcome.result for outcome in target.assign(number, seats)] == [
        Result.DONE,
        Result.NOT_SENT,
    ]
    assert tenant.seats[number] == {("FEIDE", "4711"): {"externalId": "4711"}}
