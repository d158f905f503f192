"""LDAP sources: the contract of all sources, the rows of entries, and incomplete results."""

import tracemalloc
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pytest
from pydantic import ValidationError
from sync.errors import SourceError
from sync.records.base import Row
from sync.sources.base import SourceSettings
from sync.sources.ldap.source import LdapSettings

from ...support.servers.needed import free_port
from ...support.servers.slapd import GROUPS, PEOPLE, SUFFIX, Entry, Slapd, group, people, person
from .contract import COLUMNS, MEMORY, SourceContract

COLUMNS_OF = {"student_no": "uid", "given": "givenName", "family": "description"}
"""The last of them may be missing from a person, unlike `sn`."""


def settings(server: Slapd, **others: object) -> LdapSettings:
    usual = {
        "servers": server.url,
        "base": PEOPLE,
        "scope": "onelevel",
        "attributes": ["uid", "cn"],
    }
    return LdapSettings.model_validate(usual | others)


def entry(cells: Sequence[str]) -> Entry:
    attributes = {COLUMNS_OF[name]: cell for name, cell in zip(COLUMNS, cells, strict=True) if cell}
    return person(cells[0], **attributes)


@pytest.fixture(scope="module")
def data_of(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Databases of so many people, each filled once."""
    return {0: tmp_path_factory.mktemp("directories")}


@pytest.mark.server
class TestLdapKeepsTheContract(SourceContract):
    data: dict[int, Path]
    servers: dict[Path, Slapd]

    @pytest.fixture(autouse=True)
    def _stopping(self, data_of: dict[int, Path]) -> Iterator[None]:
        self.data, self.servers = data_of, {}
        yield
        for server in self.servers.values():
            server.stop()

    def serve(self, folder: Path, server: Slapd) -> SourceSettings:
        self.servers[folder] = server
        server.start()
        return settings(server, attributes=COLUMNS_OF)

    def make(
        self, folder: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]
    ) -> SourceSettings:
        assert tuple(columns) == COLUMNS
        return self.serve(folder, Slapd(folder / "slapd", map(entry, rows)))

    def make_large(self, folder: Path, count: int = 10_000) -> SourceSettings:
        if count not in self.data:
            rows = ((str(n), f"Given{n}", "Exämple") for n in range(count))
            filled = Slapd(self.data[0] / str(count), map(entry, rows))
            filled.load()
            self.data[count] = filled.folder / "data"
        return self.serve(folder, Slapd(folder / "slapd", data=self.data[count]))

    def absent(self) -> SourceSettings:
        values = {
            "servers": f"ldap://127.0.0.1:{free_port()}",
            "base": PEOPLE,
            "attributes": ["uid"],
        }
        return LdapSettings.model_validate(values)

    def damage_end(self, folder: Path) -> None:
        self.servers[folder].restart("size.soft=1000 size.hard=1000 size.prtotal=5000")

    def disturb(self, folder: Path) -> None:
        self.servers[folder].kill()

    def test_its_columns_are_read_without_its_rows(self, tmp_path: Path) -> None:
        source = self.make_large(tmp_path, 20_000)
        self.damage_end(tmp_path)
        assert source.column_names(tmp_path) == ("dn", *COLUMNS)

    def test_a_source_without_rows_still_has_columns(self, tmp_path: Path) -> None:
        source = self.make(tmp_path, COLUMNS, [])
        assert source.column_names(tmp_path) == ("dn", *COLUMNS)
        assert list(source.rows(tmp_path)) == []

    def test_its_memory_does_not_grow_with_its_length(self, tmp_path: Path) -> None:
        source = self.make_large(tmp_path)
        next(source.rows(tmp_path))  # what is imported first counts as memory, too
        tracemalloc.start()
        try:
            count = sum(1 for _ in source.rows(tmp_path))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert count == 10_000
        assert peak < MEMORY


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    """2,500 people, one group of three of them and one of one, and an empty folder of entries."""
    members = [f"UID={n}, OU=People,{SUFFIX}" for n in (3, 1, 2)]
    entries: list[Entry] = [
        *people(2500),
        group("EX1", members),
        group("EX2", [PEOPLE.upper()]),
        (f"cn=EX3,{GROUPS}", {"objectClass": "organizationalRole", "cn": "EX3"}),
    ]
    with Slapd(tmp_path_factory.mktemp("slapd"), entries).running() as one:
        yield one


def read(server: Slapd, folder: Path, **others: object) -> list[Row]:
    return list(settings(server, **others).rows(folder))


def refused(server: Slapd, folder: Path, **others: object) -> str:
    """Return the error of a server that can't be read, or not to its end."""
    with pytest.raises(SourceError) as caught:
        read(server, folder, **others)
    assert "\n" not in str(caught.value)
    assert caught.value.remedy
    return str(caught.value)


@pytest.mark.server
class TestWhole:
    def test_pages_give_all_although_only_1000_come_at_once(
        self, server: Slapd, tmp_path: Path
    ) -> None:
        rows = read(server, tmp_path)
        assert [row.values["uid"] for row in rows] == [str(n) for n in range(2500)]
        assert [row.line for row in rows] == list(range(1, 2501))

    @pytest.mark.parametrize("size", [1, 36, 37, 110, 111, 112])
    def test_the_size_of_pages_changes_nothing(
        self, size: int, server: Slapd, tmp_path: Path
    ) -> None:
        assert len(read(server, tmp_path, page_size=size, filter="(uid=3*)")) == 111

    def test_without_pages_the_size_limit_is_a_failure_that_is_named(
        self, server: Slapd, tmp_path: Path
    ) -> None:
        said = refused(server, tmp_path, paged=False)
        assert (
            "could not be read to its end: its size limit was exceeded "
            "(sizeLimitExceeded); remove" in said
        )
        assert "'paged: false'" in said

    def test_without_pages_what_fits_is_read(self, server: Slapd, tmp_path: Path) -> None:
        assert len(read(server, tmp_path, paged=False, filter="(uid=3*)")) == 111

    def test_a_limit_on_all_pages_together_is_a_failure(self, tmp_path: Path) -> None:
        limited = Slapd(
            tmp_path / "slapd", people(50), limits="size.soft=20 size.hard=20 size.prtotal=30"
        )
        with limited.running():
            said = refused(limited, tmp_path, page_size=10)
        assert "sizeLimitExceeded" in said
        assert "size.prtotal" in said

    def test_a_directory_that_allows_no_pages_says_what_to_set(self, tmp_path: Path) -> None:
        limited = Slapd(
            tmp_path / "slapd", people(5), limits="size.soft=20 size.hard=20 size.prtotal=disabled"
        )
        with limited.running():
            assert "if it forbids paging, set 'paged: false'" in refused(limited, tmp_path)
            assert len(read(limited, tmp_path, paged=False)) == 5

    def test_a_base_that_is_not_there_is_a_failure(self, server: Slapd, tmp_path: Path) -> None:
        said = refused(server, tmp_path, base=f"ou=nowhere,{SUFFIX}")
        assert (
            "the base does not exist, or this account may not read it (noSuchObject); check 'base'"
            in said
        )

    def test_a_base_in_no_directory_of_this_server_is_a_failure(
        self, server: Slapd, tmp_path: Path
    ) -> None:
        assert "noSuchObject" in refused(server, tmp_path, base="dc=elsewhere")

    def test_a_server_that_is_killed_between_pages_is_a_failure(self, tmp_path: Path) -> None:
        dying = Slapd(tmp_path / "slapd", people(100))
        with dying.running():
            rows = settings(dying, page_size=10).rows(tmp_path)
            assert next(rows).values["uid"] == "0"
            dying.kill()
            with pytest.raises(
                SourceError, match="the connection was closed before all was read; try again later"
            ):
                list(rows)

    def test_parts_on_other_servers_are_left_out_or_refused_as_configured(
        self, tmp_path: Path
    ) -> None:
        elsewhere: Entry = (
            f"ou=elsewhere,{PEOPLE}",
            {
                "objectClass": ("referral", "extensibleObject"),
                "ou": "elsewhere",
                "ref": "ldap://127.0.0.1:1/dc=x",
            },
        )
        with Slapd(tmp_path / "slapd", [*people(3), elsewhere]).running() as one:
            assert len(read(one, tmp_path, scope="subtree", filter="(uid=*)")) == 3
            said = refused(one, tmp_path, scope="subtree", filter="(uid=*)", referrals="refuse")
            assert "a part of it is on another server" in said
            assert "it refers to another server (referral)" in refused(
                one, tmp_path, base=f"ou=elsewhere,{PEOPLE}"
            )


@pytest.mark.server
class TestRows:
    def test_a_row_has_its_entrys_own_name_in_the_form_for_comparing(
        self, server: Slapd, tmp_path: Path
    ) -> None:
        (row,) = read(server, tmp_path, filter="(uid=7)")
        assert row.values == {"dn": f"uid=7,{PEOPLE}", "uid": "7", "cn": "Åse 7"}

    def test_each_member_of_a_group_becomes_a_row_that_matches_its_persons_name(
        self, server: Slapd, tmp_path: Path
    ) -> None:
        attributes = {
            "test": "cn",
            "member": {"many": "all"},
            "uid": {"attribute": "member", "many": "first"},
        }
        rows = read(server, tmp_path, base=GROUPS, filter="(cn=EX1)", attributes=attributes)
        people = read(server, tmp_path, filter="(|(uid=1)(uid=2)(uid=3))")
        assert [row.values["member"] for row in rows] == [row.values["dn"] for row in people]
        assert {row.values["test"] for row in rows} == {"EX1"}
        assert {row.line for row in rows} == {1}

    def test_members_may_be_given_by_what_their_names_begin_with(
        self, server: Slapd, tmp_path: Path
    ) -> None:
        member = {"many": "join", "separator": "|", "read_as": "rdn"}
        rows = read(server, tmp_path, base=GROUPS, filter="(cn=EX1)", attributes={"member": member})
        assert [row.values["member"] for row in rows] == ["1|2|3"]

    def test_a_group_without_members_gives_no_row_and_no_group_is_lost_by_it(
        self, server: Slapd, tmp_path: Path
    ) -> None:
        attributes = {"test": "cn", "member": {"many": "all"}}
        rows = read(server, tmp_path, base=GROUPS, attributes=attributes)
        assert [(row.line, row.values["test"]) for row in rows] == [(1, "EX1")] * 3 + [(2, "EX2")]

    def test_several_values_where_one_is_expected_are_a_failure_that_names_the_entry(
        self, server: Slapd, tmp_path: Path
    ) -> None:
        said = refused(server, tmp_path, base=GROUPS, attributes=["cn", "member"])
        assert (
            "entry 1: attribute 'member' has 3 values; set 'many' of this column to first" in said
        )

    def test_the_first_value_is_the_smallest_whatever_their_order(
        self, server: Slapd, tmp_path: Path
    ) -> None:
        attributes = {"member": {"many": "first"}}
        rows = read(server, tmp_path, base=GROUPS, filter="(cn=EX1)", attributes=attributes)
        assert [row.values["member"] for row in rows] == [f"uid=1,{PEOPLE}"]

    def test_one_attribute_can_be_in_several_columns_and_in_any_case(
        self, server: Slapd, tmp_path: Path
    ) -> None:
        attributes = {"no": "UID", "again": "uid", "missing": "description"}
        (row,) = read(server, tmp_path, filter="(uid=7)", attributes=attributes)
        assert row.values == {"dn": f"uid=7,{PEOPLE}", "no": "7", "again": "7", "missing": ""}

    def test_a_filter_may_hold_letters_beyond_ascii_and_escapes(
        self, server: Slapd, tmp_path: Path
    ) -> None:
        assert len(read(server, tmp_path, filter="(cn=Åse 7)")) == 1
        assert len(read(server, tmp_path, filter=r"(cn=\c3\85se 7)")) == 1

    def test_a_slip_in_an_attributes_name_is_a_failure_not_a_blank_column(
        self, server: Slapd, tmp_path: Path
    ) -> None:
        said = refused(server, tmp_path, attributes=["uid", "maill"])
        assert "attribute 'maill' is not known to this LDAP server; correct its name" in said

    def test_an_attribute_under_its_other_name_is_never_blank_by_mistake(
        self, server: Slapd, tmp_path: Path
    ) -> None:
        said = refused(server, tmp_path, attributes=["uid", "surname"])
        assert "attribute 'surname' is called 'sn' by this LDAP server; write 'sn'" in said

    def test_an_attribute_that_nobody_has_is_blank(self, server: Slapd, tmp_path: Path) -> None:
        rows = read(server, tmp_path, filter="(uid=7)", attributes=["uid", "mail"])
        assert [row.values["mail"] for row in rows] == [""]

    def test_bytes_that_are_no_text_are_a_failure_that_names_the_attribute(
        self, tmp_path: Path
    ) -> None:
        with Slapd(
            tmp_path / "slapd", [person("1", jpegPhoto=b"\xff\xd8\xff\xe0")]
        ).running() as one:
            said = refused(one, tmp_path, attributes=["uid", "jpegPhoto"])
        assert (
            "entry 1: attribute 'jpegPhoto' contains bytes that are not UTF-8 text; remove "
            "the column" in said
        )

    def test_times_come_as_iso_8601_in_utc(self, server: Slapd, tmp_path: Path) -> None:
        (row,) = read(server, tmp_path, filter="(uid=7)", attributes=["createTimestamp"])
        assert row.values["createTimestamp"].endswith("Z")
        assert row.values["createTimestamp"][10] == "T"

    def test_a_name_with_commas_and_quotes_is_read_as_it_is_compared(self, tmp_path: Path) -> None:
        odd: Entry = (
            rf"cn=Eksempel\2C  \22ÅSE\22,{PEOPLE}",
            {"objectClass": "inetOrgPerson", "cn": 'Eksempel,  "ÅSE"', "sn": "Eksempel"},
        )
        crew = group("crew", [rf"CN=eksempel\, \"åse\",{PEOPLE.upper()}"])
        with Slapd(tmp_path / "slapd", [odd, crew]).running() as one:
            (person_row,) = read(one, tmp_path, attributes=["cn"])
            (member_row,) = read(one, tmp_path, base=GROUPS, attributes=["member"])
        assert (
            member_row.values["member"]
            == person_row.values["dn"]
            == rf"cn=eksempel\, \"åse\",{PEOPLE}"
        )


@pytest.mark.server
def test_the_attributes_that_entries_may_have_are_known_from_the_schema(
    server: Slapd, tmp_path: Path
) -> None:
    known = settings(server).known_attributes(tmp_path)
    assert {"uid", "cn", "sn", "mail", "employeeNumber", "objectClass", "telephoneNumber"} <= set(
        known
    )
    assert list(known) == sorted(known, key=str.lower)
    assert "member" not in known
    assert "member" in settings(server, base=GROUPS).known_attributes(tmp_path)


SOUND = {"servers": "ldaps://ldap.example.edu", "base": PEOPLE, "attributes": ["uid"]}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"servers": "ldap.example.edu"}, "not the address of a server"),
        ({"servers": "https://ldap.example.edu"}, "not the address of a server"),
        ({"servers": "ldaps://ldap.example.edu:x"}, "not the address of a server"),
        ({"servers": "ldaps://ldap.example.edu/dc=x"}, "more than a server and a port"),
        ({"servers": "ldaps://me:secret@ldap.example.edu"}, "more than a server and a port"),
        ({"servers": []}, "is empty"),
        (
            {"servers": "ldap://ldap.example.edu", "start_tls": False},
            "ldap://ldap.example.edu unencrypted",
        ),
        ({"base": "people"}, "not a distinguished name"),
        ({"filter": "(uid=*"}, "a parenthesis that is not closed"),
        ({"attributes": []}, "is empty"),
        ({"attributes": ["uid", "uid"]}, "'uid' more than once"),
        ({"attributes": ["dn"]}, "every row has the entry's distinguished name"),
        (
            {"attributes": {"a": {"many": "all"}, "b": {"many": "all"}}},
            "'many: all' for 'a' and for 'b'",
        ),
        ({"attributes": {"a": {"separator": ","}}}, "without 'many: join'"),
        ({"attributes": {"a": {"flag": "ACCOUNTDISABLED"}}}, "not a bit of userAccountControl"),
        (
            {"attributes": {"a": {"flag": "ACCOUNTDISABLE", "read_as": "text"}}},
            "both 'flag' and 'read_as'",
        ),
        ({"attributes": {"a": {"atribute": "uid"}}}, "atribute"),
        ({"user": "cn=sync"}, "has no 'password'"),
        ({"bind": "simple"}, "needs a 'user'"),
        (
            {"bind": "anonymous", "user": "cn=sync", "password": "x"},
            "uses no user and no password",
        ),
        ({"bind": "external"}, "needs a client certificate"),
        ({"client_key": "key.pem"}, "a key without its certificate"),
        ({"page_size": 0}, "greater than or equal to 1"),
    ],
)
def test_settings_that_make_no_sense_are_refused_when_they_are_loaded(
    values: dict[str, object], said: str
) -> None:
    LdapSettings.model_validate(SOUND)
    with pytest.raises(ValidationError, match=said) as caught:
        LdapSettings.model_validate(SOUND | values)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "servers",
    [
        "ldap://ldap.example.edu",
        ["ldaps://a.example.edu", "ldap://b.example.edu:3389"],
        "ldap://[2001:db8::1]",
    ],
)
def test_a_plain_address_of_another_machine_turns_to_tls_by_itself(servers: object) -> None:
    source = LdapSettings.model_validate(SOUND | {"servers": servers})
    assert source.place(Path()).startswith(source.servers[0])


def test_its_place_is_the_first_server_and_the_base() -> None:
    source = LdapSettings.model_validate(
        SOUND | {"servers": ["ldaps://LDAP.example.edu:636", "ldap://localhost"]}
    )
    assert source.place(Path()) == f"ldaps://ldap.example.edu/{PEOPLE}"
