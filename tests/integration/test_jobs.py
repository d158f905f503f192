"""`check` and `status` say when jobs run next; `pause` stops every sending."""

from sync.records.base import Kind

from ..support.university import TEST, University

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
    university: University,
) -> None:
    university.register(TEST, "1001")
    university.config["jobs"] = JOBS
    assert SAID in university.run("check").out
    assert SAID in university.run("status").out
    assert university.status()["next"]["rehearsal"][0] == "2026-09-01T08:30:00+00:00"


def test_nothing_is_said_where_there_are_no_jobs(university: University) -> None:
    university.register(TEST, "1001")
    assert "ConfiguredJob" not in university.run("check").out + university.run("status").out


def test_what_a_job_held_stays_in_status_when_another_job_has_run_since(
    university: University,
) -> None:
    university.config["jobs"] = JOBS | {"exam_day": {"every": "10m", "kinds": ["candidate"]}}
    university.register(TEST, "1001")
    university.students.add(
        "1009"
    )  # who is on no test, so that no run for candidates has a word for them
    university.run_job("nightly")
    university.students.set("1009", feide="other")
    university.run_job("nightly")
    for _ in range(12):
        university.run_job("exam_day", Kind.CANDIDATE)
    told = university.run("status").out
    held = next(line for line in told.splitlines() if "held: learner 1009" in line)
    assert told.index("What the last run of job nightly, of 20") < told.index(held)
    assert told.count(" job nightly: ") == 1  # its last run stands below the ten newest ones
    (finding,) = university.findings("job nightly")
    assert (finding["type"], finding["key"]) == ("held", ["1009"])
