"""What systemd hears; the test plays its socket."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sync.service.systemd import Notifier


class Systemd:
    """The socket that systemd listens at."""

    def __init__(self, address: str | bytes) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address)
        self._socket.settimeout(2)

    def heard(self) -> list[str]:
        return self._socket.recv(4096).decode().split("\n")

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "notify")


@pytest.fixture
def systemd(path: str) -> Iterator[Systemd]:
    playing = Systemd(path)
    yield playing
    playing.close()


@pytest.fixture
def notifier(path: str) -> Notifier:
    return Notifier.from_environment({"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "60000000"})


def test_each_thing_is_said_in_systemds_words(systemd: Systemd, notifier: Notifier) -> None:
    for tell, words in (
        (notifier.ready, "READY=1"),
        (notifier.stopping, "STOPPING=1"),
        (notifier.watchdog, "WATCHDOG=1"),
    ):
        tell()
        assert systemd.heard() == [words]


def test_a_reload_says_when_it_began_as_notify_reload_needs(
    systemd: Systemd, notifier: Notifier
) -> None:
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    notifier.reloading()
    first, second = systemd.heard()
    name, _, microseconds = second.partition("=")
    assert (first, name) == ("RELOADING=1", "MONOTONIC_USEC")
    assert before <= int(microseconds) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000


def test_a_status_is_one_line_so_that_it_can_say_nothing_else(
    systemd: Systemd, notifier: Notifier
) -> None:
    notifier.status("next: nightly,\nSTOPPING=1 på tirsdag")
    assert systemd.heard() == ["STATUS=next: nightly, STOPPING=1 på tirsdag"]


def test_a_socket_in_no_file_system_is_found(path: str) -> None:
    systemd = Systemd(f"\0{path}".encode())
    Notifier.from_environment({"NOTIFY_SOCKET": f"@{path}"}).ready()
    assert systemd.heard() == ["READY=1"]
    systemd.close()


@pytest.mark.parametrize("environment", [{}, {"NOTIFY_SOCKET": ""}])
def test_without_systemd_nothing_happens(environment: dict[str, str]) -> None:
    notifier = Notifier.from_environment(environment)
    for tell in (notifier.ready, notifier.reloading, notifier.stopping, notifier.watchdog):
        tell()
    assert notifier.watchdog_seconds is None


def test_a_socket_that_is_lost_does_not_hurt_and_one_that_comes_back_is_reported_again(
    path: str,
) -> None:
    notifier, systemd = Notifier(path), Systemd(path)
    systemd.close()
    notifier.ready()
    Path(path).unlink()
    notifier.status("nobody hears this")
    systemd = Systemd(path)
    notifier.status("again")
    assert systemd.heard() == ["STATUS=again"]
    systemd.close()


def test_a_socket_that_nobody_reads_holds_the_service_up_for_seconds_at_most(
    path: str, systemd: Systemd
) -> None:
    notifier = Notifier(path)
    filler = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    filler.setblocking(False)
    with suppress(BlockingIOError):
        while True:
            filler.sendto(b"STATUS=full", path)
    filler.close()
    began = time.monotonic()
    notifier.ready()
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("pid", "microseconds", "seconds"),
    [
        ("", "60000000", 30.0),
        (str(os.getpid()), "1000000", 0.5),
        (str(os.getpid() + 1), "60000000", None),
        ("", "0", None),
        ("", "soon", None),
    ],
    ids=["anybody", "this", "another", "off", "no number"],
)
def test_the_watchdog_is_fed_in_half_the_time_when_it_watches_this_process(
    pid: str, microseconds: str, seconds: float | None
) -> None:
    environment = {"NOTIFY_SOCKET": "", "WATCHDOG_PID": pid, "WATCHDOG_USEC": microseconds}
    assert Notifier.from_environment(environment).watchdog_seconds == seconds


def test_a_watchdog_that_is_off_is_not_fed(path: str, systemd: Systemd) -> None:
    notifier = Notifier(path)
    notifier.watchdog()
    notifier.ready()
    assert systemd.heard() == ["READY=1"]
