"""The accounts of an export: by login in any case, by external id, and whether they are complete."""

from datetime import timedelta

import pytest
from sync.mapping import fingerprint
from sync.records.base import Kind
from sync.records.remote import RemotePerson
from sync.state.journal import Journal
from sync.state.store import Store

from .databases import blank
from .journalled import START

pytestmark = pytest.mark.usefixtures("database")

LATER = START + timedelta(hours=1)
LINKED = RemotePerson("2", "b", (("FEIDE", "b@example.edu"), ("LTI", "x")))


def test_accounts_are_found_by_login_in_any_case_or_by_external_id() -> None:
    with blank() as connection:
        exports = Store(connection, places=[], fingerprint=fingerprint).exports
        assert exports.stage_accounts(Kind.LEARNER, [RemotePerson("1", "STRASSE")]) == (1, 0)
        assert not exports.shows_external_ids(Kind.LEARNER)
        assert exports.stage_accounts(Kind.STAFF, [LINKED, RemotePerson("3", None)]) == (2, 1)
        assert exports.shows_external_ids(Kind.STAFF)
        assert exports.has_account("stra\u00dfe", None, None)
        assert exports.has_account("new", "LTI", "x")
        assert not exports.has_account("new", "FEIDE", "x")
        exports.discard_accounts(Kind.STAFF)
        assert not exports.has_account("b", "LTI", "x")
        assert exports.has_account("Strasse", None, None)


def test_an_export_is_compared_with_the_people_who_were_known_before_it() -> None:
    with blank() as connection:
        store = Store(connection, places=[], fingerprint=fingerprint)
        journal = Journal(connection, lambda: START, "apply")
        for name in ("A", "b"):
            journal.known.remember(Kind.LEARNER, (name,), {"username": name}, remote_id="9")
        store.exports.stage_accounts(Kind.LEARNER, [RemotePerson("1", "a")])
        assert store.exports.count_lacking(Kind.LEARNER, LATER) == (1, 2)
        assert store.exports.count_lacking(Kind.LEARNER, START) == (0, 0)
