"""The export of all people: ordered, awaited, and streamed, without our token."""

import json
import threading
import tracemalloc
from collections.abc import Iterable, Iterator
from typing import Any

import ijson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs
from sync.errors import CallError, CallMissing, Refused, Retry, Stop, Unknown
from sync.inspera import client
from sync.inspera.responses import stream
from sync.inspera.target import InsperaTarget
from sync.records.base import Kind

from .conftest import MakeTarget
from .http_tenant import HttpTenant
from .waiting import Time

ORDER = ("POST", "/v1/fileExport/order")
STATUS = ("GET", "/v1/fileExport/status/1")
LINK = ("GET", "/signed/student")
PERSON: dict[str, Any] = {
    "userId": 7001,
    "username": "aaseb",
    "externalIds": [],
    "firstName": "Åse",
}


@pytest.fixture
def learner(tenant: HttpTenant) -> None:
    tenant.learners["aaseb"] = PERSON


def _names(target: InsperaTarget, kind: Kind = Kind.LEARNER) -> list[str | None]:
    return [person.username for person in target.export_people(kind)]


@pytest.mark.usefixtures("learner")
def test_an_export_is_ordered_by_user_type_waited_for_and_fetched_without_our_token(
    target: InsperaTarget, tenant: HttpTenant, time: Time
) -> None:
    assert _names(target) == ["aaseb"]
    assert tenant.calls(*ORDER)[0].body == {
        "resourceType": "AllUsers",
        "parameters": {"userType": "student"},
    }
    assert len(tenant.calls(*STATUS)) == 2
    assert "Authorization" not in tenant.calls(*LINK)[0].headers
    assert time.passed > 0
    assert _names(target, Kind.STAFF) == ["administrator"]
    assert tenant.calls(*ORDER)[1].body["parameters"] == {"userType": "admin"}


@pytest.mark.parametrize(("kind", "minutes"), [(Kind.LEARNER, 10), (Kind.STAFF, 30)])
def test_an_export_that_never_ends_is_given_up(
    target: InsperaTarget, tenant: HttpTenant, time: Time, kind: Kind, minutes: int
) -> None:
    tenant.every(*STATUS, 200, {"status": "running"})
    with pytest.raises(
        Unknown, match=f"did not finish the export of its users in {minutes} minutes"
    ):
        _names(target, kind)
    assert minutes * 60 <= time.passed < minutes * 60 + 20
    assert len(tenant.calls(*STATUS)) < minutes * 10


@pytest.mark.parametrize("status", ["failed", "error", "FAILED"])
def test_an_export_that_failed_says_so(
    target: InsperaTarget, tenant: HttpTenant, status: str
) -> None:
    tenant.every(*STATUS, 200, {"result": {"status": status}})
    with pytest.raises(Refused, match="could not make the export"):
        _names(target)


def test_an_export_without_a_link_is_unreadable(target: InsperaTarget, tenant: HttpTenant) -> None:
    tenant.every(*STATUS, 200, {"status": "success", "exportInfo": {}})
    with pytest.raises(Unknown, match="gave no link"):
        _names(target)


def test_a_tenant_without_exports_says_so(target: InsperaTarget, tenant: HttpTenant) -> None:
    tenant.every(*ORDER, 405)
    with pytest.raises(CallMissing, match=r"export\.order"):
        _names(target)


def test_the_wait_ends_with_the_run(
    target: InsperaTarget, tenant: HttpTenant, time: Time, stop: threading.Event
) -> None:
    time.while_waiting = stop.set
    with pytest.raises(Retry, match="being ended"):
        _names(target)
    assert tenant.calls(*LINK) == []


def test_a_file_that_is_being_read_is_no_call_in_flight(
    make_target: MakeTarget, tenant: HttpTenant, exam: str
) -> None:
    target = make_target(max_in_flight=1)
    tenant.learners.update({name: {**PERSON, "username": name} for name in ("aaseb", "bjorn")})
    readings = [target.read_test(exam) for _ in target.export_people(Kind.LEARNER)]
    assert len(readings) == 2


@pytest.mark.usefixtures("learner")
@pytest.mark.parametrize("reply", [{"status": 503}, {"status": 429}, {"lost": True}])
def test_a_file_that_does_not_begin_is_asked_for_again(
    target: InsperaTarget, tenant: HttpTenant, reply: dict[str, Any]
) -> None:
    tenant.once(*LINK, **reply)
    assert _names(target) == ["aaseb"]
    assert len(tenant.calls(*LINK)) == 2


def test_a_file_that_never_begins_is_asked_for_a_bounded_number_of_times(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    tenant.every(*LINK, 503)
    with pytest.raises(Retry):
        _names(target)
    assert len(tenant.calls(*LINK)) == 3


@pytest.mark.parametrize("status", [301, 307])
def test_a_link_that_leads_elsewhere_is_not_followed(
    target: InsperaTarget, tenant: HttpTenant, status: int
) -> None:
    tenant.once(
        *LINK,
        status,
        headers={"Location": f"{tenant.url}/signed/admin?signature=made-up-signature"},
    )
    with pytest.raises(Refused, match="redirects to another address"):
        _names(target)
    assert len(tenant.calls(*LINK)) == 1


@pytest.mark.parametrize(
    "link",
    [
        "http://made-up.example.edu/file",
        "ftp://127.0.0.1/file",
        "file:///etc/hostname",
        "https://someone:made-up@example.edu/",
        "//x/file",
        "http://[::1",
        "file",
    ],
)
def test_a_link_that_is_neither_https_nor_on_this_machine_is_not_followed(
    target: InsperaTarget, tenant: HttpTenant, link: str
) -> None:
    tenant.every(*STATUS, 200, {"status": "success", "exportInfo": {"signedResponseUrl": link}})
    with pytest.raises(Refused, match="not an https address"):
        _names(target)


@pytest.mark.usefixtures("learner")
def test_a_link_is_a_key_that_no_message_and_no_log_repeats(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    said = []
    with capture_logs() as logs:
        for reply in ({"status": 403}, {"status": 503}, {"lost": True}, {"body": b"<html>"}):
            tenant.once(*LINK, times=3, **reply)
            with pytest.raises(CallError) as caught:
                _names(target)
            said.append(str(caught.value))
            tenant.row_errors.clear()
            tenant.people.jobs.clear()
    assert "made-up-signature" not in json.dumps([said, logs], default=str)


def test_a_file_beyond_its_bound_is_not_read(
    target: InsperaTarget, tenant: HttpTenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "MAX_FILE", 1000)
    tenant.every(*LINK, 200, json.dumps([PERSON] * 100).encode())
    with pytest.raises(Refused, match="longer than 512 MB"):
        _names(target)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "0 of them: it is not JSON, or cut off; run the command"),
        (b"username,email\n", "it is not JSON, or cut off"),
        (b"[1]", "its entries are not objects"),
        (b'[{"username": "x"}, 1]', "1 of them: its entries are not objects"),
        (b"{}", "it has no list"),
        (b'{"success": false, "errors": ["no"]}', "its entries are not objects"),
        (b'[{"firstName": "x"}]', "a person without an id"),
        (b'{"users": {"userId": 1}}', "it has no list"),
        (b"[" * 100_000, "an entry is too long"),
        (b'[{"username": "\xff"}]', "it is not UTF-8"),
        (json.dumps([PERSON]).encode()[:-1], "it is not JSON, or cut off"),
        (json.dumps([PERSON]).encode() + b"x", "it is not JSON, or cut off"),
    ],
)
def test_a_file_that_is_not_a_list_of_people_or_cut_off_is_unreadable(
    target: InsperaTarget, tenant: HttpTenant, content: bytes, said: str
) -> None:
    tenant.every(*LINK, 200, content)
    with pytest.raises(Unknown, match=f"not a JSON list of people after .*{said}"):
        _names(target)


@pytest.mark.parametrize("name", ["users", "result", "anything"])
def test_a_list_inside_an_object_is_read_too(
    target: InsperaTarget, tenant: HttpTenant, name: str
) -> None:
    content = {"count": 1, "made": {"at": ["now"]}, name: [PERSON], "more": None}
    tenant.every(*LINK, 200, json.dumps(content).encode())
    assert _names(target) == ["aaseb"]


def test_a_stop_while_the_export_is_waited_for_comes_through(
    target: InsperaTarget, tenant: HttpTenant
) -> None:
    tenant.every(*STATUS, 401)
    with pytest.raises(Stop):
        _names(target)


def _cut(text: bytes, sizes: Iterable[int]) -> Iterator[bytes]:
    for size in sizes:
        yield text[:size]
        text = text[size:]
    yield text


VALUES = st.text() | st.integers() | st.booleans() | st.none()
PEOPLE = st.lists(st.dictionaries(st.text(max_size=4), VALUES | st.lists(VALUES)))


@pytest.mark.parametrize("backend", ["yajl2_c", "python"])
@given(people=PEOPLE, hits=st.integers(), sizes=st.lists(st.integers(0, 9)), bare=st.booleans())
def test_however_a_file_is_cut_into_pieces_the_same_people_are_in_it(
    backend: str, people: list[dict[str, Any]], hits: int, sizes: list[int], bare: bool
) -> None:
    text = json.dumps(
        people if bare else {"hits": hits, "none": [], "users.x": people, "more": {"item": 1}},
        ensure_ascii=False,
    ).encode("utf-8-sig")
    found = stream.entries(_cut(text, sizes), ijson.get_backend(backend))
    assert list(found) == people


def test_memory_stays_small_however_many_people_are_in_a_file() -> None:
    def pieces() -> Iterator[bytes]:
        yield b"["
        for number in range(400):
            yield json.dumps([PERSON] * 100).encode()[1:-1] + (b"," if number < 399 else b"]")

    tracemalloc.start()
    count = sum(1 for _ in stream.entries(pieces()))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 40_000
    assert peak < 1024 * 1024


def test_one_entry_without_an_end_is_given_up_soon() -> None:
    read = []

    def pieces() -> Iterator[bytes]:
        yield b'[{"name": "'
        for number in range(1000):
            read.append(number)
            yield b"x" * 65536

    with pytest.raises(ValueError, match="an entry is too long"):
        list(stream.entries(pieces()))
    assert len(read) < 30


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ({"formats": ["a", 1], "parts": [[]], "students": [{"username": "kari"}]}, ["kari"]),
        ({"students": [], "formats": ["a"]}, []),
    ],
)
def test_lists_that_inspera_adds_to_the_file_are_passed_over(
    content: dict[str, object], names: list[str]
) -> None:
    found = list(stream.entries([json.dumps(content).encode()]))
    assert [person["username"] for person in found] == names


def test_a_file_with_lists_of_other_things_alone_is_an_error() -> None:
    with pytest.raises(ValueError, match="not objects"):
        list(stream.entries([b'{"formats": ["a"]}']))
