"""The plan by an earlier configuration, against the same state as that of the present one."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from sync.app import App
from sync.config.meaning_changes import PresentMeaning
from sync.engine.configuration import ConfigurationGate, EarlierPlan
from sync.engine.extract.extract import ReadOptions
from sync.engine.run import plan_only
from sync.progress import Progress
from sync.records.base import Kind
from sync.state.store import Store

MakeStore = Callable[[App, Connection, Collection[Kind]], Store]
"""A function that makes the store of a run over an opened state."""


def gate_of(app: App, make_store: MakeStore) -> ConfigurationGate:
    """Return how a change of this configuration's meaning is noticed."""
    planner = _EarlierPlanner(app, PresentMeaning.of(app.loaded), make_store)
    return ConfigurationGate(planner.meaning, planner.plan)


@dataclass(frozen=True, slots=True)
class _EarlierPlanner:
    """A planner by an earlier configuration, over another connection with its own workspace."""

    app: App
    meaning: PresentMeaning
    make_store: MakeStore

    @contextmanager
    def plan(
        self,
        content: str,
        options: ReadOptions,
        kinds: Collection[Kind],
        now: datetime,
        progress: Progress,
    ) -> Iterator[EarlierPlan]:
        """Plan by the earlier meaning that was stored as this text.

        Raises:
            UsageError: the earlier configuration is not valid any more.
        """
        earlier = App(self.meaning.load_earlier(content))
        # Its marks and its snapshots are those of other rules, so all of each source is read.
        policy = earlier.policy((), replace(options, changed=False), kinds)
        with self.app.state.open_to_read() as connection:
            store = self.make_store(earlier, connection, kinds)
            plan = plan_only(earlier.feeds_of(policy.kinds), store, policy, now, progress)
            yield EarlierPlan(plan.extracted, (line.change for line in store.plan.read()))
