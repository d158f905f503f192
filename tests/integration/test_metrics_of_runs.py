"""What the service's metrics say of real runs: what is held or missing outlives a pause and a restart."""

from sync.app import App
from sync.commands.jobs import ConfiguredJob
from sync.engine.executor import never
from sync.records.changes import Cause
from sync.service.metrics import Metrics
from sync.state.service_figures import read_figures

from ..support.university import TEST, University, numbers

HELD = 'inspera_sync_deferred{job="nightly",reason="identity_change",verdict="held"} 1.0'


def run_as_job(university: University, metrics: Metrics) -> str:
    """Run the job `nightly` as the service does. Return the metrics afterwards."""
    university.config["jobs"] = {"nightly": {"every": "10m"}}
    app = App.open(university.write(), lambda _line: None)
    job = ConfiguredJob(app, "nightly", app.loaded.settings.jobs["nightly"], metrics)
    began = university.now()
    outcome = job.begin().run(never, began)
    metrics.run_ended("nightly", outcome, 1, university.now())
    with app.state.open_to_read() as connection:
        metrics.figures(read_figures(connection, university.now()))
    return metrics.expose().decode()


def test_what_is_held_or_missing_outlives_a_pause_and_a_restart(university: University) -> None:
    university.at("2026-11-30T12:00")
    university.register(TEST, *numbers(1001, 3))
    university.apply_once()
    metrics = Metrics(university.now)
    metrics.keep({}, ["students", "registrations"])
    shown = run_as_job(university, metrics)
    assert "inspera_sync_exams_next_24h 1.0" in shown
    assert "inspera_sync_exams_incomplete 0.0" in shown
    university.students.set("1002", feide="other")
    university.registrations.add(f"{TEST} 1009")  # whom no source of learners has
    shown = run_as_job(university, metrics)
    university.run("pause", "--reason", "made up")
    assert HELD in shown
    paused = run_as_job(university, metrics)
    assert HELD in paused
    assert 'inspera_sync_runs_total{job="nightly",outcome="paused"} 1.0' in paused
    restarted = Metrics(university.now)
    restarted.keep({}, ["students", "registrations"])
    for text in (paused, run_as_job(university, restarted)):
        assert f'inspera_sync_held{{reason="{Cause.IDENTITY_CHANGE.value}"}} 1.0' in text
        assert "inspera_sync_exams_incomplete 1.0" in text
        assert 'inspera_sync_source_healthy{kind="learner",source="students"} 1.0' in text
