"""Notifications: each change is told once, with keys and commands, and never delays or fails a run."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sync.commands.serve import ServiceMonitor
from sync.errors import UsageError

from ..support.receivers import Webhook, mail_server, webhook
from ..support.university import TEST, University, numbers


@pytest.fixture
def hook() -> Iterator[Webhook]:
    with webhook() as one:
        yield one


@pytest.fixture
def told(university: University, hook: Webhook) -> University:
    """A test with twenty candidates, all in Inspera, four days before it; a webhook is told."""
    university.at("2026-11-27T08:00")
    university.register(TEST, *numbers(1001, 20))
    university.apply_once()
    (university.folder / "hook").write_text(hook.url)
    (university.folder / "hook").chmod(0o600)
    university.config["notifications"] = {"targets": {"team": {"url": "${file:hook}"}}}
    return university


def hold(university: University) -> None:
    del university.registrations.rows[5:]
    university.apply()


def test_a_held_change_is_told_once_and_its_end_once(told: University, hook: Webhook) -> None:
    rows = list(told.registrations.rows)
    hold(told)
    told.apply()
    assert len(hook.bodies) == 1
    assert "15 changes wait for a decision" in hook.bodies[0]
    assert "inspera-sync held " in hook.bodies[0]
    told.registrations.rows[:] = rows
    told.apply_cleanly()
    told.apply_cleanly()
    assert len(hook.bodies) == 2
    assert hook.bodies[1].startswith("Solved:")


def test_texts_and_output_hold_no_names_and_no_token(told: University, hook: Webhook) -> None:
    hold(told)
    text = json.dumps(hook.received)
    assert "Karlsen" not in text
    assert "@example" not in text
    hook.status = 500
    told.registrations.rows[0]["student_no"] = ""
    assert "not delivered" in told.apply().err
    assert "hemmelig" not in "".join(told.outputs)


def test_what_is_not_delivered_is_told_by_the_next_run(told: University, hook: Webhook) -> None:
    hook.status = 503
    before = told.apply()
    assert before.status == 0
    hold(told)
    assert hook.bodies == []
    hook.status = 200
    told.apply()
    assert len(hook.bodies) == 1


def test_an_event_that_a_target_does_not_want_is_not_told(told: University, hook: Webhook) -> None:
    told.config["notifications"]["targets"]["team"]["events"] = ["late"]
    hold(told)
    assert hook.bodies == []


def test_a_heartbeat_follows_each_complete_run_only(told: University, hook: Webhook) -> None:
    (told.folder / "beat").write_text(f"http://127.0.0.1:{hook.port}/ping/hemmelig")
    (told.folder / "beat").chmod(0o600)
    told.config["notifications"] = {"heartbeat": "${file:beat}"}
    told.apply_cleanly()
    assert hook.requested == ["/ping/hemmelig"]
    (told.folder / "api-key").write_text("not-the-key")
    told.register(TEST, "1099")
    assert told.run("apply").status == 5
    assert hook.requested == ["/ping/hemmelig"]


def test_a_service_tells_instead_of_a_run_by_hand(told: University, hook: Webhook) -> None:
    desk = ServiceMonitor(_with_job(told))
    with desk.app.state.service() as service:
        assert service.try_lead()
        hold(told)
        assert hook.bodies == []
        desk.look(leads=True)
        desk.round(leads=False, unreachable="", next_runs={})
        assert not desk.leads
        desk.round(leads=True, unreachable="", next_runs={})
        assert desk.leads
        late = told.now() - timedelta(minutes=5)
        desk.round(leads=True, unreachable="", next_runs={"nightly": late})
        desk.notifier.look()
        desk.notifier.look()
    (body,) = hook.bodies
    assert "15 changes wait" in body
    assert "The job nightly is late." in body
    assert b'outcome="delivered",target="team"} 1.0' in desk.metrics.expose()


def test_a_service_refuses_a_url_that_nobody_understands(told: University) -> None:
    (told.folder / "hook").write_text("nonsense://hemmelig")
    with pytest.raises(UsageError, match=r"notifications.targets.team.url: is not a URL") as error:
        ServiceMonitor(_with_job(told))
    assert "hemmelig" not in str(error.value)


def _with_job(told: University) -> Path:
    told.config["jobs"] = {"nightly": {"cron": "15 2 * * *", "zone": "Europe/Oslo"}}
    return told.write()


def test_a_mail_is_sent(told: University) -> None:
    with mail_server() as (port, mails):
        url = f"mailto://127.0.0.1:{port}?from=sync@example.edu&to=drift@example.edu&mode=insecure"
        (told.folder / "hook").write_text(url)
        assert told.run("notify", "--test", "team").out == "team: delivered\n"
        assert "inspera-sync: test" in mails[0]


def test_notify_test_says_why_it_failed(told: University, hook: Webhook) -> None:
    hook.status = 403
    ran = told.run("notify", "--test")
    assert (ran.status, ran.out) == (
        1,
        "team: not delivered: the service answered with status 403\n",
    )
    (told.folder / "hook").write_text("nonsense://hemmelig")
    ran = told.run("notify", "--test")
    assert ran.status == 1
    assert "is not a URL that Apprise understands" in ran.out
    assert "hemmelig" not in ran.output
    unknown = told.run("notify", "--test", "nobody")
    assert unknown.status == 2
    assert "nobody: is not one of notifications.targets; choose team" in unknown.err


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"targets": {"team": {"url": "${file:hook}", "events": ["helt"]}}}, "events"),
        ({"quiet_hours": {"begin": "22:00", "end": "07:00"}}, "zone"),
        ({"quiet_hours": {"begin": "22", "end": "07:00", "zone": "Europe/Oslo"}}, "time of day"),
        ({"targets": {"heartbeat": {"url": "${file:hook}"}}}, "is not a valid target name"),
    ],
)
def test_bad_settings_are_configuration_errors(
    told: University, settings: dict[str, object], words: str
) -> None:
    told.config["notifications"] = settings
    ran = told.run("check")
    assert ran.status == 2
    assert words in ran.err
