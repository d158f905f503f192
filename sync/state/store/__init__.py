"""The store of one run: what is known, what is wanted, and the plan that follows."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from sqlalchemy import Connection

from sync.contract import OPTIONS, OptionRule
from sync.planning.freeze import TimeRules
from sync.records.kinds import Record
from sync.state.secret_digest import digest_secret, new_key
from sync.state.staging import scratch
from sync.state.store.baselines import Baselines
from sync.state.store.clashes import StoredClashes
from sync.state.store.comparison import Comparison
from sync.state.store.configuration import ConfigurationHistory
from sync.state.store.earlier_runs import EarlierRuns
from sync.state.store.exports import StagedExports
from sync.state.store.figures import Figures
from sync.state.store.holds import StoredHolds
from sync.state.store.known import KnownRecords
from sync.state.store.lookups import JoinedRows
from sync.state.store.plan import StoredPlan
from sync.state.store.scope import RunScope
from sync.state.store.snapshots import Snapshots
from sync.state.store.staging import Staging
from sync.state.store.undoing import Undoing


class Store:
    """The parts of a store over one connection, owned by one thread.

    Args:
        connection: an opened state with its scratch.
        places: how each feed's source is named to people, by the feed's number, until it is opened.
        fingerprint: returns the fingerprint of a record's compared fields.
        options: the options that a test can have, by name.
        digest_key: the key of the digests of pins and quit codes; None for a random one.
        rules: the rules about the times of tests by the number of their feed, and those of tests
            that no feed names under None.
        leave_out: whether tests that had ended before they were ever sent are left out of the plan.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        places: Sequence[str],
        fingerprint: Callable[[Record], bytes],
        options: Mapping[str, OptionRule] = OPTIONS,
        digest_key: bytes | None = None,
        rules: Mapping[int | None, TimeRules] | None = None,
        leave_out: bool = True,
    ) -> None:
        scope = RunScope(
            connection=connection,
            places=[f"{place} line" for place in places],
            fingerprint=fingerprint,
            options=options,
            rules=rules or {None: TimeRules()},
            leave_out=leave_out,
        )
        scratch.make_tables(connection)
        self.staging = Staging(scope, partial(digest_secret, digest_key or new_key()))
        self.lookups = JoinedRows(connection)
        self.snapshots = Snapshots(scope)
        self.baselines = Baselines(scope)
        self.comparison = Comparison(scope)
        self.plan = StoredPlan(connection)
        self.clashes = StoredClashes(connection)
        self.holds = StoredHolds(connection)
        self.figures = Figures(connection)
        self.known = KnownRecords(scope)
        self.exports = StagedExports(connection)
        self.earlier_runs = EarlierRuns(connection)
        self.undoing = Undoing(scope)
        self.configuration = ConfigurationHistory(connection)
