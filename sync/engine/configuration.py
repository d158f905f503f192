"""The configuration gate: what a change of the configuration's meaning would do.

In the first plan after such a change both configurations are read in the same run, against the same
state. What only the new one changes is held above a limit (rules 15).
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from sync.engine.extract.extract import ExtractionResult, ReadOptions
from sync.errors import SourceError, StateError, UsageError
from sync.planning.configuration import ConfigurationChange
from sync.progress import Progress
from sync.records.base import Kind
from sync.records.changes import Change
from sync.state.store import Store


@dataclass(frozen=True, slots=True)
class EarlierPlan:
    """The plan by an earlier configuration: how its sources were read, and its changes."""

    extracted: ExtractionResult
    changes: Iterable[Change]


PlanEarlier = Callable[
    [str, ReadOptions, Collection[Kind], datetime, Progress], AbstractContextManager[EarlierPlan]
]
"""A function that plans by an earlier meaning of the configuration, in a workspace of its own."""


class Meaning(Protocol):
    """The meaning of the present configuration. An earlier one is the text that was stored."""

    @property
    def digest(self) -> str: ...  # noqa: D102
    def changed_since(self, earlier: str, kinds: Collection[Kind], /) -> str: ...  # noqa: D102
    def keeps_source(self, earlier: str, kind: Kind, name: str, /) -> bool: ...  # noqa: D102
    def stored_with(  # noqa: D102
        self, earlier: str | None, kinds: Collection[Kind], /
    ) -> tuple[str, str]: ...


@dataclass(frozen=True, slots=True)
class ConfigurationGate:
    """The meaning of the present configuration, and how to plan by an earlier one."""

    meaning: Meaning
    plan_earlier: PlanEarlier = field(repr=False)

    def compare(
        self,
        store: Store,
        read_kinds: Collection[Kind],
        kinds: Collection[Kind],
        options: ReadOptions,
        now: datetime,
        progress: Progress,
    ) -> ConfigurationChange | None:
        """Plan by the applied configuration, if it means something else than the present one.

        Return None when it does not, or when the state has none yet.

        Args:
            store: the store of the run, which gets the changes of the earlier plan.
            read_kinds: the kinds that the run reads; the settings of others do not matter.
            kinds: the kinds that the run keeps in step.
            options: how sources are read.
            now: the time of the plan.
            progress: is notified of the progress.
        """
        applied, meaning = store.configuration.applied(), self.meaning
        if applied is None or applied.digest == meaning.digest:
            return None
        settings = meaning.changed_since(applied.content, read_kinds)
        if not settings:
            return None
        shown = _of_earlier(progress)
        try:
            with self.plan_earlier(applied.content, options, kinds, now, shown) as plan:
                store.configuration.stage_earlier(plan.changes)
                extracted = plan.extracted
        except (UsageError, SourceError, StateError) as error:
            return ConfigurationChange(settings, [_UNUSABLE.format(str(error).splitlines()[0])])
        whole = {one for one in extracted.proven if meaning.keeps_source(applied.content, *one)}
        return ConfigurationChange(settings, list(_unread(extracted)), whole)

    def keep(self, store: Store, kinds: Collection[Kind], now: datetime) -> None:
        """Store that the state was brought in step by this configuration, for these kinds."""
        applied = store.configuration.applied()
        if applied is not None and applied.digest == self.meaning.digest:
            return
        digest, content = self.meaning.stored_with(applied.content if applied else None, kinds)
        if applied is None or applied.digest != digest:
            store.configuration.keep(digest, content, now)


_UNUSABLE = (
    "the earlier configuration can't be used any more ({}), so every change counts as made by the "
    "new one"
)


def _of_earlier(progress: Progress) -> Progress:
    def show(phase: str, done: int, total: int | None = None) -> None:
        progress(f"{phase} (earlier configuration)", done, total)

    return show


def _unread(extracted: ExtractionResult) -> Iterator[str]:
    """Yield what the earlier configuration could not rely on."""
    for report in (*extracted.reports, *extracted.lookups):
        if report.unhealthy:
            yield (
                f"{report.place} can't be relied on by the earlier configuration, so every change "
                f"of {report.kind} counts as made by the new one"
            )
