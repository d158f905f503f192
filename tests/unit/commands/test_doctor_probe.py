"""`doctor --probe FILE`: reads alone, and a private file without any value of people or tests."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sync.commands import apply, doctor_probe
from sync.exit_codes import Exit

from ...support.leak_scan import personal
from ...support.university import OTHER, TEST, University

FILE = "probe.json"
WORDS = ("ACTIVE", "DISABLED", "SCHEDULED", "GRADING", "evaluate", "FEIDE", "admin", "student")
"""What the sandbox holds and is nobody's: words of the vendor."""


@pytest.fixture
def university(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[University]:
    """Return a university whose people are on a test in Inspera."""
    university = University(tmp_path, capsys)
    for module in (apply, doctor_probe):  # the sandbox tells its own time, which is this one
        monkeypatch.setattr(module, "now", university.now)
    university.add_feeds("staff", "contributor")
    university.register(TEST, "1001", "1002")
    university.assign_staff(TEST, "4701")
    with university.sandbox:
        university.apply_once()
        university.start_observing()
        yield university


def _probed(university: University) -> dict[str, Any]:
    ran = university.run("doctor", "--probe", str(university.folder / FILE))
    assert ran.status == Exit.OK, ran.output
    document: dict[str, Any] = json.loads((university.folder / FILE).read_text(encoding="utf-8"))
    return document


def _values(held: object) -> Iterator[str]:
    """Yield every text and number that the sandbox holds."""
    if isinstance(held, dict | list):
        for one in held.values() if isinstance(held, dict) else held:
            yield from _values(one)
    elif isinstance(held, str | int) and not isinstance(held, bool):
        yield str(held)


def test_a_probe_changes_nothing_and_shows_the_forms_of_the_answers(university: University) -> None:
    before = university.sandbox.contents()
    document = _probed(university)
    assert university.sandbox.contents() == before
    calls = {call["name"]: call for call in document["calls"]}
    assert set(calls) == {
        "token.fetch",
        "test.search",
        "test.read",
        "candidate.list",
        "person.read",
        "person.by_external_id",
        "person.search",
    }
    assert calls["candidate.list"]["members"]["candidates[].userId"] == ["whole number"]
    assert calls["test.read"]["words"] == {"result.contributors[].roles": ["ar_evaluate"]}
    assert document["pages"]["1"] == "the same results"
    assert document["clock_offset_seconds"] is not None
    assert len(document["calls"]) <= 15
    assert {call["method"] for call in university.calls()} == {"GET", "POST"}
    assert university.sent() == []


def test_no_value_of_people_or_tests_is_in_the_file_or_on_the_terminal(
    university: University,
) -> None:
    ran = university.run("doctor", "--probe", str(university.folder / FILE))
    contents = university.sandbox.contents()
    values = {
        value
        for part in ("students", "staff", "tests")
        for value in _values(contents[part])
        # A short number may be a part of a port or of a time.
        if len(value) > (6 if value.isdigit() else 3) and value not in WORDS
    }
    assert {TEST, "s1001", str(university.tests()[TEST]["assessmentRunId"])} <= values
    assert not [place for place in personal(university, values) if f" in {FILE}:" in place]
    assert not [value for value in values if value in ran.output]


def test_the_file_is_private_and_never_overwritten(university: University) -> None:
    _probed(university)
    file = university.folder / FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_bytes()
    university.start_observing()
    ran = university.run("doctor", "--probe", str(file))
    assert ran.status == Exit.USAGE
    assert "exists already, and is never overwritten" in ran.err
    assert file.read_bytes() == before
    assert university.calls() == []


def test_the_terminal_says_what_the_file_holds(university: University) -> None:
    ran = university.run("doctor", "--probe", str(university.folder / FILE))
    assert "200        test.read: a test" in ran.out
    assert "page 2 of a search" in ran.out
    assert "It holds no other value" in ran.out
    assert ran.out.splitlines()[-1].endswith("exit status 0.")


def test_a_call_that_this_tenant_refuses_is_a_result_and_nothing_is_repeated(
    university: University,
) -> None:
    university.fail(method="GET", path="*/candidates", status=405)
    calls = {call["name"]: call for call in _probed(university)["calls"]}
    assert (calls["candidate.list"]["status"], calls["candidate.list"]["failed"]) == (405, True)
    assert len([one for one in university.calls() if one["path"].endswith("/candidates")]) == 1


def test_an_empty_tenant_is_probed_as_far_as_it_goes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    university = University(tmp_path, capsys)
    monkeypatch.setattr(doctor_probe, "now", university.now)
    with university.sandbox:
        document = _probed(university)
    assert document["not_made"] == {
        "test.read": "the search found no test",
        "candidate.list": "the search found no test",
        "person.read": "no answer has named a person",
    }


def test_a_key_that_is_refused_exits_5_and_writes_nothing(university: University) -> None:
    university.write()
    (university.folder / "api-key").write_text("wrong-marker-key\n", encoding="utf-8")
    ran = university.run("doctor", "--probe", str(university.folder / FILE))
    assert ran.status == Exit.INSPERA
    assert not (university.folder / FILE).exists()
    assert "wrong-marker-key" not in ran.output


@pytest.mark.parametrize("more", [("--offline",), ("--json",), ("--apidoc", "x.json")])
def test_a_probe_takes_no_other_option(university: University, more: tuple[str, ...]) -> None:
    ran = university.run("doctor", "--probe", str(university.folder / FILE), *more)
    assert (ran.status, university.calls()) == (Exit.USAGE, [])


def test_a_folder_that_is_missing_is_said_before_any_call(university: University) -> None:
    ran = university.run("doctor", "--probe", str(university.folder / "nowhere" / FILE))
    assert (ran.status, university.calls()) == (Exit.USAGE, [])
    assert OTHER not in ran.err
