"""The notifier: it tries again with growing pauses, and a replica after it tells nothing twice."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sync.concerns.concern import Concern, Urgency
from sync.config.notifications import Event, NotificationSettings
from sync.errors import StateError
from sync.notify.message import Situation
from sync.notify.notifier import Notifier, NotifierThread
from sync.state.notified import Notified

from ...support.receivers import Webhook, webhook

LATE = Concern(Urgency.TODAY, "A is late.", "Look.", identity="late:a", event=Event.LATE)


class Replicas:
    """Services on one state; `now` is their time."""

    def __init__(self, folder: Path, hook: Webhook) -> None:
        (folder / "hook").write_text(hook.url)
        self.folder, self.now = folder, datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
        self.kept: dict[str, Notified] = {}
        self.situation, self.counted = Situation([LATE]), list[tuple[str, str]]()
        self.broken = False
        self.settings = NotificationSettings.model_validate(
            {"targets": {"team": {"url": "${file:hook}"}}}
        )

    def notified(self) -> Mapping[str, Notified]:
        if self.broken:
            raise StateError("the state is gone")
        return dict(self.kept)

    def keep_notified(self, target: str, notified: Notified) -> None:
        if self.broken:
            raise StateError("the state is gone")
        self.kept[target] = notified

    def start(self) -> Notifier:
        return Notifier(
            settings=lambda: self.settings,
            folder=self.folder,
            memory=lambda: self,
            situation=lambda: self.situation,
            clock=lambda: self.now,
            count=lambda target, outcome: self.counted.append((target, outcome)),
        )


@pytest.fixture
def hook() -> Iterator[Webhook]:
    with webhook() as one:
        yield one


@pytest.fixture
def replicas(tmp_path: Path, hook: Webhook) -> Replicas:
    return Replicas(tmp_path, hook)


def test_a_restart_and_a_second_replica_tell_nothing_again(
    replicas: Replicas, hook: Webhook
) -> None:
    for _ in range(3):
        replicas.start().look()
    assert len(hook.bodies) == 1


def test_it_tries_again_after_growing_pauses(replicas: Replicas, hook: Webhook) -> None:
    hook.status = 503
    notifier = replicas.start()
    for minute in range(8):
        notifier.look()
        replicas.now += timedelta(minutes=1)
        assert notifier.undelivered == ["team"], minute
    assert replicas.counted == [("team", "failed")] * 4  # at 0, 1, 3 and 7 minutes
    hook.status = 200
    replicas.now += timedelta(minutes=8)
    notifier.look()
    assert replicas.counted[-1] == ("team", "delivered")
    assert notifier.undelivered == []
    assert len(hook.bodies) == 1


def test_a_state_that_fails_makes_no_flood(replicas: Replicas, hook: Webhook) -> None:
    notifier = replicas.start()
    replicas.broken = True
    for _ in range(3):
        notifier.look()
    replicas.broken = False
    notifier.look()
    assert len(hook.bodies) == 1
    assert replicas.kept["team"].concerns == {"late:a": "A is late."}


def test_a_standby_tells_nothing_and_a_run_never_waits(replicas: Replicas, hook: Webhook) -> None:
    hook.gate.clear()  # the receiver keeps everybody waiting
    leads = False
    with NotifierThread(replicas.start(), lambda: leads) as thread:
        thread.run_ended(succeeded=True)
        assert hook.bodies == []
        leads = True
        began = datetime.now(UTC)
        thread.run_ended(succeeded=True)
        assert datetime.now(UTC) - began < timedelta(seconds=1)
        hook.gate.set()
