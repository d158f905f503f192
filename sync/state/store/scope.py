"""What the parts of a store share during one run."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, text

from sync.contract import OptionRule
from sync.planning.absence import AbsenceDoubt
from sync.planning.freeze import Moment, TimeFacts, TimeRules
from sync.records.base import Key, Kind
from sync.records.changes import Fields
from sync.records.kinds import KEY_FIELDS, RECORD_CLASSES, Record


@dataclass(slots=True, kw_only=True)
class RunScope:
    """The connection of a run, and what is known about its feeds.

    Attributes:
        connection: an opened state with its scratch tables, owned by one thread.
        places: what precedes the number of a row of each feed, such as `students.csv line`.
        fingerprint: returns the fingerprint of a record's compared fields.
        options: the options that a test can have, by name.
        rules: the rules about the times of tests, by the number of their feed; None for tests that
            no feed names.
        leave_out: whether tests that had ended before they were ever sent are left out of the plan.
        moment: the time of the plan; None before the windows are computed.
        trouble: why absence proves nothing, for each kind where it does not.
        sources: the names of the sources of each kind.
        accepted: the kinds of which a person has said that what they name now is correct.
    """

    connection: Connection
    places: list[str]
    fingerprint: Callable[[Record], bytes]
    options: Mapping[str, OptionRule]
    rules: Mapping[int | None, TimeRules]
    leave_out: bool
    moment: Moment | None = None
    trouble: Mapping[Kind, AbsenceDoubt] = field(default_factory=dict)
    sources: Mapping[Kind, Sequence[str]] = field(default_factory=dict)
    accepted: Collection[Kind] = ()
    _rules: dict[tuple[int | None, ...], TimeRules] = field(default_factory=dict, init=False)

    def fingerprint_of(self, kind: Kind, fields: Mapping[str, object]) -> bytes:
        """Return the fingerprint of a record with these fields."""
        return self.fingerprint(RECORD_CLASSES[kind](**fields))  # type: ignore[arg-type]  # columns of the same names

    def rules_of(self, feed: int | None, before: int | None, after: int | None) -> TimeRules:
        """Return the rules of a test by the number of its feed and its own freeze, in seconds."""
        name = (feed, before, after)
        found = self._rules.get(name)
        if found is None:
            found = self.rules.get(feed) or self.rules[None]
            if before is not None:
                found = replace(found, before=timedelta(seconds=before))
            if after is not None:
                found = replace(found, after=timedelta(seconds=after))
            self._rules[name] = found
        return found

    def timing(self, row: Any, moment: Moment | None = None) -> TimeFacts | None:
        """Return when a test runs, to be judged at the time of the plan, once that is known.

        `row` has its window (`context.WINDOW`); with `moment`, it is judged at that time.
        """
        moment = moment or self.moment
        if moment is None:
            return None
        rules = self.rules_of(row.tw_feed, row.tw_before, row.tw_after)
        return TimeFacts(moment, row.tw_start or "", row.tw_ends or "", rules)

    def find_row(self, select: str, kind: Kind, key: Key) -> Fields | None:
        """Return the row of one record, or None; `select` is the query without its condition."""
        condition = " AND ".join(f"{name} = :{name}" for name in KEY_FIELDS[kind])
        values = dict(zip(KEY_FIELDS[kind], key, strict=True))
        query = text(f"{select} WHERE {condition}")
        row = self.connection.execute(query, values).mappings().first()
        return dict(row) if row else None
