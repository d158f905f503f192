"""The store as the engine sees it: one object over one connection, owned by one thread."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import Connection, bindparam, text

from sync.planning.candidate_numbers import Holder
from sync.planning.decide import DraftedChange, Pair
from sync.planning.freeze import Moment, TimeFacts, TimeRules
from sync.planning.guard import HeldScope, Limits
from sync.records.base import Key, Kind, RowError, row_place
from sync.records.changes import (
    Action,
    Cause,
    Fields,
    OpenIntent,
    PlannedChange,
    Verdict,
    WrittenRecord,
)
from sync.records.kinds import COMPARED, KEY_FIELDS, PEOPLE, PERSON_OF, RECORD_CLASSES, Record
from sync.records.remote import RemotePerson
from sync.state import history, journal, kept_values, old_copy
from sync.state.compare import (
    absences,
    candidate_numbers,
    context,
    pairs,
    plan_table,
    priority,
    provenance,
    verification,
)
from sync.state.dialect import insert
from sync.state.secret_digest import new_key, seal
from sync.state.sqlite.open import count
from sync.state.staging import (
    conflicts,
    derive,
    identities,
    lookups,
    merge,
    scratch,
    snapshot,
    tails,
)
from sync.state.staging.scratch import Origin


class Store:
    """What is known, what is wanted in this run, and the plan that follows.

    Args:
        connection: an opened state with its scratch.
        places: how each feed's source is named to people, by the feed's number, until it is opened.
        fingerprint: of a record's compared fields.
        locked: the options that can't be changed once their test has begun.
        seal_key: by which pins and quit codes are sealed; None for one that nobody else has.
        rules: what each feed, by its number, says about the times of tests; none for the usual rules.
        leave_out: whether tests that had ended before they were ever sent are left out of the plan.
    """

    def __init__(
        self,
        connection: Connection,
        places: Sequence[str],
        fingerprint: Callable[[Record], bytes],
        locked: Collection[str] = (),
        seal_key: bytes | None = None,
        rules: Sequence[TimeRules] = (),
        *,
        leave_out: bool = True,
    ) -> None:
        self._connection, self._fingerprint = connection, fingerprint
        self._places = [f"{place} line" for place in places]
        self._locked = locked
        self._rules, self._leave_out = rules or [TimeRules()] * max(1, len(places)), leave_out
        self._moment: Moment | None = None
        self._trouble: Mapping[Kind, str] = {}
        self._sources: Mapping[Kind, Sequence[str]] = {}
        self._accepted: Collection[Kind] = ()
        self._seal = partial(seal, seal_key or new_key())
        scratch.make_tables(connection)

    def name_place(self, feed: int, place: str) -> None:
        """Takes what stands before the number of a row of this feed, such as `students.csv line`."""
        self._places[feed] = place

    def stage(
        self, kind: Kind, feed: int, records: Iterable[tuple[Record, Origin | None, int]]
    ) -> int:
        """Stages wanted records of one feed with their origins and lines. Returns how many."""
        return scratch.stage(self._connection, kind, feed, records, self._fingerprint, self._seal)

    def discard(self, kind: Kind, feed: int) -> None:
        """Forgets what was staged from a feed that could not be read to its end."""
        scratch.discard_feed(self._connection, kind, feed)

    def add_row_errors(self, row_errors: Iterable[RowError], feed: int | None = None) -> int:
        """Keeps row errors with their keys, and with the feed whose rows they are. Returns how many."""
        return scratch.add_row_errors(self._connection, row_errors, feed)

    def depart(self, kind: Kind, feed: int, departures: Iterable[tuple[Key, int]]) -> None:
        """Notes the records of which a row of this feed says that they depart."""
        scratch.depart(self._connection, kind, feed, departures)

    def doubt_departures(self, feed: int) -> None:
        """Takes back that records of this feed depart: another one, which can't be relied on, may still name them."""
        self._connection.execute(text("DELETE FROM departed WHERE feed = :feed"), {"feed": feed})

    def keep_known(self, kind: Kind, feed: int) -> None:
        """Takes out of this feed, which gives way to others, whoever is known: those others may say otherwise."""
        merge.keep_known(self._connection, kind, feed)

    def unselect(self, kind: Kind, feed: int, keys: Iterable[Key]) -> None:
        """Notes the records of rows that changed and that `where` does not select (any more)."""
        scratch.unselect(self._connection, kind, feed, keys)

    def rows_of(self, source: str, sources: Collection[str]) -> int:
        """How many rows a joined source, one of these, had when it was last whole; 0 when that was never noted."""
        return provenance.rows_of(self._connection, source, sources)

    def keep_rows(self, rows: Mapping[str, int], sources: Collection[str]) -> None:
        """Takes these as the numbers of rows that joined sources have; `sources` are all that there are."""
        provenance.keep_rows(self._connection, rows, sources)

    def rely_on(
        self, sources: Mapping[Kind, Collection[str]], accepted: Collection[Kind] = ()
    ) -> None:
        """Takes the names of the sources of each kind: what others have named is not theirs to let go.

        But for the `accepted` kinds, of which a person has said that it is right what they name now.
        """
        self._sources = {kind: tuple(names) for kind, names in sources.items()}
        self._accepted = frozenset(accepted)

    def stage_lookup(self, number: int, rows: Iterable[tuple[str, lookups.Cells, int]]) -> int:
        """Takes the rows of a source that feeds join: key, wanted cells, row number. Returns how many."""
        return lookups.stage_lookup(self._connection, number, rows)

    def look_up(self, number: int, keys: Sequence[str]) -> Mapping[str, lookups.StagedLookup]:
        """What a joined source has under these keys."""
        return lookups.look_up(self._connection, number, keys)

    def mark_of(self, feed: str) -> str:
        """From where a feed, by its digest, is to be read for changes; empty when it must be read whole."""
        return snapshot.mark_of(self._connection, feed)

    def has_snapshot(self, feed: str) -> bool:
        """Return whether there is a snapshot of what this feed said, with these rules."""
        return snapshot.is_kept(self._connection, feed)

    def cover(
        self, number: int, kind: Kind, feed: str, mark: str, *, source: str, whole: bool
    ) -> int:
        """Notes what was staged of a feed for its snapshot; if that was not all, stages the rest from the last one.

        Returns how many records that adds to what is wanted.
        """
        snapshot.cover(self._connection, number, kind, feed, mark, source=source, whole=whole)
        return (
            0
            if whole
            else snapshot.lay_over(self._connection, number, kind, feed, self._fingerprint_of)
        )

    def keep_snapshots(
        self, now: datetime, feeds: Iterable[str], ill: Collection[str] = ()
    ) -> None:
        """Stores this run's snapshots with their marks, and drops those of feeds that are no more.

        What an `ill` source does not name any more stays in its feeds' snapshots.
        """
        snapshot.keep(self._connection, now, ill)
        snapshot.forget_others(self._connection, feeds)

    def shrinkage(self, kind: Kind, source: str) -> tuple[int, int]:
        """How many known records this source named that no feed names any more, and how many it named."""
        return provenance.shrinkage(self._connection, kind, source, self._sources.get(kind, ()))

    def note_sources(
        self,
        feeds: Sequence[tuple[Kind, str]],
        proven: Collection[tuple[Kind, str]],
        accepted: Collection[str] = (),
    ) -> None:
        """Notes which source names each known record now; `feeds` are the kinds and sources of feeds by number."""
        provenance.note_sources(self._connection, feeds, proven, accepted)

    def groups_of(self, source: str) -> frozenset[str]:
        """The groups that the source had when it was last whole."""
        return provenance.groups_of(self._connection, source)

    def keep_groups(self, source: str, groups: Collection[str]) -> None:
        """Takes these as the groups that the source has."""
        provenance.keep_groups(self._connection, source, groups)

    def lost_tail(self, kind: Kind, source: str, least: int, *, tests_whole: bool) -> int:
        """Return how many records that stood last in this source's last delivery are all missing (see `tails.lost`)."""
        return tails.lost(self._connection, kind, source, least, tests_whole=tests_whole)

    def keep_tails(
        self, feeds: Mapping[tuple[Kind, str], Sequence[int]], sources: Collection[str]
    ) -> None:
        """Remembers what stands last in sources now, by the numbers of their feeds; `sources` are all there are."""
        for (kind, source), by_feed in feeds.items():
            tails.keep(self._connection, kind, source, by_feed)
        tails.forget_others(self._connection, sources)

    def ended_whole(self, source: str) -> bool:
        """Whether the source's last delivery ended in a line end."""
        return tails.ended_whole(self._connection, source)

    def keep_endings(self, endings: Mapping[str, bool]) -> None:
        """Remembers of each source whether its delivery ended in a line end."""
        for source, whole in endings.items():
            tails.keep_ending(self._connection, source, whole=whole)

    def drop_line(self, kind: Kind, feed: int, line: int) -> None:
        """Takes what one row of a feed says out of what is wanted and of what departure."""
        tails.drop_line(self._connection, kind, feed, line)

    def drop_lookup_line(self, number: int, line: int) -> None:
        """Takes one row out of a joined source."""
        query = text("DELETE FROM lookup WHERE id = :id AND line = :line")
        self._connection.execute(query, {"id": number, "line": line})

    def row_errors(self) -> Iterator[RowError]:
        """Every row error of the run."""
        return scratch.row_errors(self._connection)

    def row_error_count(self) -> int:
        """How many row errors the run has."""
        return count(self._connection, "SELECT count(*) FROM row_error")

    def valid_count(self, kind: Kind, feed: int) -> int:
        """Return how many wanted records of a feed no row error names."""
        return scratch.valid_count(self._connection, kind, feed)

    def invalid_rows(self, kind: Kind, place: str) -> int:
        """Return how many rows of the source at `place` have a row error of this kind."""
        query = "SELECT count(DISTINCT place) FROM row_error WHERE kind = :kind AND substr(place, 1, :length) = :place"
        return count(self._connection, query, kind=kind.value, place=place, length=len(place))

    def keyless(self, kind: Kind) -> str:
        """The place of a row of this kind whose key could not be read, or an empty text when there is none."""
        query = "SELECT place FROM row_error WHERE kind = :kind AND k1 IS NULL AND cause = '' ORDER BY id LIMIT 1"
        return str(self._connection.execute(text(query), {"kind": kind}).scalar() or "")

    def staged_people(self) -> Iterator[tuple[Record, str]]:
        """Everybody who is wanted, with the place of their row."""
        for kind in PEOPLE:
            for values in scratch.staged(self._connection, kind):
                key = (str(values["key"]),)
                where = row_place(self._places[int(values["feed"])], int(values["line"]), key)
                yield (
                    RECORD_CLASSES[kind](
                        values["key"], **{name: values[name] for name in COMPARED[kind]}
                    ),
                    where,
                )

    def close_staging(
        self, later: Sequence[tuple[Kind, int, str]] = (), unsure: Collection[Kind] = ()
    ) -> None:
        """Indexes what was staged and turns rows into row errors that contradict each other, or name nobody known.

        `later` are feeds that give way to earlier ones of their kind, each with how. Of `unsure` kinds not all may have
        been read.
        """
        scratch.index_wanted(self._connection)
        snapshot.drop_superseded(self._connection)
        for kind, feed, how in later:
            merge.give_way(self._connection, kind, feed, how, self._fingerprint_of)
        conflicts.find_conflicts(self._connection, self._places, self._fingerprint_of, unsure)
        derive.keep_usernames(self._connection, self._fingerprint_of)
        identities.find_shared(self._connection, self._places)
        derive.settle_percentages(self._connection, self._places, self._fingerprint_of)
        kept_values.leave_alone(self._connection, self._fingerprint_of)

    def _fingerprint_of(self, kind: Kind, fields: Mapping[str, object]) -> bytes:
        return self._fingerprint(RECORD_CLASSES[kind](**fields))  # type: ignore[arg-type]  # columns of the same names

    def gather_windows(self, now: datetime) -> None:
        """Works out when each test begins and ends."""
        self._moment = Moment.of(now)
        context.gather_windows(self._connection, now, leave_out=self._leave_out)

    def _timing(self, start: str | None, ends: str | None, feed: int | None) -> TimeFacts | None:
        rules = self._rules[feed or 0]  # only the longest duration may differ from feed to feed
        return TimeFacts(self._moment, start or "", ends or "", rules) if self._moment else None

    def gather_circumstances(self, now: datetime, trouble: Mapping[Kind, str]) -> None:
        """Works out who vanished, who looks like whom, and which tests retire. Needs the windows."""
        self._trouble = trouble
        context.gather_circumstances(self._connection, now, trouble)

    def arrived_or_changed(self, kind: Kind) -> Iterator[Pair]:
        """Every wanted record of this kind that is not known, or known otherwise."""
        trouble = self._trouble.get(kind, "")
        return pairs.arrived_or_changed(
            self._connection, kind, self._places, self._timing, self._locked, trouble
        )

    def absent(self, kind: Kind, trouble: str, seat_trouble: str) -> Iterator[Pair]:
        """Every known record of this kind that no feed names and no row error keeps."""
        sources = () if kind in self._accepted else self._sources.get(kind, ())
        return absences.absent(self._connection, kind, trouble, seat_trouble, self._timing, sources)

    def draft(self, drafted: Iterable[DraftedChange]) -> int:
        """Writes changes with their rulings into the draft."""
        return plan_table.draft(self._connection, drafted)

    def refresh(self, settled: Iterable[tuple[Kind, Key, bytes | None]]) -> None:
        """Notes records whose two sides agree although their fingerprints do not."""
        for chunk in scratch.chunks(settled):
            rows: list[tuple[object, ...]] = [
                (kind.value, *scratch.columns_of(key), mark) for kind, key, mark in chunk
            ]
            insert(self._connection, "refresh", ("kind", "k1", "k2", "fingerprint"), rows)

    def note_stay(self, kind: Kind, key: Key) -> None:
        """Notes somebody whom no source names any more, and who stays as they were not put there by us."""
        k1, k2 = scratch.columns_of(key)
        values = {"kind": kind.value, "k1": k1, "k2": k2}
        self._connection.execute(
            text("INSERT INTO stay (kind, k1, k2) VALUES (:kind, :k1, :k2)"), values
        )

    def stays(self) -> Mapping[Kind, Sequence[Key]]:
        """Those who stay although no source names them any more, by kind and in order."""
        rows = self._connection.execute(text("SELECT kind, k1, k2 FROM stay ORDER BY kind, k1, k2"))
        found: dict[Kind, list[Key]] = {}
        for name, k1, k2 in rows:
            found.setdefault(Kind(name), []).append(scratch.key_from(Kind(name), k1, k2))
        return found

    def stays_known(self, now: datetime) -> Mapping[Kind, Sequence[Key]]:
        """The same by what the last `apply` noted: needs no plan."""
        return history.stays(self._connection, now)

    def keep_needed(self, kind: Kind, by: Collection[Kind]) -> None:
        """Leaves in the draft of this kind only what wanted records of the kinds in `by` need."""
        priority.keep_needed(self._connection, kind, by)

    def soonest(self, after: int = 0, command: str = "") -> str:
        """When the soonest test begins to which the plan adds something after that line (UTC text); empty for none.

        Without what the last run by `command` could not add, as a person has to settle it first.
        """
        return priority.soonest(self._connection, after, command)

    def note_unsettled(self) -> None:
        """Note the tests of which it is not settled when they are. Needs the tests drafted.

        A share of a duration that is held is one of the known duration.
        """
        context.note_unsettled(self._connection)
        derive.settle_percentages(self._connection, self._places, self._fingerprint_of, held=True)

    def index_draft(self) -> None:
        """Lets candidates be held against the drafted learners and tests."""
        plan_table.index_draft(self._connection)

    def hold_scopes(
        self, limits: Limits, allowed: Collection[str], now: datetime
    ) -> list[HeldScope]:
        """Holds each scope that is over its limit, with the removals of the 24 hours before `now`."""
        return plan_table.hold_scopes(self._connection, limits, allowed, now)

    def defer_numbers(self) -> None:
        """Defer changes that take a candidate number which somebody who stays on the test has."""
        candidate_numbers.defer_numbers(self._connection)

    def deferred_numbers(self) -> tuple[int, int]:
        """Return how many changes wait for a candidate number, and how many of them for tests of the next 7 days."""
        waiting = (
            f"SELECT count(*) FROM plan WHERE verdict = 'deferred' AND cause = '{Cause.NUMBER}'"
        )
        return count(self._connection, waiting), count(
            self._connection, f"{waiting} AND wave LIKE '0%'"
        )

    def numbers_on(self, test: str, taken: Collection[str]) -> Sequence[Holder]:
        """Return who is known to have one of these candidate numbers on a test."""
        return candidate_numbers.numbers_on(self._connection, test, taken)

    def put_in_order(self) -> None:
        """Closes the plan."""
        plan_table.put_in_order(self._connection)
        self._connection.commit()

    def ignored(self) -> int:
        """How many wanted candidates name a test that is retired."""
        return pairs.ignored(self._connection)

    def left_out(self) -> Mapping[Kind, int]:
        """Return how many tests had ended before they were ever sent, and how many registrations name one of them."""
        return pairs.left_out(self._connection)

    def planned(self, verdict: Verdict | None = None) -> Iterator[PlannedChange]:
        """The plan, line by line in its order."""
        return plan_table.planned(self._connection, verdict)

    def groups(self, verdict: Verdict, most: int | None) -> Iterator[plan_table.ScopeGroup]:
        """Return what does not go ahead by its reason, each with up to `most` of its lines (None: all)."""
        return plan_table.groups(self._connection, verdict, most)

    def sample(self, kind: Kind, most: int) -> list[PlannedChange]:
        """Up to `most` creates of a kind that pass, spread evenly over the plan."""
        return plan_table.sample(self._connection, kind, most)

    def tally(self) -> dict[tuple[Kind, Action, Verdict], int]:
        """How many lines the plan has of each kind, action and verdict."""
        return plan_table.tally(self._connection)

    def waiting(self) -> tuple[int, int]:
        """Return how many changes wait, and how many of these for a test that starts within 7 days or runs."""
        return plan_table.waiting(self._connection)

    def missed(self) -> int:
        """Return how many new records are deferred, so that something that is wanted is not in Inspera."""
        return plan_table.missed(self._connection)

    def causes(self) -> dict[tuple[Verdict, Cause], int]:
        """How many lines of the plan do not go ahead, by verdict and cause."""
        return plan_table.causes(self._connection)

    def known_count(self, kind: Kind) -> int:
        """How many records of a kind are known, whatever their standing."""
        return count(self._connection, f"SELECT count(*) FROM known_{kind}")

    def is_blank(self) -> bool:
        """Whether nothing is known and nothing was ever tried: a new state, or a lost one."""
        return not any(self.known_count(kind) for kind in Kind) and not count(
            self._connection,
            "SELECT count(*) FROM intent WHERE outcome IS NULL OR outcome <> 'refused'",
        )

    def recovery(self) -> old_copy.RecoveryNeed | None:
        """Why nothing may be sent until this state has been recovered, as it may be an older copy; None when it may."""
        return old_copy.needed(self._connection)

    def open_intents(self) -> Iterator[OpenIntent]:
        """Intents of earlier runs without an outcome."""
        return journal.open_intents(self._connection)

    def open_intent_count(self) -> int:
        """How many intents of earlier runs have no outcome."""
        return count(self._connection, "SELECT count(*) FROM intent WHERE outcome IS NULL")

    def known(self, kind: Kind, key: Key) -> Fields | None:
        """What is known of one record: compared fields, `remote_id`, `standing`, `ours`, `updated`, and `as_sent`.

        `as_sent` says that Inspera was last known to have what a source said, and not only what was read there.
        """
        columns = ", ".join(
            f'"{name}"' for name in (*COMPARED[kind], "remote_id", "standing", "ours", "updated")
        )
        return self._one(
            f"SELECT {columns}, fingerprint IS NOT NULL AS as_sent FROM known_{kind}", kind, key
        )

    def people(self, kind: Kind, test: str, keys: Sequence[str]) -> Mapping[str, Fields]:
        """Known people by key, for candidates or contributors (`kind`) of a test: their identity and names.

        Of what is known of them on this test `updated` and `ours`. When that is nothing, `updated` is None, and `ours`
        true: what is to come is ours. So are the minutes that a person has settled, whoever put the candidate there.
        """
        if not keys:
            return {}  # an empty list has no type, and PostgreSQL takes it for numbers
        person, part = PERSON_OF[kind], KEY_FIELDS[kind][1]
        settled = f"EXISTS (SELECT 1 FROM accepted a WHERE a.kind = '{kind}' AND a.k1 = :test AND a.k2 = l.key)"
        query = text(
            "SELECT l.key, l.auth_system, l.external_id, l.first_name, l.last_name, l.email, k.updated,"
            f" (coalesce(k.ours, true) OR {settled}) AS ours FROM known_{person} l LEFT JOIN known_{kind} k"
            f" ON k.test = :test AND k.{part} = l.key WHERE l.key IN :keys"
        ).bindparams(bindparam("keys", expanding=True))
        rows = self._connection.execute(query, {"test": test, "keys": list(keys)}).mappings()
        return {str(row["key"]): dict(row) for row in rows}

    def on_test(self, kind: Kind, test: str) -> Mapping[str, Fields]:
        """All of a kind that is known on a test and not retired, by the second part of its key."""
        part = KEY_FIELDS[kind][1]
        columns = ", ".join(
            f'"{name}"' for name in (part, *COMPARED[kind], "remote_id", "ours", "updated")
        )
        query = text(
            f"SELECT {columns} FROM known_{kind} WHERE test = :test AND standing = 'active' ORDER BY {part}"
        )
        return {
            str(row[part]): dict(row)
            for row in self._connection.execute(query, {"test": test}).mappings()
        }

    def tests_of(self, staff: str) -> Sequence[str]:
        """The tests that have not ended and have this member of staff as a contributor, as far as we know."""
        query = (
            "SELECT c.test FROM known_contributor c LEFT JOIN test_window w ON w.test = c.test"
            " WHERE c.staff = :staff AND c.standing = 'active' AND coalesce(w.ended, 0) = 0 ORDER BY c.test"
        )
        return [str(row[0]) for row in self._connection.execute(text(query), {"staff": staff})]

    def committees_in_use(self, test: str) -> Sequence[str]:
        """The lists of committees that people on a test are in, retired ones too: their grades may still be to come."""
        query = " UNION ".join(
            f"SELECT committees FROM known_{kind} WHERE test = :test AND committees <> ''"
            for kind in PERSON_OF
        )
        return [str(row[0]) for row in self._connection.execute(text(query), {"test": test})]

    def refusals(self) -> int:
        """How many changes rest in this run because Inspera refused just them before."""
        query = (
            "SELECT count(*) FROM plan p JOIN barred b ON b.kind = p.kind AND b.k1 = p.k1 AND b.k2 = p.k2"
            " AND b.fingerprint = coalesce(p.fingerprint, :nothing) WHERE p.verdict = 'deferred'"
        )
        return count(self._connection, query, nothing=b"")

    def wanted(self, kind: Kind, key: Key) -> Fields | None:
        """What the feeds want of one record: its compared fields; None when no feed names it."""
        columns = ", ".join(f'"{name}"' for name in COMPARED[kind])
        return self._one(f"SELECT {columns} FROM wanted_{kind}", kind, key)

    def wanted_where(self, kind: Kind, key: Key) -> str:
        """The row that wants a record, such as `students.csv line 4`; empty when no feed names it."""
        row = self._one(f"SELECT feed, line FROM wanted_{kind}", kind, key)
        return f"{self._places[int(row['feed'] or 0)]} {row['line']}" if row else ""

    def kept(self, kind: Kind, key: Key) -> Fields:
        """The fields that keep Inspera's value (`adopt --keep`), each with what the source said then."""
        return kept_values.kept(self._connection, kind, key)

    def lapse_kept(self) -> None:
        """Forgets what was kept where the source says something else now; durable with the next commit."""
        kept_values.lapse(self._connection)

    def _one(self, select: str, kind: Kind, key: Key) -> Fields | None:
        condition = " AND ".join(f"{name} = :{name}" for name in KEY_FIELDS[kind])
        values = dict(zip(KEY_FIELDS[kind], key, strict=True))
        row = (
            self._connection.execute(text(f"{select} WHERE {condition}"), values).mappings().first()
        )
        return dict(row) if row else None

    def shared_identities(self) -> Mapping[tuple[Kind, Key], str]:
        """Return why records that share an identity with another are neither sent nor adopted."""
        return identities.errors(self._connection)

    def reuses(self, kind: Kind, key: Key) -> Key | None:
        """Return the vanished record whose identity this new one has, None when there is none."""
        return identities.reused(self._connection, kind, key)

    def holder(self, kind: Kind, key: Key, fields: Fields, remote_id: str | None) -> str:
        """Return who else is known to have the account or test that Inspera has so; empty for nobody."""
        return identities.holder(self._connection, kind, key, fields, remote_id)

    def lookalike(self, kind: Kind, key: Key) -> Key | None:
        """The vanished record that this new one looks like, None when there is none."""
        if (reused := self.reuses(kind, key)) is not None:
            return reused
        query = "SELECT min(old_key) FROM suspect WHERE kind = :kind AND new_key = :key"
        old = self._connection.execute(text(query), {"kind": kind, "key": key[0]}).scalar()
        return None if old is None else (str(old),)

    def planned_for(self, kind: Kind, key: Key) -> PlannedChange | None:
        """What the plan says of one record, None when it says nothing."""
        return plan_table.planned_for(self._connection, kind, key)

    def timing(self, test: str, moment: Moment) -> TimeFacts:
        """Return when a test runs by the times that may hold, as of the plan, to be judged by this moment."""
        row = self._connection.execute(
            text("SELECT start, ends FROM test_window WHERE test = :test"), {"test": test}
        ).first()
        return TimeFacts(moment, row.start if row else "", row.ends if row else "", self._rules[0])

    def window_by(self, test: str, now: datetime) -> tuple[str, bool, bool]:
        """The same by what is known alone, at any time: needs no plan."""
        return verification.window(self._connection, test, now)

    def everything(self, kind: Kind) -> Iterator[tuple[Key, Fields]]:
        """All records of a kind that are kept in step, with what is known of them."""
        return verification.everything(self._connection, kind)

    def written(self, run_id: int, kind: Kind, most: int | None) -> Iterator[WrittenRecord]:
        """What a run has written of a kind; up to `most` of it, spread evenly."""
        return verification.written(self._connection, run_id, kind, most)

    def stage_export(self, kind: Kind, people: Iterable[RemotePerson]) -> int:
        """Takes an export of people into the scratch. Returns how many rows it has."""
        return verification.stage_export(self._connection, kind, people)

    def exported(self, kind: Kind) -> Iterator[tuple[Key, Fields, RemotePerson | None]]:
        """All active people of a kind, each with who the export has in their place."""
        return verification.exported(self._connection, kind)

    def exported_strangers(self, kind: Kind) -> Iterator[str]:
        """Who is in the export without being known."""
        return verification.exported_strangers(self._connection, kind)
