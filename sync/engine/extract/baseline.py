"""The baseline of each source: what it contains now.

The next run judges by it whether the source is complete (rules 5).
"""

from collections.abc import Collection

from sync.engine.context import RunSettings
from sync.engine.extract.extract import ExtractionResult
from sync.records.base import Kind
from sync.records.kinds import NAMED_BY
from sync.state.store import Store


def keep_baseline(settings: RunSettings, extracted: ExtractionResult, store: Store) -> None:
    """Record what each complete source contains, after a run has sent its plan."""
    policy, feeds = settings.policy, settings.feeds
    # A source whose removals were deferred is still judged by its last baseline. Otherwise the
    # missing records would not count any more once the reason is gone.
    pending = _pending(settings, store)
    unproven = {*extracted.unhealthy_sources, *pending}
    complete = {
        (kind, source)
        for kind, source in extracted.proven
        if kind in policy.kinds
        and (kind not in extracted.trouble or source in policy.read_options.accepted)
        and source not in pending
    }
    if Kind.COMMITTEE in policy.kinds and Kind.COMMITTEE not in extracted.trouble:
        complete |= {
            (Kind.COMMITTEE, source)
            for kind, source in complete
            if kind in NAMED_BY[Kind.COMMITTEE]
        }
    store.baselines.note_sources(
        [(feed.kind, feed.source.name) for feed in feeds],
        complete,
        [source for source in policy.read_options.accepted if source not in pending],
    )
    joined = [join.source for feed in settings.all_feeds for join in feed.joins]
    grouped = {
        source.name for source in [*(feed.source for feed in feeds), *joined] if source.proof.group
    }
    for report in (*extracted.reports, *extracted.lookups):
        if report.source in grouped and not report.partial and report.source not in unproven:
            store.baselines.keep_groups(report.source, report.groups)
    _keep_tails(settings, extracted, store, complete)
    store.baselines.keep_endings(
        {
            report.source: not report.torn
            for report in (*extracted.reports, *extracted.lookups)
            if not report.unhealthy
            and not report.partial
            and report.torn is not None
            and report.source not in pending
        }
    )
    rows = {one.source: one.rows for one in extracted.lookups if one.source not in unproven}
    store.baselines.keep_rows(rows, [source.name for source in joined])


def _pending(settings: RunSettings, store: Store) -> set[str]:
    """Return the accepted sources of which a removal was held or deferred all the same.

    What a person accepted has not happened yet, so the next run must doubt the source again.
    """
    unsent = store.plan.kinds_with_unsent_removals()
    accepted = settings.policy.read_options.accepted
    named: set[str] = set()
    for feed in settings.feeds:
        if feed.kind in unsent:
            named |= {feed.source.name, *(join.source.name for join in feed.joins)}
    return named.intersection(accepted)


def _keep_tails(
    settings: RunSettings,
    extracted: ExtractionResult,
    store: Store,
    complete: Collection[tuple[Kind, str]],
) -> None:
    """Record the last records of each source that could be cut off."""
    numbers: dict[tuple[Kind, str], list[int]] = {}
    for number, (report, feed) in enumerate(zip(extracted.reports, settings.feeds, strict=True)):
        of = feed.kind, feed.source.name
        if feed.source.proof.tail and of in complete and not report.unread:
            numbers.setdefault(of, []).append(number)
    store.baselines.keep_tails(numbers, settings.source_names)
