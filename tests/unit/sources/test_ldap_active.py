"""Active Directory, simulated by a small LDAP server: long attributes in parts, and its counters.

It shares no code with the LDAP library. It does what Microsoft documents ([MS-ADTS]);
no real Active Directory was there to compare it with.
"""

import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sync.errors import SourceError
from sync.records.base import Row
from sync.records.extract import Since
from sync.sources.ldap.source import LdapSettings

BASE = "dc=example,dc=edu"
PAGING = b"1.2.840.113556.1.4.319"
NOW = datetime(2026, 5, 20, 7, tzinfo=UTC)
MOST_VALUES = 1500

Values = Mapping[str, Sequence[bytes]]


def tlv(tag: int, *content: bytes) -> bytes:
    """One element of BER: its tag, its length, its content."""
    body = b"".join(content)
    size = len(body).to_bytes(4, "big")
    return bytes([tag]) + (bytes([len(body)]) if len(body) < 128 else b"\x84" + size) + body


def elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the consecutive elements of `data`, by tag."""
    while data:
        tag, size, start = data[0], data[1], 2
        if size & 0x80:
            start += size & 0x7F
            size = int.from_bytes(data[2:start], "big")
        yield tag, data[start : start + size]
        data = data[start + size :]


def number(value: int) -> bytes:
    return tlv(2, value.to_bytes(4, "big"))


def result(tag: int, code: int, words: str = "") -> bytes:
    return tlv(tag, tlv(10, bytes([code])), tlv(4), tlv(4, words.encode()))


def fits(values: Values, filter_: tuple[int, bytes]) -> bool:
    """Whether an entry matches: `and`, `present`, `=` and `>=` are all that is asked for here."""
    tag, content = filter_
    if tag == 0xA0:
        return all(fits(values, one) for one in elements(content))
    if tag == 0x87:
        return True
    assert tag in (0xA3, 0xA5), f"a filter {tag:#x} that is not played"
    (_, name), (_, wanted) = elements(content)
    found = {key.lower(): one for key, one in values.items()}.get(name.decode().lower(), ())
    if tag == 0xA3:
        return wanted in found
    as_number: Callable[[bytes], object] = int if wanted.isdigit() else bytes
    return any(as_number(one) >= as_number(wanted) for one in found)  # type: ignore[operator]


@dataclass
class Active:
    """What the played server holds, and how it misbehaves.

    Attributes:
        root: what it tells about itself.
        range_answer: what to do with a request for a further part of a long attribute: answer it ("whole"), end it with
            this result code, skip a value, or close the connection.
        login: the result code and the words with which it answers to a login.
        silent_paging: it answers without the control that says whether there is another page.
    """

    entries: dict[str, Values]
    root: Values = field(
        default_factory=lambda: {
            "currentTime": [b"20260520070000.0Z"],
            "highestCommittedUSN": [b"900"],
            "dnsHostName": [b"DC1.example.edu"],
        }
    )
    range_answer: object = "whole"
    login: tuple[int, str] = (0, "")
    silent_paging: bool = False
    asked: list[str] = field(default_factory=list)

    def answers(self, message: bytes) -> Iterator[bytes]:
        """Return the answers to one message; None closes the connection."""
        (_, id_), (tag, content), *controls = elements(message)
        head = tlv(2, id_)
        if tag == 0x60:
            yield tlv(0x30, head, result(0x61, *self.login))
        elif tag == 0x63:
            yield from (tlv(0x30, head, one) for one in self._search(content, bool(controls)))
        elif tag == 0x42:
            raise EOFError

    def _search(self, content: bytes, paged: bool) -> Iterator[bytes]:
        parts = list(elements(content))
        base, filter_ = parts[0][1].decode(), parts[6]
        names = [name.decode() for _, name in elements(parts[7][1])]
        self.asked += names
        if not base:
            yield self._entry("", self.root, names)
            yield result(0x65, 0)
            return
        if any(";range=" in name for name in names):
            yield from self._further(base, names[0])
            return
        for dn, values in self.entries.items():
            if fits(values, filter_):
                yield self._entry(dn, values, names)
        yield self._done(paged)

    def _done(self, paged: bool) -> bytes:
        if not paged or self.silent_paging:
            return result(0x65, 0)
        value = tlv(0x30, number(0), tlv(4))
        return result(0x65, 0) + tlv(0xA0, tlv(0x30, tlv(4, PAGING), tlv(4, value)))

    def _further(self, dn: str, name: str) -> Iterator[bytes]:
        if self.range_answer == "close":
            raise EOFError
        if isinstance(self.range_answer, int):
            yield result(0x65, self.range_answer)
            return
        if self.range_answer != "nothing":
            start = int(name.partition("=")[2].partition("-")[0]) + (self.range_answer == "skip")
            attribute = name.partition(";")[0]
            yield self._entry(dn, {attribute: self.entries[dn][attribute]}, [attribute], start)
        yield result(0x65, 0)

    def _entry(self, dn: str, values: Values, names: Sequence[str], start: int = 0) -> bytes:
        wanted = {name.lower() for name in names}
        given = []
        for name, every in values.items():
            if name.lower() not in wanted:
                continue
            part = every[start : start + MOST_VALUES]
            last = start + len(part) == len(every)
            if start or not last:
                given.append(
                    self._attribute(
                        f"{name};range={start}-{'*' if last else start + len(part) - 1}", part
                    )
                )
                given += [] if start else [self._attribute(name, [])]
            else:
                given.append(self._attribute(name, part))
        return tlv(0x64, tlv(4, dn.encode()), tlv(0x30, *given))

    @staticmethod
    def _attribute(name: str, values: Sequence[bytes]) -> bytes:
        return tlv(0x30, tlv(4, name.encode()), tlv(0x31, *(tlv(4, value) for value in values)))


@contextmanager
def played(active: Active) -> Iterator[str]:
    """Run the server, and yield its address."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                call, _ = listener.accept()
            except OSError:
                return
            with call:
                talk(call, active)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"ldap://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def talk(call: socket.socket, active: Active) -> None:
    data = b""
    while received := call.recv(65536):
        data += received
        for _, message in elements(data):
            try:
                for answer in active.answers(message):
                    call.sendall(answer)
            except EOFError:
                return
        data = b""


def source(url: object, **others: object) -> LdapSettings:
    usual = {"servers": url, "base": BASE, "attributes": {"test": "cn", "member": {"many": "all"}}}
    return LdapSettings.model_validate(usual | others)


def read(active: Active, **others: object) -> list[Row]:
    with (
        played(active) as url,
        source(url, **others).reader(Path(), lambda: NOW).open() as extract,
    ):
        return list(extract.rows)


def group_of(count: int) -> Active:
    members = [f"CN=Learner {n},OU=People,DC=example,DC=edu".encode() for n in range(count)]
    return Active({f"cn=EX1,{BASE}": {"cn": [b"EX1"], "member": members}})


@pytest.mark.parametrize("count", [0, 1, 1499, 1500, 1501, 3000, 4000, 4501])
def test_a_group_that_is_reported_in_parts_is_read_whole(count: int) -> None:
    rows = read(group_of(count))
    assert {row.values["member"] for row in rows} == {
        f"cn=learner {n},ou=people,dc=example,dc=edu" for n in range(count)
    }
    assert len(rows) == count


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (1, "it reports operationsError"),
        (51, "could not be read to its end: it is busy"),
        (4, "sizeLimitExceeded"),
        (32, "noSuchObject"),
        ("nothing", "it sends attribute 'member' in parts, and a part is missing"),
        ("skip", "it sends attribute 'member' in parts, and a part is missing"),
        ("close", "the connection was closed before all was read"),
    ],
)
def test_a_group_of_which_a_part_fails_is_a_failure_not_a_smaller_group(
    answer: object, said: str
) -> None:
    active = group_of(4000)
    active.range_answer = answer
    with pytest.raises(SourceError, match=said):
        read(active)


def test_an_answer_that_does_not_say_whether_more_follows_is_not_believed() -> None:
    active = group_of(3)
    active.silent_paging = True
    with pytest.raises(
        SourceError, match="does not tell whether this was the last page; set 'paged: false'"
    ):
        read(active)
    assert len(read(active, paged=False)) == 3


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("533", "(invalidCredentials: the account is disabled)"),
        ("775", "(invalidCredentials: the account is locked)"),
        ("52e", "(invalidCredentials);"),
    ],
)
def test_a_refused_login_says_what_is_wrong_with_the_account(data: str, said: str) -> None:
    active = account()
    active.login = (
        49,
        f"80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data "
        f"{data}, v4563",
    )
    with pytest.raises(SourceError) as caught:
        read(active, user="sync@example.edu", password="made-up")
    assert f"refuses this login {said}" in str(caught.value)


def test_a_busy_server_is_passed_over() -> None:
    busy, free = account(), group_of(2)
    busy.login = (51, "")
    with played(busy) as first, played(free) as second:
        assert len(list(source([first, second]).rows(Path()))) == 2
        with pytest.raises(SourceError, match="is busy"):
            source([first]).column_names(Path())


def ticks(moment: datetime) -> bytes:
    since_1601 = moment - datetime(1601, 1, 1, tzinfo=UTC)
    return str(int(since_1601.total_seconds()) * 10_000_000).encode()


def account(**values: bytes) -> Active:
    return Active(
        {
            f"cn=Somebody,{BASE}": {
                "cn": [b"Somebody"],
                **{name: [one] for name, one in values.items()},
            }
        }
    )


def cells(active: Active, **attributes: object) -> dict[str, str]:
    (row,) = read(active, attributes=attributes)
    return {name: value for name, value in row.values.items() if name != "dn"}


def test_times_come_as_iso_8601_and_never_is_blank() -> None:
    active = account(
        accountExpires=b"9223372036854775807",
        pwdLastSet=b"0",
        lastLogonTimestamp=ticks(NOW),
        whenChanged=b"20260520070000.0Z",
    )
    names = ("accountExpires", "pwdLastSet", "lastLogonTimestamp", "whenChanged", "whenCreated")
    active.entries[f"cn=Other,{BASE}"] = {}
    first, other = read(active, attributes=list(names))
    time = "2026-05-20T07:00:00Z"
    assert [first.values[name] for name in names] == ["", "", time, time, ""]
    assert [other.values[name] for name in names] == [""] * 5


@pytest.mark.parametrize(
    ("ends", "expired"),
    [
        (b"0", "false"),
        (b"9223372036854775807", "false"),
        (ticks(NOW), "true"),
        (ticks(NOW.replace(minute=1)), "false"),
        (ticks(NOW.replace(year=2025)), "true"),
    ],
)
def test_an_account_is_expired_by_the_clock(ends: bytes, expired: str) -> None:
    how = {"attribute": "accountExpires", "read_as": "expired"}
    assert cells(account(accountExpires=ends), expired=how) == {"expired": expired}


def test_an_account_without_an_end_is_not_expired() -> None:
    assert cells(account(), expired={"attribute": "accountExpires", "read_as": "expired"}) == {
        "expired": "false"
    }


@pytest.mark.parametrize(
    ("control", "disabled", "normal"),
    [
        (b"512", "false", "true"),
        (b"514", "true", "true"),
        (b"66050", "true", "true"),
        (b"4096", "false", "false"),
    ],
)
def test_a_bit_of_the_account_control_becomes_true_or_false(
    control: bytes, disabled: str, normal: str
) -> None:
    def bit(name: str) -> object:
        return {"attribute": "userAccountControl", "flag": name}

    found = cells(
        account(userAccountControl=control),
        disabled=bit("ACCOUNTDISABLE"),
        normal=bit("NORMAL_ACCOUNT"),
    )
    assert found == {"disabled": disabled, "normal": normal}


def test_identifiers_come_as_the_tools_of_active_directory_show_them() -> None:
    active = account(
        objectGUID=bytes.fromhex("33221100554477668899aabbccddeeff"),
        objectSid=bytes.fromhex("010500000000000515000000")
        + b"".join(n.to_bytes(4, "little") for n in (1, 2, 3, 1104)),
    )
    assert cells(active, objectGUID={}, objectSid={}) == {
        "objectGUID": "00112233-4455-6677-8899-aabbccddeeff",
        "objectSid": "S-1-5-21-1-2-3-1104",
    }


@pytest.mark.parametrize(
    ("attribute", "value", "said"),
    [
        ("objectGUID", b"short", "attribute 'objectGUID' has a value that is not a GUID"),
        ("objectSid", b"\1\5short", "attribute 'objectSid' has a value that is not a SID"),
        (
            "whenChanged",
            b"20260520070000",
            "attribute 'whenChanged' has a value that is not a time",
        ),
        (
            "whenChanged",
            b"20261320070000Z",
            "attribute 'whenChanged' has a value that is not a time",
        ),
        ("pwdLastSet", b"soon", "attribute 'pwdLastSet' has a value that is not a time"),
        (
            "memberOf",
            b"nobody",
            "attribute 'memberOf' has a value that is not a distinguished name",
        ),
        ("photo", b"\xff\xd8", "attribute 'photo' contains bytes that are not UTF-8 text"),
    ],
)
def test_a_value_that_can_not_be_read_is_a_failure_that_names_its_attribute(
    attribute: str, value: bytes, said: str
) -> None:
    with pytest.raises(SourceError, match=said) as caught:
        read(account(**{attribute: value}), attributes=[attribute])
    assert "entry 1: " in str(caught.value)


def test_a_flag_of_what_is_no_number_is_a_failure() -> None:
    with pytest.raises(
        SourceError, match="attribute 'userAccountControl' has a value that is not a whole number"
    ):
        cells(
            account(userAccountControl=b"many"),
            off={"attribute": "userAccountControl", "flag": "ACCOUNTDISABLE"},
        )


def changed(active: Active, column: str, mark: str = "") -> tuple[list[str], str, str]:
    """Return the names of changed entries, the next mark, and why these are not all."""
    since = Since(column, mark)
    with played(active) as url:
        one = source(url, attributes=["cn"])
        with one.reader(Path(), lambda: NOW).open(since, one.overlap) as extract:
            found = [row.values["cn"] for row in extract.rows]
            return found, extract.mark(), extract.partial


def counted() -> Active:
    made = {
        "A": (b"100", b"20260519000000.0Z"),
        "B": (b"500", b"20260520065000.0Z"),
        "C": (b"900", b"20260520065900.0Z"),
    }
    return Active(
        {
            f"cn={name},{BASE}": {"cn": [name.encode()], "uSNChanged": [usn], "whenChanged": [when]}
            for name, (usn, when) in made.items()
        }
    )


def test_changes_by_number_start_behind_the_last_ones_of_the_same_server() -> None:
    everything, mark, partial = changed(counted(), "uSNChanged")
    assert (everything, mark, partial) == (["A", "B", "C"], "dc1.example.edu:900", "")
    assert changed(counted(), "uSNChanged", "dc1.example.edu:499")[0] == ["B", "C"]
    assert changed(counted(), "usnchanged", "dc1.example.edu:500")[0] == ["C"]
    assert changed(counted(), "uSNChanged", mark) == ([], mark, "only what changed")


@pytest.mark.parametrize(
    ("mark", "said"),
    [
        ("dc2.example.edu:499", "another server answers than the last time"),
        ("dc1.example.edu:901", "it was restored"),
        ("20260520065500Z", "the mark of the last read is of another kind"),
    ],
)
def test_a_mark_of_another_server_asks_for_a_full_reading(mark: str, said: str) -> None:
    with pytest.raises(SourceError, match=said) as caught:
        changed(counted(), "uSNChanged", mark)
    assert caught.value.remedy.startswith("run once without --changed")


def test_changes_by_time_start_before_the_servers_own_clock() -> None:
    everything, mark, _ = changed(counted(), "whenChanged")
    assert (everything, mark) == (["A", "B", "C"], "20260520065500Z")
    assert changed(counted(), "whenChanged", mark)[:2] == (["C"], "20260520065500Z")
    assert changed(counted(), "whenChanged", "20260520065000Z")[0] == ["B", "C"]


def test_active_directory_can_not_be_searched_by_a_time_that_it_makes_up() -> None:
    with pytest.raises(
        SourceError,
        match="can't be searched by 'modifyTimestamp'; set 'updated_column' to uSNChanged",
    ):
        changed(counted(), "modifyTimestamp")


def test_an_entry_that_does_not_say_when_it_changed_is_a_failure() -> None:
    active = counted()
    active.entries[f"cn=D,{BASE}"] = {"cn": [b"D"]}
    with pytest.raises(
        SourceError, match="entry 4: has no 'uSNChanged', so its changes can't be found"
    ):
        changed(active, "uSNChanged")
