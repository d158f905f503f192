"""How complete the tests are that start soon: what of each is wanted, in Inspera, and kept back."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from sync.records.base import Kind, utc_text
from sync.records.changes import CALLING, REMOVALS
from sync.records.kinds import ON_A_TEST
from sync.state.dialect import list_sql

AHEAD = timedelta(days=14)
"""How soon a test must start for its figures to be kept."""

WANTED, REMOVAL = "wanted", "removal"

_OF_TESTS = (Kind.TEST, *ON_A_TEST)


def keep(
    connection: Connection,
    run_id: int,
    now: datetime,
    kinds: Collection[Kind],
    relied_on: Collection[Kind],
) -> None:
    """Store the figures of these kinds after a run, instead of those of the runs before.

    It counts what the plan contains and the run has not done, and needs the run's scratch. What is
    wanted is counted of kinds that are `relied_on` alone: a source that was not read names nobody.
    """
    of = list_sql([kind for kind in _OF_TESTS if kind in kinds] or [""])
    values = {
        "run": run_id,
        "at": utc_text(now),
        "until": utc_text(now + AHEAD),
    }
    soon = "w.ended = 0 AND w.start <= :until"
    connection.execute(text(f"DELETE FROM exam_figure WHERE kind IN ({of})"))
    connection.execute(
        text(
            "DELETE FROM exam_figure WHERE test <> '' AND NOT EXISTS"
            f" (SELECT 1 FROM test_window w WHERE w.test = exam_figure.test AND {soon})"
        ),
        {"until": values["until"]},
    )
    if Kind.CANDIDATE in relied_on:
        # Also of a test without candidates: a test that is not here was not counted.
        query = (
            f"SELECT w.test, '{Kind.CANDIDATE}', '{WANTED}', w.start, count(c.test) FROM"
            f" test_window w LEFT JOIN wanted_candidate c ON c.test = w.test WHERE {soon}"
            " GROUP BY 1, 4"
        )
        _insert(connection, query, values)
    _insert(connection, _open_changes(of, soon), values)
    errors = (
        "SELECT coalesce(e.k1, ''), e.kind, 'row error', coalesce(w.start, ''), count(*)"
        " FROM row_error e LEFT JOIN test_window w ON w.test = e.k1"
        f" WHERE e.kind IN ({of}) AND (e.k1 IS NULL OR (e.k1 <> '' AND {soon})) GROUP BY 1, 2, 4"
    )
    _insert(connection, errors, values)
    connection.commit()


def _insert(connection: Connection, query: str, values: Mapping[str, object]) -> None:
    statement = (
        "INSERT INTO exam_figure (test, kind, state, start, number, run_id, at)"
        f" SELECT found.*, :run, :at FROM ({query}) AS found"
    )
    connection.execute(text(statement), values)


def _open_changes(of: str, soon: str) -> str:
    """Return the query for what the plan has for a test and this run has not done."""
    removal = f"p.action IN ({list_sql(REMOVALS)})"
    return (
        "SELECT p.k1, p.kind, "
        f"CASE WHEN {removal} THEN '{REMOVAL}' WHEN h.seq IS NOT NULL THEN 'held'"
        " WHEN p.verdict = 'pass' THEN 'not sent' ELSE p.verdict END AS state, w.start,"
        " count(DISTINCT p.seq) FROM plan p"
        f" JOIN test_window w ON w.test = p.k1 AND {soon}"
        " LEFT JOIN held_sending h ON h.seq = p.seq"
        " LEFT JOIN intent i ON i.run_id = :run AND i.kind = p.kind AND i.k1 = p.k1"
        " AND i.k2 = p.k2 AND i.outcome IN ('done', 'found')"
        f" WHERE p.kind IN ({of}) AND i.id IS NULL"
        f" AND (p.verdict <> 'pass' OR p.action IN ({list_sql(CALLING)}))"
        " GROUP BY 1, 2, 3, 4"
    )


@dataclass(frozen=True, slots=True)
class ExamFigures:
    """A test that starts soon, and how complete it is in Inspera. Times are text in UTC.

    Attributes:
        wanted: how many candidates the sources name.
        seats: how many candidates this tool knows to be in Inspera; None until they are counted.
        kept_back: how many changes are not in Inspera, by kind and why.
        in_inspera: whether the test itself is there.
        counted: whether a run has counted the candidates. A test that was moved here from a later
            time, or that only a job of other kinds has read, is not.
        run_id: the oldest run that one of these figures is from; `at` is its time.
    """

    key: str
    title: str | None
    start: str
    end: str | None
    wanted: int
    seats: int | None
    kept_back: Mapping[tuple[Kind, str], int]
    in_inspera: bool
    counted: bool = False
    run_id: int = 0
    at: str = ""

    @property
    def missing(self) -> int:
        """Return how many wanted records are not in Inspera as the sources have them."""
        return sum(n for (_, state), n in self.kept_back.items() if state != REMOVAL)

    @property
    def is_complete(self) -> bool:
        """Tell whether everything wanted is in Inspera, and nothing is still to be taken off."""
        return self.in_inspera and self.counted and not self.kept_back


@dataclass(slots=True)
class _Gathered:
    start: str = ""
    wanted: int | None = None
    kept_back: Counter[tuple[Kind, str]] = field(default_factory=Counter)
    run_id: int = 0
    at: str = ""


def read(
    connection: Connection, since: datetime, until: datetime
) -> tuple[Sequence[ExamFigures], int]:
    """Return the tests that are on or start between these times, the soonest first.

    The number is that of rows that can't be used and name no test that can be read.
    """
    gathered = _gather(connection)
    nameless = gathered.pop("", _Gathered()).kept_back.total()
    times = {"since": utc_text(since), "until": utc_text(until)}
    exams = [
        _figures(gathered.pop(key, _NOTHING), key, title, start, end)
        for key, title, start, end in connection.execute(text(_KNOWN), times)
    ]
    exams += [
        _figures(one, key, None, one.start, None, in_inspera=False)
        for key, one in gathered.items()
        if one.start <= times["until"] and not _is_known(connection, key)
    ]
    return sorted(exams, key=lambda one: (one.start, one.key)), nameless


def count_seats(connection: Connection, exams: Iterable[ExamFigures]) -> Sequence[ExamFigures]:
    """Return the tests with the number of candidates who are known to be in Inspera."""
    query = text("SELECT count(*) FROM known_candidate WHERE test = :key AND lifecycle = 'active'")
    return [
        replace(one, seats=int(connection.execute(query, {"key": one.key}).scalar_one()))
        for one in exams
    ]


def _gather(connection: Connection) -> dict[str, _Gathered]:
    """Return the stored figures by test. The oldest run counts as the time of all of them."""
    gathered: dict[str, _Gathered] = {}
    query = "SELECT test, kind, state, start, number, run_id, at FROM exam_figure ORDER BY at DESC"
    for row in connection.execute(text(query)):
        one = gathered.setdefault(row.test, _Gathered())
        one.start, one.run_id, one.at = row.start, row.run_id, row.at
        if row.state == WANTED:
            one.wanted = row.number
        else:
            one.kept_back[Kind(row.kind), row.state] += row.number
    return gathered


def _figures(
    one: _Gathered,
    key: str,
    title: str | None,
    start: str,
    end: str | None,
    *,
    in_inspera: bool = True,
) -> ExamFigures:
    kept_back = dict(one.kept_back)
    return ExamFigures(
        key,
        title,
        start,
        end,
        one.wanted or 0,
        None,
        kept_back,
        in_inspera,
        one.wanted is not None,
        one.run_id,
        one.at,
    )


_NOTHING = _Gathered()

_KNOWN = (
    "SELECT key, title, start, \"end\" FROM known_test WHERE lifecycle = 'active'"
    ' AND start <= :until AND coalesce("end", start) >= :since'
)


def _is_known(connection: Connection, key: str) -> bool:
    query = text("SELECT 1 FROM known_test WHERE key = :key")
    return connection.execute(query, {"key": key}).first() is not None
