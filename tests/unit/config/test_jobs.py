"""Jobs and the service in the configuration: what is understood, and every error in plain words at its place."""

import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sync.config import ConfigurationErrors, JobSettings, json_schema
from sync.records.base import Kind
from sync.schedule import next_times

from ...support.examples import examples
from .configurations import SOUND, changed
from .conftest import Errors, Load

FIRST = SOUND.count("\n") + 1
"""The line on which what a test adds begins."""


def with_job(job: str, name: str = "nightly") -> str:
    """The sound configuration with one job, written on one line."""
    return f"{SOUND}jobs:\n  {name}: {job}\n"


def job_of(load_text: Load, job: str) -> JobSettings:
    return load_text(with_job(job)).settings.jobs["nightly"]


def test_the_jobs_of_a_university_are_understood(load_text: Load) -> None:
    jobs = load_text(
        SOUND + "jobs:\n"
        '  nightly: {cron: "15 2 * * *", zone: Europe/Oslo, jitter: 90s}\n'
        '  exam_day: {cron: "*/10 6-18 * * 1-5", kinds: [candidate], zone: Europe/Oslo}\n'
        "  rehearsal-2: {every: 1h30m, mode: plan}\n"
    ).settings.jobs
    assert list(jobs) == ["nightly", "exam_day", "rehearsal-2"]
    assert jobs["nightly"].jitter == timedelta(seconds=90)
    assert [job.chosen() for job in jobs.values()] == [frozenset(), {Kind.CANDIDATE}, frozenset()]
    assert [job.mode for job in jobs.values()] == ["apply", "apply", "plan"]
    friday = datetime(2026, 6, 5, 16, 30, tzinfo=UTC)
    assert [next_times(job.schedule, friday, 1) for job in jobs.values()] == [
        [datetime(2026, 6, 6, 0, 15, tzinfo=UTC)],
        [datetime(2026, 6, 5, 16, 40, tzinfo=UTC)],
        [datetime(2026, 6, 5, 18, 0, tzinfo=UTC)],
    ]


def test_without_jobs_there_are_none_and_the_service_has_its_defaults(load_text: Load) -> None:
    for text in (SOUND, f"{SOUND}jobs:\nservice:\n"):
        loaded = load_text(text).settings
        assert (loaded.jobs, loaded.service.listen) == ({}, None)
        assert (loaded.service.shutdown_timeout, loaded.service.run_timeout) == (
            timedelta(seconds=75),
            timedelta(hours=4),
        )


@pytest.mark.parametrize(
    ("job", "at", "said"),
    [
        (
            '{cron: "0 0 31 2 *", zone: UTC}',
            "cron",
            "never fires: no such day exists; correct the day of the month",
        ),
        (
            '{cron: "0 6 * * 9", zone: UTC}',
            "cron",
            "day of the week '9' is not valid; use * or 0 to 7 or mon to sun",
        ),
        ('{cron: "@reboot", zone: UTC}', "cron", "'@reboot' is not known; use @hourly, @daily"),
        ('{cron: "", zone: UTC}', "cron", "has 0 fields instead of five"),
        (
            '{cron: "0 6 * * 1"}',
            "cron",
            "has no time zone; add one as a setting, such as 'zone: Europe/Oslo'",
        ),
        (
            '{cron: "@daily", zone: Europe/Olso}',
            "zone",
            "is not a valid time zone; did you mean 'Europe/Oslo'?",
        ),
        ("{every: 5m, zone: Europe/Oslo}", "zone", "has no effect with 'every'; remove it"),
        (
            "{every: 30}",
            "every",
            "is not a valid duration; write it with its unit, such as 200ms",
        ),
        ("{every: 5 minutes}", "every", "is not a valid duration"),
        ("{every: 99999999999d}", "every", "is not a valid duration"),
        ("{every: 0s}", "every", "is not between 1s and 366d"),
        ("{every: 5m, jitter: 5m}", "jitter", "is not shorter than 'every'"),
        ("{every: 1d, jitter: 61m}", "jitter", "is not between 0s and 1h"),
        (
            "{every: 5m, kinds: [candidate, room]}",
            "kinds[2]",
            "input should be 'learner', 'staff', 'test'",
        ),
        ("{every: 5m, kinds: [staff]}", "kinds[1]", "has no feed; add a feed of this kind"),
        ("{every: 5m, kinds: [test, test]}", "kinds", "names a kind twice; name each kind once"),
        ("{every: 5m, kinds: []}", "kinds", "is empty; give at least one entry"),
        ("{every: 5m, mode: dry}", "mode", "is not a valid value; known here: apply, plan"),
        ("{every: 5m, changed: true}", "changed", "has no effect: no feed has 'updated_column'"),
        ("{every: 5m, minutes: 3}", "minutes", "unknown setting"),
    ],
)
def test_a_error_is_reported_at_its_setting(
    errors_of: Errors, job: str, at: str, said: str
) -> None:
    (error,) = errors_of(with_job(job))
    assert error.startswith(f"{FIRST + 1}:")
    assert f" jobs.nightly.{at}: {said}" in error


@pytest.mark.parametrize("job", ["{}", '{every: 5m, cron: "@daily", zone: UTC}', "{mode: plan}"])
def test_a_job_has_one_schedule(errors_of: Errors, job: str) -> None:
    assert errors_of(with_job(job)) == [
        f"{FIRST + 1}:12: jobs.nightly: needs either 'cron' or 'every'; set exactly one of them"
    ]


@pytest.mark.parametrize("name", ["exam day", "-x", "eksamen.i.dag", "natt-ø", "a" * 41])
def test_names_of_jobs_are_plain(errors_of: Errors, name: str) -> None:
    (error,) = errors_of(with_job("{every: 5m}", name))
    assert "is not a valid job name; use up to 40 letters (a to z), digits, - and _" in error


def test_everything_that_is_wrong_is_reported_at_once(errors_of: Errors) -> None:
    text = (
        with_job('{cron: "99 * * * *", zone: Mars, mode: dry, jitter: x}')
        + "service: {shutdown_timeout: 0s, listen: 9464}\n"
    )
    told = [error.split(": ")[1] for error in errors_of(text)]
    assert sorted(told) == [
        "jobs.nightly.cron", "jobs.nightly.jitter", "jobs.nightly.mode", "jobs.nightly.zone",
        "service.listen", "service.shutdown_timeout",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("cron", "said"), [("@daily", "that YAML reserves"), ("*/10 * * * *", "an alias in YAML")]
)
def test_a_schedule_that_needs_quotes_is_reported_so(
    errors_of: Errors, cron: str, said: str
) -> None:
    (error,) = errors_of(f"{SOUND}jobs:\n  nightly:\n    cron: {cron}\n    zone: UTC\n")
    assert error.startswith(f"{FIRST + 2}:")
    assert said in error
    assert error.endswith("put the value in single quotes")


def test_a_job_reads_only_changes_where_a_feed_can_tell_them(load_text: Load) -> None:
    table = "{type: sql, url: 'sqlite:///sis.db', query: SELECT 1}"
    text = changed("seats: {type: csv, path: seats.csv}", f"seats: {table}").replace(
        "source: seats", "source: seats\n    updated_column: changed"
    )
    assert (
        load_text(f"{text}jobs: {{often: {{every: 5m, changed: true}}}}\n")
        .settings.jobs["often"]
        .changed
    )


@pytest.mark.parametrize(
    "address", ["127.0.0.1:9464", "127.8.8.8:1", "'[::1]:9464'", "localhost:65535"]
)
def test_the_service_answers_on_this_machine(load_text: Load, address: str) -> None:
    listen = load_text(f"{SOUND}service: {{listen: {address}}}\n").settings.service.listen
    assert listen == address.strip("'")


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("listen: 0.0.0.0:9464", "can be reached from other machines without a login"),
        ("listen: '[::]:9464'", "can be reached from other machines"),
        ("listen: exams.example.edu:9464", "is not an address and a port"),
        ("listen: 127.0.0.1", "is not an address and a port; write it as 127.0.0.1:9464"),
        ("listen: 127.0.0.1:0", "has port 0; choose a free port"),
        ("listen: ':9464'", "is not an address and a port"),
        ("listen: 127.0.0.1:http", "is not an address and a port"),
        ("listen: 127.0.0.1:65536", "is not an address and a port"),
        ("shutdown_timeout: 11m", "is not between 1s and 10m"),
        ("run_timeout: 30s", "is not between 1m and 7d"),
        ("run_timeout: 4", "is not a valid duration"),
    ],
)
def test_an_invalid_setting_of_the_service_is_reported(
    errors_of: Errors, setting: str, said: str
) -> None:
    (error,) = errors_of(f"{SOUND}service: {{{setting}}}\n")
    assert f" service.{setting.partition(':')[0]}: {said}" in error


@pytest.mark.process
def test_reading_a_configuration_without_cron_brings_no_scheduler_along() -> None:
    code = (
        "import sys; import sync.config; "
        "sync.config.JobSettings.model_validate({'every': '30m'}); print('apscheduler' in sys.modules)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "False"


def test_editors_know_the_form_of_durations() -> None:
    job: dict[str, Any] = json_schema()["$defs"]["JobSettings"]["properties"]
    pattern = job["jitter"]["pattern"]
    assert pattern == job["every"]["anyOf"][0]["pattern"]
    assert job["kinds"]["anyOf"][0]["minItems"] == 1


WORDS = st.text(max_size=12) | st.from_regex(r"[0-9]{0,12}[dhms]?[0-9]{0,3}[smhd]?", fullmatch=True)
FIELDS = st.text("0123456789*/-, @monsu", max_size=20)


@settings(
    max_examples=examples(80),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.sampled_from(["cron", "every", "zone", "jitter", "kinds", "mode", "changed"]),
    WORDS | FIELDS,
    st.sampled_from(["every: 30m", "cron: '@daily', zone: UTC", "mode: plan"]),
)
def test_whatever_is_written_is_understood_or_told(
    load_text: Load, name: str, value: str, beside: str
) -> None:
    quoted = "'" + value.replace("'", "''") + "'"
    with suppress(ConfigurationErrors):  # any other exception would reach the people at the console
        load_text(with_job(f"{{{beside}, {name}: {quoted}}}"))
