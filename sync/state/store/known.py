"""What the state knows of the records in Inspera."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import bindparam, text

from sync.planning.candidate_numbers import Holder
from sync.records.base import Key, Kind
from sync.records.changes import Fields
from sync.records.kinds import COMPARED, KEY_FIELDS, PERSON_OF
from sync.state import kept_values, traits
from sync.state.compare import candidate_numbers, verification
from sync.state.sqlite.open import count
from sync.state.staging import identities
from sync.state.store.scope import RunScope


class KnownRecords:
    """The known records, as the last outcomes and readings left them."""

    def __init__(self, scope: RunScope) -> None:
        self._scope, self._connection = scope, scope.connection

    def find(self, kind: Kind, key: Key) -> Fields | None:
        """Return one record: its compared fields, `remote_id`, `lifecycle`, `managed` and more.

        `as_sent` tells that Inspera last had what a source contained, and not only what was read
        there.
        """
        columns = ", ".join(
            f'"{name}"'
            for name in (*COMPARED[kind], "remote_id", "lifecycle", "managed", "updated")
        )
        query = f"SELECT {columns}, fingerprint IS NOT NULL AS as_sent FROM known_{kind}"
        return self._scope.find_row(query, kind, key)

    def count(self, kind: Kind) -> int:
        """Return how many records of a kind are known, whatever their lifecycle."""
        return count(self._connection, f"SELECT count(*) FROM known_{kind}")

    def is_blank(self) -> bool:
        """Tell whether nothing is known and nothing was ever tried: it is new, or was lost."""
        query = "SELECT count(*) FROM intent WHERE outcome IS NULL OR outcome <> 'refused'"
        return not any(self.count(kind) for kind in Kind) and not count(self._connection, query)

    def everything(self, kind: Kind) -> Iterator[tuple[Key, Fields]]:
        """Yield all records of a kind that are kept in step, with what is known of them."""
        return verification.read_known(self._connection, kind)

    def people(self, kind: Kind, test: str, keys: Sequence[str]) -> Mapping[str, Fields]:
        """Return known people by key: the candidates or contributors (`kind`) of a test.

        `updated` and `managed` are those of the member on this test. For one who is not known on
        it, `updated` has no value and `managed` is true, since this tool is about to add them.
        `managed` is also true where a person has settled the minutes.
        """
        if not keys:
            return {}  # an empty list has no type, and PostgreSQL takes it for numbers
        person, part = PERSON_OF[kind], KEY_FIELDS[kind][1]
        settled = (
            f"EXISTS (SELECT 1 FROM accepted a WHERE a.kind = '{kind}' AND a.k1 = :test AND "
            "a.k2 = l.key)"
        )
        query = text(
            "SELECT l.key, l.auth_system, l.external_id, l.first_name, l.last_name, l.email, "
            "k.updated,"
            f" (coalesce(k.managed, true) OR {settled}) AS managed FROM known_{person} l LEFT JOIN "
            f"known_{kind} k"
            f" ON k.test = :test AND k.{part} = l.key WHERE l.key IN :keys"
        ).bindparams(bindparam("keys", expanding=True))
        rows = self._connection.execute(query, {"test": test, "keys": list(keys)}).mappings()
        return {str(row["key"]): dict(row) for row in rows}

    def on_test(self, kind: Kind, test: str) -> Mapping[str, Fields]:
        """Return all active members of a kind on a test, by the second part of their key."""
        part = KEY_FIELDS[kind][1]
        names = (part, *COMPARED[kind], "remote_id", "managed", "updated")
        columns = ", ".join(f'"{name}"' for name in names)
        query = text(
            f"SELECT {columns} FROM known_{kind} WHERE test = :test AND lifecycle = 'active' ORDER "
            f"BY {part}"
        )
        rows = self._connection.execute(query, {"test": test}).mappings()
        return {str(row[part]): dict(row) for row in rows}

    def traits(self, test: str, now: datetime) -> Mapping[str, str]:
        """Return what stops changes on a test: `archived` or `parent`, each with Inspera's words."""
        return traits.find(self._connection, test, now)

    def tests_of(self, staff: str) -> Sequence[str]:
        """Return the tests that have not ended and have this member of staff as contributor."""
        query = (
            "SELECT c.test FROM known_contributor c LEFT JOIN test_window w ON w.test = c.test"
            " WHERE c.staff = :staff AND c.lifecycle = 'active' AND coalesce(w.ended, 0) = 0 "
            "ORDER BY c.test"
        )
        return [str(row[0]) for row in self._connection.execute(text(query), {"staff": staff})]

    def tests_of_learner(self, learner: str) -> Sequence[str]:
        """Return the tests that have not begun and on which this learner is known to have a seat."""
        query = (
            "SELECT c.test FROM known_candidate c LEFT JOIN test_window w ON w.test = c.test"
            " WHERE c.learner = :learner AND c.lifecycle = 'active' AND coalesce(w.begun, 0) = 0"
            " ORDER BY c.test"
        )
        return [str(row[0]) for row in self._connection.execute(text(query), {"learner": learner})]

    def committees_in_use(self, test: str) -> Sequence[str]:
        """Return the lists of committees that people on a test are in.

        Those of retired people count too, since their grades may still be to come.
        """
        query = " UNION ".join(
            f"SELECT committees FROM known_{kind} WHERE test = :test AND committees <> ''"
            for kind in PERSON_OF
        )
        return [str(row[0]) for row in self._connection.execute(text(query), {"test": test})]

    def numbers_on(self, test: str, taken: Collection[str]) -> Sequence[Holder]:
        """Return who is known to have one of these candidate numbers on a test."""
        return candidate_numbers.numbers_on(self._connection, test, taken)

    def holder(self, kind: Kind, key: Key, fields: Fields, remote_id: str | None) -> str:
        """Return who else is known to have this account or test; empty for nobody."""
        return identities.find_holder(self._connection, kind, key, fields, remote_id)

    def window(self, test: str, now: datetime) -> tuple[str, bool, bool]:
        """Return when a known test starts, and whether it has begun and ended; needs no plan."""
        return verification.read_window(self._connection, test, now)

    def kept(self, kind: Kind, key: Key) -> Fields:
        """Return the fields that keep Inspera's value (`adopt --keep`), as the source was then."""
        return kept_values.read(self._connection, kind, key)

    def lapse_kept(self) -> None:
        """Drop kept values whose source has another value now; durable with the next commit."""
        kept_values.forget_outdated(self._connection)
