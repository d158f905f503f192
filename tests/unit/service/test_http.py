"""The pages of health, asked for over real HTTP."""

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple

import pytest
from sync.config_base.addresses import address_and_port
from sync.errors import UsageError
from sync.service.health import Health
from sync.service.http import serve_pages
from sync.service.metrics import Metrics

from ...support.servers.needed import free_port

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
WELL = Health(alive=True, unreachable="", migrated=True, role="leader", loaded=NOON)


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class Service:
    def __init__(self) -> None:
        self.health = WELL
        self.metrics = Metrics(lambda: NOON)
        self.address = ""

    def ask(self, path: str, method: str = "GET") -> Answer:
        with closing(self.address) as connection:
            connection.request(method, path)
            answer = connection.getresponse()
            return Answer(
                answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
            )


@contextmanager
def closing(address: str) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=10)
    try:
        yield connection
    finally:
        connection.close()


@pytest.fixture
def service() -> Iterator[Service]:
    one = Service()
    with serve_pages("127.0.0.1:0", lambda: one.health, one.metrics) as one.address:
        yield one


def test_healthz_follows_the_loop(service: Service) -> None:
    assert service.ask("/healthz").status == 200
    service.health = replace(WELL, alive=False)
    answer = service.ask("/healthz")
    assert (answer.status, json.loads(answer.body)) == (503, {"alive": False})


def test_healthz_does_not_mind_a_state_out_of_reach_and_readyz_does(service: Service) -> None:
    service.health = replace(WELL, unreachable="the database refused the connection", role=None)
    assert service.ask("/healthz").status == 200
    answer = service.ask("/readyz")
    assert answer.status == 503
    assert json.loads(answer.body) == service.health.document()


def test_readyz_is_well_for_leader_and_standby(service: Service) -> None:
    assert service.ask("/readyz").status == 200
    service.health = replace(WELL, role="standby")
    answer = service.ask("/readyz")
    assert (answer.status, json.loads(answer.body)["role"]) == (200, "standby")


def test_metrics_are_as_they_are_now(service: Service) -> None:
    service.metrics.overlapped("nightly")
    answer = service.ask("/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert b'inspera_sync_overlaps_total{job="nightly"} 1.0' in answer.body
    service.metrics.overlapped("nightly")
    assert b'inspera_sync_overlaps_total{job="nightly"} 2.0' in service.ask("/metrics").body


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_nothing_is_stored_nothing_can_be_written_and_the_server_is_not_named(
    service: Service, path: str
) -> None:
    answer = service.ask(path, "HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["cache-control"] == "no-store"
    assert "server" not in answer.headers
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert service.ask(path, method).status == 405


@pytest.mark.parametrize("path", ["/", "/healthz/", "/docs", "/metrics/x", "/../etc/passwd"])
def test_there_are_no_other_pages(service: Service, path: str) -> None:
    assert service.ask(path).status == 404


def test_a_failure_inside_is_a_500_without_a_word_of_it_and_the_next_answer_comes(
    service: Service,
) -> None:
    def expose() -> bytes:
        raise RuntimeError("Åse Eksempel")

    good, service.metrics.expose = service.metrics.expose, expose  # type: ignore[method-assign]
    answer = service.ask("/metrics")
    assert answer.status == 500
    assert b"Eksempel" not in answer.body
    service.metrics.expose = good  # type: ignore[method-assign]
    assert service.ask("/metrics").status == 200


def test_it_ends_at_once_also_while_somebody_keeps_a_connection_open() -> None:
    one = Service()
    with (
        serve_pages("127.0.0.1:0", lambda: WELL, one.metrics) as address,
        closing(address) as connection,
    ):
        connection.request("GET", "/healthz")
        connection.getresponse().read()
        began = time.monotonic()
        idle = socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])))
    assert time.monotonic() - began < 5
    idle.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "health"]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])))


def test_the_same_port_can_be_taken_again_at_once() -> None:
    listen = f"127.0.0.1:{free_port()}"
    for _ in range(2):
        one = Service()
        with serve_pages(listen, lambda: WELL, one.metrics) as one.address:
            assert one.ask("/healthz").status == 200
            assert one.address == f"http://{listen}"


def test_a_port_that_is_taken_is_a_row_error_that_names_the_address(service: Service) -> None:
    listen = service.address.removeprefix("http://")
    refused = serve_pages(listen, lambda: WELL, service.metrics)
    with pytest.raises(
        UsageError, match=rf"^service\.listen: {listen} can't be used \(address already in use\); "
    ):
        refused.__enter__()


@pytest.mark.parametrize(
    ("listen", "address"),
    [
        ("127.0.0.1:9464", ("127.0.0.1", 9464)),
        ("localhost:0", ("127.0.0.1", 0)),
        ("[::1]:80", ("::1", 80)),
    ],
)
def test_addresses_of_this_machine_are_understood(listen: str, address: tuple[str, int]) -> None:
    assert address_and_port(listen) == address
