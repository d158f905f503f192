"""`check` and `status` say when jobs run next; `pause` stops every sending."""

import fcntl
from threading import Event

from sync.app import App
from sync.commands.apply import ApplyOptions, apply
from sync.commands.jobs import ConfiguredJob
from sync.engine.interruption import Interruption
from sync.records.base import Kind
from sync.service.metrics import Metrics

from .site import TEST, Site

JOBS = {
    "nightly": {"cron": "15 2 * * *", "zone": "Europe/Oslo", "jitter": "2m"},
    "rehearsal": {"every": "30m", "mode": "plan"},
}
SAID = """\
Job nightly, up to 120 s later, next:
  Wed 2026-09-02 02:15:00 Europe/Oslo (2026-09-02 00:15:00 UTC)
  Thu 2026-09-03 02:15:00 Europe/Oslo (2026-09-03 00:15:00 UTC)
  Fri 2026-09-04 02:15:00 Europe/Oslo (2026-09-04 00:15:00 UTC)
Job rehearsal, next:
  Tue 2026-09-01 08:30:00 UTC
  Tue 2026-09-01 09:00:00 UTC
  Tue 2026-09-01 09:30:00 UTC
"""


def test_check_and_status_print_the_next_three_times_in_the_jobs_zone_and_in_utc(
    site: Site,
) -> None:
    site.seat(TEST, "1001")
    site.config["jobs"] = JOBS
    assert SAID in site.run("check").out
    assert SAID in site.run("status").out
    assert site.status()["next"]["rehearsal"][0] == "2026-09-01T08:30:00+00:00"


def test_nothing_is_said_where_there_are_no_jobs(site: Site) -> None:
    site.seat(TEST, "1001")
    assert "ConfiguredJob" not in site.run("check").out + site.run("status").out


def test_a_paused_apply_sends_nothing_and_says_why_with_3(site: Site) -> None:
    site.seat(TEST, "1001")
    assert site.run("pause", "--reason", "wrong rooms").status == 0
    ran = site.apply()
    assert ran.status == 3
    assert "All sending is paused since 20" in ran.out
    assert "(wrong rooms); `inspera-sync resume` allows it again." in ran.out
    assert site.calls() == []
    assert "paused since" in site.run("status").out
    assert site.plan().status == 0  # nothing is sent by that
    assert site.run("resume").status == 0
    site.settled()


def test_a_pause_that_cannot_be_read_stops_all_the_same(site: Site) -> None:
    site.seat(TEST, "1001")
    site.state.with_name("state.db.paused").write_text("{")
    assert site.apply().status == 3
    assert site.calls() == []


def as_job(site: Site, name: str, *kinds: Kind) -> None:
    """Runs as a job of this name does."""
    app = App.open(site.write(), lambda _line: None)
    site._look_from_here()
    options = ApplyOptions(kinds=frozenset(kinds), job=name)
    apply(app, options, lambda _line: None, lambda *_: None, Interruption(Event()))


def test_what_a_job_held_stays_in_status_when_another_job_has_run_since(site: Site) -> None:
    site.config["jobs"] = JOBS | {"exam_day": {"every": "10m", "kinds": ["candidate"]}}
    site.seat(TEST, "1001")
    site.students.add(
        "1009"
    )  # who is on no test, so that no run for candidates has a word for them
    as_job(site, "nightly")
    site.students.set("1009", feide="other")
    as_job(site, "nightly")
    for _ in range(12):
        as_job(site, "exam_day", Kind.CANDIDATE)
    told = site.run("status").out
    held = next(line for line in told.splitlines() if "held: learner 1009" in line)
    assert told.index("What the last run of job nightly, of 20") < told.index(held)
    assert told.count(" job nightly: ") == 1  # its last run stands below the ten newest ones
    (finding,) = [one for one in site.status()["findings"] if one["command"] == "job nightly"]
    assert (finding["type"], finding["key"]) == ("held", ["1009"])


def test_a_pause_given_while_a_run_waited_for_its_turn_stops_it_before_anything_is_sent(
    site: Site,
) -> None:
    site.seat(TEST, "1001")
    app = App.open(site.write(), lambda _line: None)
    site._look_from_here()

    def paused_meanwhile(_holder: str) -> bool:
        site.state.with_name("state.db.paused").write_text(
            '{"since": "2026-09-01T08:00:00Z", "reason": "a drill"}'
        )
        lock.close()
        return True

    site.state.parent.mkdir(exist_ok=True)
    lock = site.state.with_name("state.db.lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    said: list[str] = []
    options = ApplyOptions(wait=paused_meanwhile)
    assert apply(app, options, said.append, lambda *_: None, Interruption(Event())) == 3
    assert any("a drill" in line for line in said)
    assert site.calls() == []


def test_a_seat_that_a_person_has_to_settle_makes_no_run_go_first(site: Site) -> None:
    site.config["jobs"] = {"exam_day": {"every": "10m"}}
    site.students.add("1001")
    site.seat(TEST, "1002")
    site.settled()
    site.sandbox.edit(candidate={"test": TEST, "username": "s1001", "extraTimeMins": 60})
    site.registrations.add(f"{TEST} 1001", extra="30")
    app = App.open(site.write(), lambda _line: None)
    job = ConfiguredJob(app, "exam_day", app.loaded.settings.jobs["exam_day"], Metrics(site.now))
    assert job.begin().soonest_start().startswith("2026-")
    as_job(site, "exam_day")
    assert [one["type"] for one in site.status()["findings"]] == ["held"]
    assert job.begin().soonest_start() == ""
