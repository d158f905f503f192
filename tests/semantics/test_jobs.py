"""`check` and `status` say when jobs run next; `pause` stops every sending."""

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


def test_check_and_status_print_the_next_three_times_in_the_jobs_zone_and_in_utc(site: Site) -> None:
    site.seat(TEST, "1001")
    site.config["jobs"] = JOBS
    assert SAID in site.run("check").out
    assert SAID in site.run("status").out
    assert site.status()["next"]["rehearsal"][0] == "2026-09-01T08:30:00+00:00"


def test_nothing_is_said_where_there_are_no_jobs(site: Site) -> None:
    site.seat(TEST, "1001")
    assert "Job" not in site.run("check").out + site.run("status").out


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
