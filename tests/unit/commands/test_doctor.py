"""`doctor`: the needed calls, the tenant's own schema, and the way from here to Inspera."""

import http.client
import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sync.commands import apply, doctor_checks
from sync.commands.doctor_checks import CheckVerdict, clock_check
from sync.contract import CALLS
from sync.exit_codes import Exit
from sync.inspera.lookups import TenantProbe
from sync.inspera.schema_check import Match, Schema, compare
from sync.inspera.target import InsperaTarget
from sync.state.migrations import head
from sync.state.sqlite.open import open_to_write

from ...support.next_schema import add_next_version
from ...support.university import TEST, CommandResult, University

SCHEMAS = Path(__file__).parents[1] / "inspera" / "schema_check"
KEY = "sandbox-key"
NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)


@pytest.fixture
def university(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[University]:
    """Return a university with one learner on one test, and an environment that names no proxy."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    university = University(tmp_path, capsys)
    for module in (apply, doctor_checks):  # the sandbox tells its own time, which is this one
        monkeypatch.setattr(module, "now", university.now)
    university.register(TEST, "1001")
    with university.sandbox:
        yield university


def against(university: University, name: str, *words: str) -> CommandResult:
    """Compare the calls with one of the schemas."""
    file = university.folder / f"{name}.json"
    shutil.copy(SCHEMAS / file.name, file)
    return university.run("doctor", "--apidoc", str(file), *words)


def lines(ran: CommandResult, verdict: str) -> list[str]:
    """Return what was said of the checks with this outcome."""
    return [
        line.strip().removeprefix(verdict).strip()
        for line in ran.out.splitlines()
        if line.split()[:1] == [verdict]
    ]


def test_the_table_names_the_calls_of_these_feeds_with_their_marks(university: University) -> None:
    out = university.run("doctor", "--offline").out
    needed, _, rest = out.partition("Used by `adopt`")
    assert "observed    test.create       POST   /v1/test?isExternal=true" in needed
    assert "inferred    candidate.remove  DELETE /v1/test/{test}/candidates" in needed
    assert "person.search" in rest
    assert "staff" not in out
    assert (
        "rest on an assumption (inferred): person.search, test.search, candidate.list, "
        "candidate.assign" in rest
    )


def test_a_call_that_is_never_made_is_not_in_the_table(university: University) -> None:
    university.config["on_absence"] = {"candidate": "keep"}
    assert "candidate.remove" not in university.run("doctor", "--offline").out
    university.keep_feeds("learner")
    assert "test.search" not in university.run("doctor", "--offline").out


def test_staff_contributors_and_what_they_bring_with_them_are_in_the_table(
    university: University,
) -> None:
    people = university.feed("learner")
    university.config["feeds"] += [
        {**people, "kind": "staff"},
        {"kind": "contributor", "source": "registrations", "allow_empty": True}
        | {
            "map": {
                "test": "{course}-{term}",
                "staff": "student_no",
                "roles": {"constant": "evaluate"},
                "committees": "room",
            }
        },
    ]
    university.config["on_absence"] = {"staff": "delete"}
    calls = {
        call["name"]: call
        for call in json.loads(university.run("doctor", "--offline", "--json").out)["calls"]
    }
    needed = {name for name, call in calls.items() if call["needed"]}
    assert needed >= {
        "staff.create",
        "staff.update",
        "staff.disable",
        "staff.delete",
        "contributor.assign",
        "contributor.remove",
    }
    assert needed >= {"committee.create", "test.read", "person.by_external_id"}
    assert not needed & {"committee.remove", "option.set", "export.order"}
    assert calls["staff.delete"]["confidence"] == "inferred"


def test_a_schema_that_has_everything_is_well(university: University) -> None:
    ran = against(university, "whole")
    assert ran.status == Exit.OK, ran.output
    found = "9 of the 9 calls that this configuration needs are as the schema has them"
    assert ran.out.splitlines()[-1] == f"Doctor: {found}; exit status 0."
    assert university.calls() == []


def test_a_needed_call_that_the_schema_lacks_is_named_and_fails(university: University) -> None:
    ran = against(university, "missing")
    assert ran.status == Exit.ERRORS
    assert lines(ran, "different") == [
        "candidate.remove: the schema has GET and POST there, not DELETE; ask Inspera whether "
        "your tenant has this call"
    ]
    assert all("(not needed)" in line for line in lines(ran, "absent"))


def test_the_sandboxs_own_schema_has_every_call_as_the_contract_has_it(
    university: University,
) -> None:
    connection = http.client.HTTPConnection(
        university.sandbox.url.removeprefix("http://"), timeout=30
    )
    with closing(connection):
        connection.request("GET", "/apidoc")
        document = json.load(connection.getresponse())
    assert {
        one.call.name: one.match for one in compare(CALLS.values(), Schema(document))
    } == dict.fromkeys(CALLS, Match.PRESENT)


def test_a_call_that_nobody_needs_may_be_absent(university: University) -> None:
    university.config["on_absence"] = {"candidate": "keep"}
    ran = against(university, "missing")
    assert ran.status == Exit.OK
    assert any(line.startswith("person.search (not needed)") for line in lines(ran, "absent"))


def test_another_path_is_found_and_an_override_makes_it_pass(university: University) -> None:
    names = ("candidate.list", "candidate.assign", "candidate.remove")
    ran = against(university, "moved")
    assert ran.status == Exit.ERRORS
    needed = [line for line in lines(ran, "absent") if "(not needed)" not in line]
    assert [line.partition(":")[0] for line in needed] == list(names)
    path = "/v2/test/{test}/candidates"
    assert all(
        f"set inspera.calls.{name}.path to {path}" in line
        for name, line in zip(names, needed, strict=True)
    )

    university.config["inspera"]["calls"] = {name: {"path": path} for name in names}
    ran = against(university, "moved")
    assert ran.status == Exit.OK, ran.output
    assert f"POST   {path}  (changed in inspera.calls)" in ran.out


def test_a_field_that_a_body_lacks_is_named(university: University) -> None:
    document = json.loads((SCHEMAS / "whole.json").read_text(encoding="utf-8"))
    candidate = document["components"]["schemas"]["Candidate"]
    candidate["properties"]["personId"] = candidate["properties"].pop("externalId")
    candidate["required"] = ["personId"]
    file = university.folder / "odd.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    ran = university.run("doctor", "--apidoc", str(file))
    assert ran.status == Exit.ERRORS
    told = (
        "'candidates' has no 'externalId', which we always send; "
        "'candidates' needs 'personId', which we never send"
    )
    assert any(
        line.startswith(f"candidate.assign: {told}; ask Inspera")
        for line in lines(ran, "different")
    )


def test_what_the_schema_says_of_each_assumption_is_named_and_counts(
    university: University,
) -> None:
    document = json.loads((SCHEMAS / "whole.json").read_text(encoding="utf-8"))
    file = university.folder / "schema.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    ran = university.run("doctor", "--apidoc", str(file))
    assert ran.status == Exit.OK, ran.output
    assert "  as assumed  external ids of learners in `externalIds`" in ran.out
    assert "  not said    pages of a search by the parameter `page`" in ran.out

    learner = document["components"]["schemas"]["Person"]
    learner["properties"]["personIds"] = learner["properties"].pop("externalIds")
    file.write_text(json.dumps(document), encoding="utf-8")
    ran = university.run("doctor", "--apidoc", str(file), "--json")
    assert ran.status == Exit.ERRORS
    named = {each["name"]: each for each in json.loads(ran.out)["assumptions"]}
    assert named["external ids of learners"]["settled"] == "different"
    assert "personIds" in named["external ids of learners"]["found"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"{", "is not JSON; save the JSON that your tenant shows under /apidoc"),
        (b"\xff\xfe\xfd", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b'{"openapi": "4.0", "paths": {}}', "is neither an OpenAPI 3 nor a Swagger 2 schema"),
        (b"<html>", "is not JSON"),
    ],
    ids=["torn", "bytes", "deep", "version", "page"],
)
def test_a_file_that_is_no_schema_is_said_in_one_line(
    university: University, content: bytes, told: str
) -> None:
    file = university.folder / "schema.json"
    file.write_bytes(content)
    ran = university.run("doctor", "--apidoc", str(file))
    assert ran.status == Exit.USAGE
    assert ran.err.startswith(f"{file}: {told}")
    assert len(ran.err.splitlines()) == 1


def test_a_file_that_is_far_too_large_is_not_read(university: University) -> None:
    file = university.folder / "schema.json"
    with file.open("wb") as huge:
        huge.truncate(33 * 1024**2)
    ran = university.run("doctor", "--apidoc", str(file))
    assert (ran.status, "is above 32 MB" in ran.err) == (Exit.USAGE, True)


def test_a_file_that_is_not_there_is_said(university: University) -> None:
    ran = university.run("doctor", "--apidoc", str(university.folder / "nowhere.json"))
    assert ran.status == Exit.USAGE
    assert "nowhere.json: can't be read (No such file or directory)" in ran.err


def test_a_sound_site_is_well_and_nothing_is_written(university: University) -> None:
    university.apply_cleanly()
    before = {file: file.read_bytes() for file in university.folder.iterdir()}
    ran = university.run("doctor")
    assert ran.status == Exit.OK, ran.output
    assert "0 wrong" in ran.out
    assert f"state: {university.state}, version {head()}" in lines(ran, "ok")
    assert {"token: the key is accepted", "clock: within 5 s of Inspera's"} <= set(lines(ran, "ok"))
    assert "tls: none: plain HTTP, which only an address on this machine may have" in lines(
        ran, "note"
    )
    assert any(line.startswith("inspera: test.search answered 200") for line in lines(ran, "ok"))
    assert university.sent() == []
    assert {file: file.read_bytes() for file in university.folder.iterdir()} == before


def test_offline_nothing_is_asked(university: University) -> None:
    ran = university.run("doctor", "--offline")
    assert ran.status == Exit.OK
    assert "inspera: not asked (--offline)" in lines(ran, "note")
    assert university.calls() == []
    assert not university.state.exists()


def test_a_refused_key_exits_5_and_is_not_shown(university: University) -> None:
    university.write()
    (university.folder / "api-key").write_text("wrong-marker-key\n", encoding="utf-8")
    ran = university.run("doctor")
    assert ran.status == Exit.INSPERA
    assert any("inspera.api_key" in line for line in lines(ran, "wrong"))
    assert "wrong-marker-key" not in ran.output


def test_an_address_where_nobody_is_exits_5(university: University) -> None:
    university.config["inspera"] |= {"url": "http://127.0.0.1:9", "connect_timeout": "1s"}
    ran = university.run("doctor")
    assert ran.status == Exit.INSPERA
    assert any(
        "refuses the connection; check the port in inspera.url" in line
        for line in lines(ran, "wrong")
    )


def test_a_key_that_is_not_there_exits_2_and_inspera_is_not_asked(university: University) -> None:
    university.config["inspera"]["api_key"] = "${DOCTOR_TEST_NO_SUCH_KEY}"
    ran = university.run("doctor")
    assert ran.status == Exit.USAGE
    assert university.calls() == []


def test_an_unreadable_source_exits_4_and_the_others_are_looked_at_all_the_same(
    university: University,
) -> None:
    university.exams.path.write_bytes(b"")
    university.feed("learner")["map"]["email"] = "epost"
    university.config["sources"]["exams"]["path"] = "elsewhere.csv"
    ran = university.run("doctor", "--offline")
    assert ran.status == Exit.SOURCE
    missing, absent = lines(ran, "wrong")
    assert (
        "students.csv (learner): column 'epost' is missing (it has 7 columns); correct" in missing
    )
    assert (
        absent == "elsewhere.csv (test): elsewhere.csv: is not there; "
        "check 'path', and that the export has run"
    )
    assert any(
        line.startswith("registrations.csv (candidate): 6 columns") for line in lines(ran, "ok")
    )


def test_a_source_without_rows_is_worth_a_word_unless_it_allow_empty(
    university: University,
) -> None:
    university.registrations.rows.clear()
    assert any(
        "registrations.csv (candidate): has no row" in line
        for line in lines(university.run("doctor"), "note")
    )
    university.feed("candidate")["allow_empty"] = True
    assert any(
        "registrations.csv (candidate)" in line for line in lines(university.run("doctor"), "ok")
    )


def test_a_state_that_is_none_exits_2(university: University) -> None:
    university.state.write_bytes(b"nonsense" * 1000)
    ran = university.run("doctor", "--offline")
    assert ran.status == Exit.USAGE
    assert any("the state cannot be used" in line for line in lines(ran, "wrong"))


def test_a_state_of_an_older_version_is_said_to_be_one_and_stays_so(
    university: University, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_to_write(university.state, "apply"):
        pass
    add_next_version(tmp_path, monkeypatch)
    before = university.state.read_bytes()
    ran = university.run("doctor", "--offline")
    assert ran.status == Exit.OK, ran.output
    told = f"older than version {head()}, to which the next `apply` brings it"
    assert f"state: {university.state}, {told}" in lines(ran, "ok")
    assert university.state.read_bytes() == before


def test_calls_without_a_known_outcome_are_counted(university: University) -> None:
    university.apply_cleanly()
    with closing(sqlite3.connect(university.state, isolation_level=None)) as state:
        state.execute("UPDATE intent SET outcome = NULL WHERE id = (SELECT min(id) FROM intent)")
    ran = university.run("doctor", "--offline")
    assert ran.status == Exit.OK, ran.output
    assert any(
        "1 call of an earlier run without a known outcome" in line for line in lines(ran, "note")
    )


def test_who_holds_the_state_is_said(university: University) -> None:
    university.apply_cleanly()
    with open_to_write(university.state, "apply"):
        ran = university.run("doctor", "--offline")
    assert any("in use by pid" in line and "(apply)" in line for line in lines(ran, "note"))
    assert not any(
        "in use by" in line for line in lines(university.run("doctor", "--offline"), "note")
    )


def test_certificates_that_are_none_exit_2(university: University) -> None:
    (university.folder / "ca.pem").write_text("no certificate", encoding="utf-8")
    university.config["inspera"]["ca_bundle"] = "ca.pem"
    ran = university.run("doctor", "--offline")
    assert ran.status == Exit.USAGE
    assert any("set inspera.ca_bundle to a PEM file" in line for line in lines(ran, "wrong"))


def test_the_password_of_a_proxy_is_not_shown(university: University) -> None:
    (university.folder / "secret").write_text("proxy-marker\n", encoding="utf-8")
    proxy = {
        "proxy": "http://127.0.0.1:9",
        "proxy_user": "user-marker",
        "proxy_password": "${file:secret}",
    }
    university.config["inspera"] |= proxy
    ran = university.run("doctor", "--json")
    assert ran.status == Exit.INSPERA
    assert "http://127.0.0.1:9, as a user with a password" in ran.out
    assert all(secret not in ran.output for secret in ("proxy-marker", "user-marker", KEY))
    (university.folder / "secret").unlink()
    assert university.run("doctor").status == Exit.USAGE


def test_a_proxy_that_only_the_environment_names_is_noted(
    university: University, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://env-marker@127.0.0.1:9")
    university.config["inspera"]["url"] = "https://tenant.invalid"
    ran = university.run("doctor", "--offline")
    assert (
        "proxy: none; the environment names one, and is not obeyed; if it is needed, set "
        "inspera.proxy" in lines(ran, "note")
    )
    assert "env-marker" not in ran.output


def test_what_is_unwise_in_the_configuration_is_among_the_notes(university: University) -> None:
    university.config["inspera"]["api_key"] = KEY
    ran = university.run("doctor", "--offline")
    assert any(
        line.startswith("configuration: ") and "plain text" in line for line in lines(ran, "note")
    )
    assert KEY not in ran.output


def test_the_same_is_reported_to_programs(university: University) -> None:
    told = json.loads(university.run("doctor", "--json").out)
    assert told["exit_status"] == 0
    assert {check["verdict"] for check in told["checks"]} == {"ok", "note"}
    compared = json.loads(against(university, "missing", "--json").out)
    assert compared["exit_status"] == 1
    removal = next(one for one in compared["schema"] if one["name"] == "candidate.remove")
    assert (removal["match"], removal["differences"]) == (
        "different",
        ["the schema has GET and POST there, not DELETE"],
    )


def test_a_clock_that_is_far_off_exits_4(
    university: University, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor_checks, "now", lambda: NOON)
    seen = TenantProbe("test.search answered 200", NOON + timedelta(minutes=3), None)
    monkeypatch.setattr(InsperaTarget, "probe", lambda _: seen)
    ran = university.run("doctor")
    assert ran.status == Exit.SOURCE
    assert lines(ran, "wrong")[0].startswith(
        "clock: this machine's clock is 180 s behind Inspera's; set it by NTP"
    )


@pytest.mark.parametrize(
    ("ahead", "took", "verdict", "told"),
    [
        (0, 0, CheckVerdict.OK, "within 5 s"),
        (5, 0, CheckVerdict.OK, "within 5 s"),
        (-6, 0, CheckVerdict.OK, "within 5 s"),
        (6, 0, CheckVerdict.NOTE, "6 s behind Inspera's"),
        (-10, 0, CheckVerdict.NOTE, "9 s ahead of Inspera's"),
        (60, 0, CheckVerdict.NOTE, "60 s behind"),
        (61, 0, CheckVerdict.WRONG, "61 s behind"),
        (-3600, 0, CheckVerdict.WRONG, "3,599 s ahead of"),
        (20, 20, CheckVerdict.OK, "within 5 s"),
    ],
)
def test_clocks_are_compared_to_the_second_and_a_slow_answer_is_no_difference(
    ahead: int, took: int, verdict: CheckVerdict, told: str
) -> None:
    check = clock_check(NOON + timedelta(seconds=ahead), NOON, NOON + timedelta(seconds=took))
    assert check.verdict is verdict
    assert told in check.found


def test_an_answer_without_a_time_is_noted() -> None:
    assert clock_check(None, NOON, NOON).verdict is CheckVerdict.NOTE


@pytest.mark.parametrize(
    ("kinds", "status", "exit_status"),
    [
        (("learner", "test"), 501, Exit.ERRORS),
        (("learner",), 501, Exit.OK),
        (("learner", "test"), 404, Exit.OK),
    ],
)
def test_a_search_that_the_tenant_does_not_have_is_wrong_only_where_it_is_needed(
    university: University, kinds: tuple[str, ...], status: int, exit_status: Exit
) -> None:
    university.keep_feeds(*kinds)
    university.fail(path="/api/v1/test/search", status=status)
    ran = university.run("doctor")
    assert ran.status == exit_status, ran.output
    assert "`doctor --apidoc FILE`" in "".join(lines(ran, "wrong") or lines(ran, "note"))
    assert "token: the key is accepted" in lines(ran, "ok")
