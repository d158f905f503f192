"""What changed in an OpenLDAP directory since a mark."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sync.errors import SourceError
from sync.records.extract import Since
from sync.sources.ldap.source import LdapSettings

from ...support.servers.slapd import ADMIN, PASSWORD, PEOPLE, Entry, Slapd, person

pytestmark = pytest.mark.server

LATER = datetime(2030, 1, 1, tzinfo=UTC)
"""This machine's clock in these tests, later than all changes; in one test it is earlier."""


def changed_at(uid: str, moment: str) -> Entry:
    return person(
        uid, modifyTimestamp=moment, createTimestamp=moment, creatorsName=ADMIN, modifiersName=ADMIN
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    entries = [changed_at(str(n), f"202601{n:02}120000Z") for n in range(1, 11)]
    with Slapd(tmp_path_factory.mktemp("slapd"), entries).running() as one:
        yield one


def source(server: Slapd, **others: object) -> LdapSettings:
    usual = {"servers": server.url, "base": PEOPLE, "scope": "onelevel", "attributes": ["uid"]}
    return LdapSettings.model_validate(usual | others)


def changed(
    one: LdapSettings, mark: str = "", column: str = "modifyTimestamp", clock: datetime = LATER
) -> tuple[list[str], str, str]:
    """Who changed, the next mark, and why this is not all."""
    with one.reader(Path(), lambda: clock).open(Since(column, mark), one.overlap) as extract:
        found = [row.values["uid"] for row in extract.rows]
        return found, extract.mark(), extract.partial


def test_the_first_reading_is_of_everything_and_marks_the_latest_change(server: Slapd) -> None:
    found, mark, partial = changed(source(server))
    assert found == [str(n) for n in range(1, 11)]
    assert mark == "20260110115500Z"
    assert partial == ""


def test_the_next_one_is_of_what_updated_column_then(server: Slapd) -> None:
    assert changed(source(server), "20260109115500Z") == (
        ["9", "10"],
        "20260110115500Z",
        "only what changed",
    )
    assert changed(source(server, filter="(uid=9)"), "20260109115500Z")[0] == ["9"]


def test_how_far_it_reaches_back_is_configured(server: Slapd) -> None:
    assert changed(source(server, overlap="1d"))[1] == "20260109120000Z"


def test_where_nothing_changed_the_mark_stays(server: Slapd) -> None:
    assert changed(source(server), "20290101000000Z") == (
        [],
        "20290101000000Z",
        "only what changed",
    )


def test_the_mark_is_never_after_the_beginning_of_the_reading(server: Slapd) -> None:
    begun = datetime(2026, 1, 5, tzinfo=UTC)
    assert changed(source(server), clock=begun)[1] == "20260104235500Z"


def test_a_change_is_seen_by_the_next_reading(tmp_path: Path) -> None:
    with Slapd(
        tmp_path / "slapd", [changed_at(str(n), "20260101120000Z") for n in range(3)]
    ).running() as server:
        one = source(server)
        mark = changed(one)[1]
        server.modify(f"uid=1,{PEOPLE}", sn="Other")
        server.add(person("new"))
        server.delete(f"uid=0,{PEOPLE}")
        found, later, _ = changed(one, "20260101120001Z")
    assert sorted(found) == ["1", "new"]
    assert later > mark


def test_the_column_may_be_one_of_the_sources_own(server: Slapd) -> None:
    one = source(server, attributes={"uid": "uid", "changed": "modifyTimestamp"})
    assert changed(one, "20260109115500Z", "changed")[0] == ["9", "10"]


def test_it_is_opened_as_the_engine_opens_it(server: Slapd, tmp_path: Path) -> None:
    with source(server).open_since(tmp_path, Since("modifyTimestamp")) as extract:
        assert len(list(extract.rows)) == 10
        assert extract.mark() == "20260110115500Z"


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (
            "whenChanged",
            "can't be searched by 'whenChanged'; set 'updated_column' to modifyTimestamp",
        ),
        (
            "uSNChanged",
            "can't be searched by 'uSNChanged'; set 'updated_column' to modifyTimestamp",
        ),
        ("uid", "can't find changes by 'uid'; set 'updated_column' to modifyTimestamp"),
    ],
)
def test_what_can_not_tell_is_refused_and_what_can_is_named(
    column: str, said: str, server: Slapd
) -> None:
    with pytest.raises(SourceError, match=said):
        changed(source(server), column=column)


def test_a_mark_of_another_kind_asks_for_a_full_reading(server: Slapd) -> None:
    with pytest.raises(SourceError, match="of another kind; run once without --changed"):
        changed(source(server), "dc1.example.edu:900")


def test_an_entry_that_hides_when_it_changed_is_a_failure(tmp_path: Path) -> None:
    lines = "access to attrs=modifyTimestamp by users read\naccess to * by * read"
    with Slapd(
        tmp_path / "slapd", [changed_at("1", "20260101120000Z")], lines=lines
    ).running() as server:
        with pytest.raises(
            SourceError, match="entry 1: has no 'modifyTimestamp', so its changes can't be found"
        ):
            changed(source(server))
        assert changed(source(server, user=ADMIN, password=PASSWORD))[0] == ["1"]


def test_the_overlap_is_a_length_of_time(server: Slapd) -> None:
    assert source(server).overlap == timedelta(minutes=5)
