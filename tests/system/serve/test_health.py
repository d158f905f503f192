"""What a running service shows over HTTP and tells systemd, by the numbers of what it really did."""

import json
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sync.cli import run

from ...support.servers.needed import free_port
from ...unit.service.fakes import Systemd, page
from .served_university import ServedUniversity, ServiceProcess

SELDOM = 'often: {cron: "15 2 29 2 *", zone: Europe/Oslo}'
NEW, REFUSED, FAULTY = "1041", "1042", "1043"
GONE = 12
FEW, MANY = "PRV1-H26", "PRV2-H26"

CALLS = {
    ("POST", "/api/authenticate/token/"): "token.fetch",
    ("GET", "/api/v1/users/search"): "person.search",
    ("POST", "/api/v1/users/student"): "learner.create",
}
"""What calls are named in the figures, where one address is one call."""


class Watched(ServedUniversity):
    """A university whose service listens on a port, with systemd at the end of its socket."""

    def __init__(self, folder: Path, today: date, jobs: str) -> None:
        super().__init__(folder, today, jobs)
        self.port = free_port()
        self.more = self.more.replace(
            "shutdown_timeout: 20s", f'shutdown_timeout: 20s, listen: "127.0.0.1:{self.port}"'
        )
        self.systemd = Systemd(folder / "notify")

    def beside(self) -> ServiceProcess:
        """Starts a service whose systemd wants a sign of life every 20 seconds."""
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("NOTIFY_SOCKET", str(self.rows.folder / "notify"))
            environment.setenv("WATCHDOG_USEC", "20000000")
            environment.delenv("WATCHDOG_PID", raising=False)
            return super().beside()

    def page(self, path: str) -> tuple[int, str]:
        """The status and the text of a page; 0 while nobody listens."""
        return page(self.port, path)

    def ready(self) -> dict[str, Any]:
        """What /readyz says."""
        return dict(json.loads(self.page("/readyz")[1] or "{}"))

    def reload_failed(self) -> str | None:
        """When the file was last found invalid."""
        failed: str | None = self.ready()["configuration"]["reload_failed_at"]
        return failed

    def close(self) -> None:
        super().close()
        self.systemd.close()


class Figures:
    """The figures as they were at one moment."""

    def __init__(self, text: str) -> None:
        self.at = time.time()
        self._samples = [
            sample for family in text_string_to_metric_families(text) for sample in family.samples
        ]

    def of(self, name: str) -> dict[tuple[str, ...], float]:
        """One figure, by the values of its labels in the order of the labels' names."""
        return {
            tuple(value for _, value in sorted(one.labels.items())): one.value
            for one in self._samples
            if one.name == f"inspera_sync_{name}"
        }


def stopped(serving: ServiceProcess) -> None:
    serving.signal(signal.SIGTERM)
    assert serving.wait() == 0, serving.output


class Life:
    """A service after one run that created, was refused, held and found a row error, and after one reload."""

    def __init__(self, university: Watched) -> None:
        self.university = university
        university.apply()
        with closing(sqlite3.connect(university.rows.folder / "state.db")) as state, state:
            # it is taken up at the start, so that there is one run, at once, and no other
            state.execute("UPDATE run SET command = 'job often', status = 'interrupted'")
        self._change()
        university.mark()
        self.serving = university.serve()
        university.until(lambda: bool(self.serving.ran("often")), self.serving)
        self.serving.signal(signal.SIGHUP)
        university.until(
            lambda: university.systemd.notifications[1:] == ["RELOADING=1", "READY=1"], self.serving
        )
        university.until(
            lambda: "inspera_sync_runs_total{" in university.page("/metrics")[1], self.serving
        )
        self.calls = university.calls()
        self.figures = Figures(university.page("/metrics")[1])

    def _change(self) -> None:
        rows = self.university.rows
        for number in (NEW, REFUSED, FAULTY):
            given = "Å\x01se" if number == FAULTY else "Åse"
            row = {
                "feide": f"s{number}",
                "mail": f"s{number}@example.edu",
                "given": given,
                "family": "Eksempel",
            }
            rows.students[number] = row
        for key in [key for key in rows.seats if key[0] == FEW][:GONE]:
            del rows.seats[key]
        late = next(number for number in rows.students if (MANY, number) not in rows.seats)
        rows.seats[MANY, late] = {"number": "L1", "extra": ""}
        # of two learners, whichever comes first is let in
        self.university.rule("POST", "/api/v1/users/student", skip=1, times=9, status=400)


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory, today: date) -> Iterator[Life]:
    university = Watched(tmp_path_factory.mktemp("health"), today, SELDOM)
    try:
        yield Life(university)
    finally:
        university.close()


@pytest.fixture
def university(tmp_path: Path, today: date) -> Iterator[Watched]:
    university = Watched(tmp_path, today, "often: {every: 2s}")
    yield university
    university.close()


def test_it_says_that_it_is_alive_and_ready(life: Life) -> None:
    assert life.university.page("/healthz") == (200, '{"alive":true}')
    status, text = life.university.page("/readyz")
    said = json.loads(text)
    read = said.pop("configuration")
    assert (status, said) == (
        200,
        {
            "ready": True,
            "alive": True,
            "state": "reachable",
            "migrations": "done",
            "role": "leader",
            "paused_since": None,
            "clock": "right",
        },
    )
    assert (
        0 <= (datetime.now(UTC) - datetime.fromisoformat(read["loaded_at"])).total_seconds() < 120
    )
    assert read["reload_failed_at"] is None
    assert life.figures.of("leader") == {(): 1}
    assert life.figures.of("paused") == {(): 0}
    assert life.figures.of("reloads_total") == {("done",): 1}


def test_runs_are_counted_by_job_and_outcome(life: Life) -> None:
    assert life.serving.ran("often") == ["done"]
    ended = {labels: n for labels, n in life.figures.of("runs_total").items() if n}
    assert ended == {("often", "held"): 1}
    assert life.figures.of("run_seconds_count") == {("often",): 1}
    assert life.figures.of("overlaps_total") == {}
    assert life.figures.of("yields_total") == {}


def test_changes_are_counted_by_kind_action_and_outcome(life: Life) -> None:
    assert life.figures.of("changes_total") == {
        ("create", "learner", "done"): 1,
        ("create", "learner", "refused"): 1,
        ("create", "candidate", "done"): 1,
    }
    people = life.university.contents()["people"]
    assert len({f"s{number}" for number in (NEW, REFUSED, FAULTY)} & people.keys()) == 1
    assert len(life.university.contents()["seats"]) == 121


def test_what_was_deferred_is_counted_by_reason(life: Life) -> None:
    assert life.figures.of("deferred") == {
        ("often", "limit", "held"): GONE,
        ("often", "row", "row error"): 1,
    }


def test_calls_are_counted_by_name_and_status_as_inspera_has_had_them(life: Life) -> None:
    had = Counter((call["method"], call["path"], str(call["status"])) for call in life.calls)
    counted = life.figures.of("calls_total")
    assert sum(counted.values()) == len(life.calls)
    named = {key: number for key, number in counted.items() if key[0] in CALLS.values()}
    assert named == {
        (CALLS[method, path], status): number
        for (method, path, status), number in had.items()
        if (method, path) in CALLS
    }
    assert (
        named["learner.create", "400"]
        == named["learner.create", "200"]
        == named["token.fetch", "200"]
        == 1
    )


def test_the_time_of_every_call_is_in_the_histogram(life: Life) -> None:
    counted = Counter[str]()
    for (call, _), number in life.figures.of("calls_total").items():
        counted[call] += int(number)
    assert {
        call: number for (call,), number in life.figures.of("call_seconds_count").items()
    } == counted
    within = life.figures.of("call_seconds_bucket")
    assert {call: within[call, "+Inf"] for call in counted} == counted
    seconds = life.figures.of("call_seconds_sum")
    assert all(0 < seconds[call,] < 10 for call in counted)


def test_rows_are_counted_by_source(life: Life) -> None:
    assert life.figures.of("source_rows") == {
        ("learner", "students"): 43,
        ("test", "exams"): 6,
        ("candidate", "registrations"): 120 - GONE + 1,
    }


def test_the_last_success_and_the_next_run_are_reported(life: Life) -> None:
    ended = datetime.fromisoformat(life.serving.events("run ended")[0]["timestamp"]).timestamp()
    assert life.figures.of("last_success_timestamp_seconds")["often",] == pytest.approx(
        ended, abs=1
    )
    assert life.figures.of("since_success_seconds")["often",] == pytest.approx(
        life.figures.at - ended, abs=1
    )
    following = datetime.fromtimestamp(life.figures.of("next_run_timestamp_seconds")["often",], UTC)
    assert (following.month, following.day, following.hour, following.minute) == (
        2,
        29,
        1,
        15,
    )  # 02:15 in Oslo


def test_systemd_hears_of_start_reload_and_life(life: Life) -> None:
    systemd = life.university.systemd
    assert systemd.notifications == ["READY=1", "RELOADING=1", "READY=1"]
    reloading = next(message for message in systemd.heard if message.startswith("RELOADING=1"))
    assert reloading.partition("\n")[2].startswith("MONOTONIC_USEC=")
    assert systemd.status.startswith("next: often at ")
    assert any("running often" in message for message in systemd.heard)
    alive = systemd.alive
    assert alive > 0
    life.university.until(lambda: systemd.alive > alive + 1, life.serving)


def test_a_pause_is_shown_everywhere_and_the_service_stays_ready(
    university: Watched, capsys: pytest.CaptureFixture[str]
) -> None:
    serving = university.serve()
    university.until(lambda: "done" in serving.ran("often"), serving)
    config = str(university.rows.folder / "inspera-sync.yaml")
    assert run(["-c", config, "pause", "--reason", "wrong rooms"]) == 0
    university.until(lambda: university.ready()["paused_since"] is not None, serving)
    since = str(university.ready()["paused_since"])
    assert university.page("/readyz")[0] == 200
    university.until(
        lambda: ("often", "paused") in Figures(university.page("/metrics")[1]).of("runs_total"),
        serving,
    )
    university.until(
        lambda: university.systemd.status.startswith(f"paused since {since}; "), serving
    )
    assert Figures(university.page("/metrics")[1]).of("paused") == {(): 1}
    university.until(lambda: "All sending is paused since" in serving.output, serving)
    assert run(["-c", config, "resume"]) == 0
    university.until(lambda: university.ready()["paused_since"] is None, serving)
    university.until(lambda: university.systemd.status.startswith("next: often at "), serving)
    assert Figures(university.page("/metrics")[1]).of("paused") == {(): 0}
    stopped(serving)
    assert university.systemd.notifications == ["READY=1", "STOPPING=1"]


def test_an_invalid_file_is_shown_until_a_sound_one_comes(university: Watched) -> None:
    university.jobs = SELDOM
    serving = university.serve()
    university.until(lambda: bool(serving.events("service started")), serving)
    config = university.rows.folder / "inspera-sync.yaml"
    sound = config.read_text("utf-8")
    config.write_text("inspera: [", "utf-8")
    serving.signal(signal.SIGHUP)
    university.until(lambda: university.reload_failed() is not None, serving)
    university.until(lambda: university.page("/readyz")[0] == 200, serving)
    figures = Figures(university.page("/metrics")[1])
    assert figures.of("reloads_total") == {("refused",): 1}
    assert figures.of("last_reload_successful") == {(): 0}
    config.write_text(sound, "utf-8")
    serving.signal(signal.SIGHUP)
    university.until(lambda: university.reload_failed() is None, serving)
    assert Figures(university.page("/metrics")[1]).of("last_reload_successful") == {(): 1}
    university.until(
        lambda: university.systemd.notifications == ["READY=1", *["RELOADING=1", "READY=1"] * 2],
        serving,
    )
    stopped(serving)


def test_the_last_success_of_before_a_restart_is_shown_while_inspera_fails(
    university: Watched,
) -> None:
    serving = university.serve()
    university.settled(serving)
    university.until(lambda: "done" in serving.ran("often"), serving)
    stopped(serving)
    with closing(sqlite3.connect(university.rows.folder / "state.db")) as state:
        (done,) = state.execute("SELECT max(ended) FROM run WHERE status = 'done'").fetchone()
    success = datetime.fromisoformat(done).timestamp()
    assert university.systemd.notifications == ["READY=1", "STOPPING=1"]
    university.rows.correct_names()
    university.rule("*", "*", times=9999, status=401)
    serving = university.serve()
    university.until(lambda: bool(serving.ran("often")), serving)
    failed = 'inspera_sync_last_run_successful{job="often"} 0'
    university.until(lambda: failed in university.page("/metrics")[1], serving)
    figures = Figures(university.page("/metrics")[1])
    assert {labels for labels, n in figures.of("runs_total").items() if n} == {("often", "stopped")}
    assert figures.of("last_success_timestamp_seconds") == {
        ("often",): pytest.approx(success, abs=1)
    }
    assert figures.of("since_success_seconds")["often",] == pytest.approx(
        figures.at - success, abs=1.5
    )
    assert university.page("/readyz")[0] == 200
    stopped(serving)


def test_nobody_listens_once_it_has_stopped(university: Watched) -> None:
    university.jobs = SELDOM
    serving = university.serve()
    university.until(lambda: university.page("/healthz")[0] == 200, serving)
    stopped(serving)
    assert university.page("/healthz")[0] == 0


def test_a_clock_that_is_wrong_is_shown_and_nothing_is_removed_until_it_is_right(
    university: Watched,
) -> None:
    university.apply()
    seats = len(university.contents()["seats"])
    del university.rows.seats[next(iter(university.rows.seats))]
    university.clock(7200)
    serving = university.serve()
    university.until(
        lambda: str(university.ready().get("clock", "")).startswith("this machine's clock is"),
        serving,
    )
    assert university.ready()["ready"] is True
    assert len(university.contents()["seats"]) == seats
    assert Figures(university.page("/metrics")[1]).of("clock_offset_seconds")[()] < -7000
    assert serving.events("the clocks differ")
    university.clock(0)
    university.until(lambda: university.ready().get("clock") == "right", serving)
    university.until(lambda: len(university.contents()["seats"]) == seats - 1, serving)
    stopped(serving)
