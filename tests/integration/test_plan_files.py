"""`plan --out FILE` and `apply FILE`: exactly the reviewed changes are sent, or none."""

import json
from pathlib import Path
from typing import Any

import pytest
from sync.app import App
from sync.commands.apply import ApplyOptions, apply
from sync.engine.interruption import Interruption
from sync.exit_codes import Exit

from ..support.university import TEST, University, numbers

PIN = "Kode123456"


@pytest.fixture
def reviewed(university: University) -> University:
    """Three learners in Inspera, and a plan of a new one, an update, a removal and a new pin."""
    university.add_feeds("option")
    university.allow_shrinkage()
    university.register(TEST, *numbers(1001, 9))
    university.settings.add(f"{TEST} SEB_SETTINGS_PINCODE", value="Kode654321")
    university.apply_once()
    university.register(TEST, "1099")
    university.students.set("1002", given="Ny")
    university.registrations.drop(f"{TEST} 1003")
    university.settings.set(f"{TEST} SEB_SETTINGS_PINCODE", value=PIN)
    assert university.plan("--out", str(file_of(university))).status == 0
    return university


def file_of(university: University) -> Path:
    return university.folder / "plan.jsonl"


def lines_of(university: University) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file_of(university).read_text().splitlines()]


def refused(university: University, *words: str) -> str:
    """Return why the plan is refused; nothing is sent, and the state is as before."""
    before = university.state.read_bytes()
    result = university.apply(str(file_of(university)), *words)
    assert result.status == 2, result.output
    assert "nothing was sent" in result.output or "make a new plan" in result.output
    assert not university.sent()
    assert university.state.read_bytes() == before
    return result.err


def test_the_file_has_what_passes_in_order_and_no_secret(reviewed: University) -> None:
    head, *changes, end = lines_of(reviewed)
    assert head["options"] == {}
    assert head["tenant"]["client_id"] == "example"
    planned = [f"{one['action']} {one['kind']} {'/'.join(one['key'])}" for one in changes]
    assert planned == reviewed.planned("pass")
    assert end["changes"] == len(changes) == 5
    text = file_of(reviewed).read_text()
    assert PIN not in text
    assert "digest " not in text
    assert "Ny" not in text  # names are never in a plan
    assert file_of(reviewed).stat().st_mode & 0o777 == 0o600


def test_the_untouched_plan_is_carried_out_exactly(reviewed: University) -> None:
    result = reviewed.apply(str(file_of(reviewed)))
    assert result.status == 0, result.output
    assert sorted(reviewed.written()) == [
        f"DELETE candidates {TEST}",
        f"POST candidates {TEST}",
        f"POST options {TEST}",
        "POST student s1002",
        "POST student s1099",
    ]
    assert "5 changes are gone" in refused(reviewed)  # it is carried out once


@pytest.mark.parametrize(
    ("number", "where"),
    [(0, "line 1"), (3, "line 4"), (-1, "line 7")],
    ids=["head", "change", "end"],
)
def test_one_changed_byte_is_named_by_its_line(
    reviewed: University, number: int, where: str
) -> None:
    lines = file_of(reviewed).read_bytes().splitlines(keepends=True)
    lines[number] = lines[number].replace(b'"type"', b'"tyqe"' if number == 3 else b' "type"', 1)
    file_of(reviewed).write_bytes(b"".join(lines))
    assert f"{where} was changed" in refused(reviewed)


def test_missing_moved_and_added_lines_are_noticed(reviewed: University) -> None:
    lines = file_of(reviewed).read_bytes().splitlines(keepends=True)
    for wrong, what in (
        (lines[:-1], "its end is missing"),
        ([*lines[:2], *lines[3:]], "its lines are not all there"),
        ([lines[0], lines[2], lines[1], *lines[3:]], "or in another order"),
        ([*lines, lines[1]], "line 8 is after the end"),
        ([b"\xff\xfe\n"], "is not a plan"),
        ([], "it is empty"),
    ):
        file_of(reviewed).write_bytes(b"".join(wrong))
        assert what in refused(reviewed)


def test_a_moved_source_is_refused_by_key(reviewed: University) -> None:
    reviewed.register(TEST, "1098")
    reviewed.students.set("1002", given="Andre")
    reviewed.registrations.add(f"{TEST} 1003")
    why = refused(reviewed)
    assert f"2 changes are new (candidate {TEST} 1098, learner 1098)" in why
    assert f"1 is gone (candidate {TEST} 1003)" in why
    assert "1 is different (learner 1002)" in why
    assert f"plan --out {file_of(reviewed)}" in why


def test_a_moved_state_is_refused(reviewed: University) -> None:
    reviewed.run_job("noon")
    why = refused(reviewed)
    assert "5 changes are gone" in why
    assert "1 run since the plan of 2026-09-01T08:00:00Z" in why


def test_a_changed_secret_counts(reviewed: University) -> None:
    reviewed.settings.set(f"{TEST} SEB_SETTINGS_PINCODE", value="Kode777777")
    assert f"1 change is different (option {TEST} SEB_SETTINGS_PINCODE)" in refused(reviewed)


def test_a_plan_of_another_tenant_version_or_format_is_refused(
    reviewed: University, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.commands.plan_file.__version__", "99.0")
    assert "this is 99.0" in refused(reviewed)
    monkeypatch.undo()
    monkeypatch.setattr("sync.report.plan_file.FORMAT", 2)
    assert "has format 1, and this version reads format 2" in refused(reviewed)
    monkeypatch.undo()
    reviewed.config["inspera"]["client_id"] = "other"
    assert "is a plan for" in refused(reviewed)


def test_the_options_of_the_plan_are_used_and_no_others(university: University) -> None:
    university.allow_shrinkage()
    university.register(TEST, *numbers(1001, 20))
    university.apply_once()
    university.registrations.drop(*(f"{TEST} {key}" for key in numbers(1001, 8)))
    digest = university.plan().allow_hash
    university.plan("--allow", digest, "--out", str(file_of(university)))
    assert (
        "takes no option that changes the plan"
        in university.apply(str(file_of(university)), "--allow", digest).err
    )
    assert university.apply(str(file_of(university))).status == 0
    assert len(university.candidates()) == 12


def test_a_file_of_another_kind_is_never_replaced(university: University) -> None:
    university.register(TEST, "1001")
    precious = university.folder / "thesis.txt"
    precious.write_text("mine")
    for place in (precious, university.folder, university.folder / "nowhere" / "plan"):
        assert university.plan("--out", str(place)).status == 2
    assert precious.read_text() == "mine"
    for _ in range(2):  # its own file is replaced
        assert university.plan("--out", str(file_of(university))).status == 0
    assert not list(university.folder.glob(".plan*"))


def test_a_first_plan_has_no_key_of_digests_and_is_carried_out(university: University) -> None:
    university.add_feeds("option")
    university.register(TEST, "1001")
    university.settings.add(f"{TEST} SEB_SETTINGS_PINCODE", value=PIN)
    university.plan("--out", str(file_of(university)))
    assert not lines_of(university)[0]["secrets_compared"]
    assert university.apply(str(file_of(university))).status == 0
    assert university.options()


def test_the_answer_no_sends_nothing_of_it(reviewed: University) -> None:
    asked, shown = list[int](), list[str]()

    def confirm(total: int) -> bool:
        asked.append(total)
        return False

    options = ApplyOptions(file=file_of(reviewed), confirm=confirm)
    app = App.open(reviewed.write(), lambda _line: None)
    reviewed.start_observing()
    status = apply(app, options, shown.append, lambda *_: None, Interruption())
    assert (status, asked) == (Exit.HELD, [5])
    assert not reviewed.calls()
    assert shown[-1] == "Run: 5 not sent; exit status 3: nothing was sent, as you asked."
    assert reviewed.status()["runs"][0]["status"] == "declined"


def test_a_part_of_a_plan_is_reviewed_and_carried_out(reviewed: University) -> None:
    reviewed.plan("--person", "1099", "--out", str(file_of(reviewed)))
    assert [one["key"] for one in lines_of(reviewed)[1:-1]] == [["1099"], [TEST, "1099"]]
    assert "takes no option" in reviewed.apply(str(file_of(reviewed)), "--test", TEST).err
    assert reviewed.apply(str(file_of(reviewed))).status == 0
    assert sorted(reviewed.written()) == [f"POST candidates {TEST}", "POST student s1099"]
