"""Notifications: each change is told once, with keys and commands, and never delays or fails a run."""

import json
from collections.abc import Iterator

import pytest

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
    told.registrations.rows[0]["test"] = ""
    told.apply()
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
    (told.folder / "registrations.csv").unlink(missing_ok=True)
    told.run("pause")
    told.apply()
    told.run("resume")
    assert len(hook.requested) <= 2


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
