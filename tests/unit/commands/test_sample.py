"""`sample`: the first rows of a source as read and as mapped; what must not be shown is not."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from sync.cli import run
from sync.exit_codes import Exit

ESCAPE = "\x1b"
STUDENTS = """\
no,login,given,family,mail,status,first_password
500001,ase,Åse,Eksempel,ase@example.edu,active,geheim-1
500002,bo,Bo,Example,bo(at)example.edu,active,geheim-2
500003,carl,Carl,Example,carl@example.edu,gone,geheim-3
500004,,Dag,Demo,dag@example.edu,active,geheim-4
01019012345,eve,[bold]Eve,Demo,,active,
500006,fay,Fay,Demo,,active,
500007,gus,Gus,Demo,,active,
"""
EXAMS = """\
test;title;start;end;minutes;lockdown;pin
INF1;Programmering;01.12.2026 09:00;01.12.2026 13:00;240;ja;pin4hemmelig
INF2;Databaser;29.03.2026 02:30;29.03.2026 05:00;60;nei;
"""
SEATS = "test,student,extra\nINF1,500001,25%\nINF1,500009,30\n"
ROOMS = "test,student,room,code\nINF1,500001,Aud 1,skjult-kode\n"
CONFIG = """
inspera: {url: "https://example.inspera.com", client_id: example, api_key: "${file:key}"}
sources:
  students: {type: csv, path: students.csv}
  again: {type: csv, path: students.csv}
  exams: {type: csv, path: exams.csv, delimiter: ";"}
  seats: {type: csv, path: seats.csv}
  rooms: {type: csv, path: rooms.csv}
feeds:
  - kind: learner
    source: students
    auth_system: FEIDE
    where: {status: active}
    map: {key: no, external_id: login, username: {column: login, upper: true}, first_name: given,
          last_name: family,
      email: mail, password: first_password}
  - kind: learner
    source: again
    auth_system: FEIDE
    on_conflict: skip
    map: {external_id: no, username: "{first_password}-x", first_name: given, last_name: family}
  - kind: test
    source: exams
    map:
      external_test_id: test
      title: title
      start: {column: start, format: "%d.%m.%Y %H:%M", zone: Europe/Oslo}
      end: {column: end, format: "%d.%m.%Y %H:%M", zone: Europe/Oslo}
      duration: minutes
  - kind: option
    source: exams
    map: {test: test, option: {constant: SEB_SETTINGS_PINCODE}, value: pin}
  - kind: option
    source: exams
    map:
      test: test
      option: {constant: LOCKDOWN_BROWSER}
      value: {column: lockdown, lookup: {ja: true, nei: false}}
  - kind: candidate
    source: seats
    join: {rooms: {by: {test: test, student: student}}}
    map: {test: test, learner: student, extra_time: extra, room: rooms.room}
"""
ROOM_CODES = """
  - kind: option
    source: seats
    join: {rooms: {by: {test: test, student: student}}}
    map: {test: test, option: {constant: LOCKDOWN_QUIT_CODE}, value: rooms.code}
"""


class Ran(NamedTuple):
    status: int
    out: str
    err: str


Sample = Callable[..., Ran]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    files = {
        "students.csv": STUDENTS,
        "exams.csv": EXAMS,
        "seats.csv": SEATS,
        "rooms.csv": ROOMS,
        "key": "k",
    }
    for name, text in {**files, "inspera-sync.yaml": CONFIG}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "key").chmod(0o400)
    return tmp_path


@pytest.fixture
def sample(site: Path, capsys: pytest.CaptureFixture[str]) -> Sample:
    def ran(*words: str) -> Ran:
        status = run(["--config", str(site / "inspera-sync.yaml"), "sample", *words])
        return Ran(status, *capsys.readouterr())

    return ran


def rows_of(ran: Ran) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(ran.out)["rows"]
    return rows


def test_a_row_stands_there_as_read_and_as_each_feed_maps_it(sample: Sample) -> None:
    ran = sample("students", "--rows", "1")
    assert ran == (
        Exit.OK,
        """\
students.csv line 2
  as read
    no              500001
    login           ase
    given           Åse
    family          Eksempel
    mail            ase@example.edu
    status          active
    first_password  ****
  feeds[1] learner
    key          500001
    username     ASE
    external_id  ase
    first_name   Åse
    last_name    Eksempel
    email        ase@example.edu
    password     ****
    auth_system  FEIDE

No row errors in this row; `check` reads them all.
""",
        "",
    )


def test_five_rows_are_shown_unless_others_are_asked_for(sample: Sample) -> None:
    assert len(rows_of(sample("students", "--json"))) == 5
    assert len(rows_of(sample("students", "--json", "--rows", "7"))) == 7
    assert len(rows_of(sample("students", "--json", "--rows", "900"))) == 7
    assert sample("students", "--rows", "0").status == Exit.USAGE


def test_a_row_error_stands_next_to_its_row_and_makes_the_status_1(sample: Sample) -> None:
    ran = sample("students", "--rows", "4")
    assert ran.status == Exit.ERRORS
    _, first, second, *_ = ran.out.split("students.csv line ")
    assert "row_error" not in first
    assert "  feeds[1] learner: 1 row error\n" in second
    assert "    row error: email: is not an email address; it is left out, and the person" in second
    assert ran.out.endswith("1 row error in these 4 rows; `check` reads them all.\n")
    assert sample("students", "--rows", "1").status == Exit.OK
    found = rows_of(sample("students", "--json"))[1]["feeds"][0]
    assert (found["outcome"], [row_error["field"] for row_error in found["row_errors"]]) == (
        "row_errors",
        ["email"],
    )


def test_a_row_that_where_does_not_select_says_so(sample: Sample) -> None:
    ran = sample("students", "--rows", "3")
    third = ran.out.split("students.csv line 4")[1]
    assert "  feeds[1] learner: not selected\n" in third
    assert (
        rows_of(sample("students", "--rows", "3", "--json"))[2]["feeds"][0]["outcome"]
        == "not selected"
    )


@pytest.mark.parametrize("name", ["students", "again", "exams", "seats", "rooms"])
@pytest.mark.parametrize("words", [(), ("--json",)])
def test_no_secret_is_ever_shown(
    name: str, words: tuple[str, ...], site: Path, sample: Sample
) -> None:
    (site / "inspera-sync.yaml").write_text(CONFIG + ROOM_CODES)
    ran = sample(name, "--rows", "9", *words)
    assert ran.status in (Exit.OK, Exit.ERRORS)
    assert not [
        secret
        for secret in ("geheim", "GEHEIM", "hemmelig", "skjult")
        if secret in ran.out + ran.err
    ]
    assert "****" in ran.out


def test_a_column_that_another_feed_has_as_a_secret_is_one_everywhere(
    site: Path, sample: Sample
) -> None:
    """By whichever name the file goes, and through a join too."""
    config = yaml.safe_load(CONFIG)
    students, again, *_, seats = config["feeds"]
    again["map"]["password"] = students["map"].pop("password")
    again["map"]["username"] = "no"
    seats["map"]["building"] = "rooms.code"
    pin = {"test": "test", "option": {"constant": "LOCKDOWN_QUIT_CODE"}, "value": "code"}
    config["feeds"].append({"kind": "option", "source": "rooms", "map": pin})
    (site / "inspera-sync.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    for name in ("students", "again", "seats", "rooms"):
        said = sample(name).out
        assert "****" in said
        assert not [secret for secret in ("geheim", "skjult") if secret in said]
    feed = rows_of(sample("seats", "--json"))[0]["feeds"][0]
    assert (feed["joined"]["rooms.code"], feed["record"]["building"]) == ("****", "****")


def test_a_switch_next_to_a_pin_is_shown(sample: Sample) -> None:
    feeds = rows_of(sample("exams", "--json"))[0]["feeds"]
    assert [one["record"].get("value") for one in feeds] == [None, "****", "true"]


def test_the_option_may_be_a_pin_where_each_row_names_its_own(site: Path, sample: Sample) -> None:
    config = yaml.safe_load(CONFIG)
    config["sources"]["options"] = {"type": "csv", "path": "options.csv"}
    config["feeds"].append(
        {
            "kind": "option",
            "source": "options",
            "map": {"test": "test", "option": "option", "value": "value"},
        }
    )
    (site / "inspera-sync.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    (site / "options.csv").write_text("test,option,value\nINF1,SEB_SETTINGS_PINCODE,pin4hemmelig\n")
    ran = sample("options")
    assert ran.status == Exit.OK
    assert "hemmelig" not in ran.out


def test_a_national_identity_number_is_masked_wherever_it_stands(sample: Sample) -> None:
    for words in ((), ("--json",)):
        ran = sample("students", "--rows", "5", *words)
        assert "01019012345" not in ran.out
        assert ran.out.count("0101*******") == 2  # as read, and as the key


def test_times_are_shown_in_utc_and_by_the_clock_of_the_zone(sample: Sample) -> None:
    ran = sample("exams", "--rows", "1")
    assert "start             2026-12-01T08:00:00Z (2026-12-01 09:00 Europe/Oslo)" in ran.out
    shown = rows_of(sample("exams", "--rows", "1", "--json"))[0]["feeds"][0]["record"]["end"]
    assert shown == {
        "utc": "2026-12-01T12:00:00Z",
        "local": "2026-12-01 13:00",
        "zone": "Europe/Oslo",
    }


def test_a_time_that_the_clock_skips_is_a_row_error_next_to_its_row(sample: Sample) -> None:
    ran = sample("exams")
    assert ran.status == Exit.ERRORS
    assert (
        "row error: start: '29.03.2026 02:30' does not exist in Europe/Oslo: the clock skips it"
        in ran.out
    )


def test_joined_columns_are_shown_with_the_record_that_is_made_of_them(sample: Sample) -> None:
    first, second = (row["feeds"][0] for row in rows_of(sample("seats", "--json")))
    assert first["joined"] == {"rooms.room": "Aud 1"}
    assert first["record"]["room"] == "Aud 1"
    assert first["record"]["extra_time"] == "25% of the duration"
    assert second["record"] == {
        "test": "INF1",
        "learner": "500009",
        "extra_time": "30",
        "room": None,
    }
    assert "(left alone)" in sample("seats").out


def test_a_source_that_is_only_joined_says_who_takes_from_it(sample: Sample) -> None:
    ran = sample("rooms")
    assert ran.status == Exit.OK
    assert "feeds[6] takes columns from it (`join`)." in ran.out


def test_a_source_that_nobody_reads_is_shown_all_the_same(site: Path, sample: Sample) -> None:
    (site / "inspera-sync.yaml").write_text(
        CONFIG.replace("  rooms:", "  spare: {type: csv, path: rooms.csv}\n  rooms:")
    )
    ran = sample("spare")
    assert ran.status == Exit.OK
    assert "Aud 1" in ran.out
    assert "No feed reads it." in ran.out


def test_a_row_that_says_that_its_record_departs_is_reported_by_its_key(
    site: Path, sample: Sample
) -> None:
    text = CONFIG.replace("    where: {status: active}\n", "    departure: {status: gone}\n")
    (site / "inspera-sync.yaml").write_text(text)
    feed = rows_of(sample("students", "--json"))[2]["feeds"][0]
    assert (feed["outcome"], feed["record"]) == ("departure", {"key": "500003"})
    assert "feeds[1] learner: says that this record departs" in sample("students").out


def test_an_empty_source_says_so_and_names_its_columns(site: Path, sample: Sample) -> None:
    (site / "seats.csv").write_text("test,student,extra\n")
    ran = sample("seats")
    assert (ran.status, ran.out) == (
        Exit.OK,
        "seats.csv has no row; its columns are test, student, extra.\n",
    )


def test_a_wrong_name_gets_the_nearest_and_status_2(sample: Sample) -> None:
    ran = sample("studnts")
    assert (ran.status, ran.out) == (Exit.USAGE, "")
    assert ran.err == "sample studnts: this source does not exist; did you mean 'students'?\n"
    assert sample().status == Exit.USAGE


def test_a_source_that_can_not_be_read_is_status_4(site: Path, sample: Sample) -> None:
    (site / "students.csv").unlink()
    ran = sample("students")
    assert ran.status == Exit.SOURCE
    assert ran.err.startswith("students.csv: is not there")


def test_a_missing_column_is_said_once_with_how_many_there_are_and_status_4(
    site: Path, sample: Sample
) -> None:
    (site / "exams.csv").write_text(EXAMS.replace("title", "tittel"))
    ran = sample("exams")
    assert ran.status == Exit.SOURCE
    said = (
        "Source: exams.csv: feeds[3]: column 'title' is missing (it has 7 columns); "
        "correct the source or"
    )
    assert ran.out.count(said) == 1
    assert "feeds[5] option" in ran.out
    assert "feeds[3] test" not in ran.out


def test_a_source_that_breaks_after_the_rows_that_are_shown_is_shown(
    site: Path, sample: Sample
) -> None:
    with (site / "seats.csv").open("a") as file:
        file.write("one,cell,too,many\n")
    assert sample("seats", "--rows", "2").status == Exit.OK
    assert sample("seats", "--rows", "3").status == Exit.SOURCE


def test_nothing_is_written_and_no_state_is_made(site: Path, sample: Sample) -> None:
    before = {path: path.stat().st_mtime_ns for path in site.iterdir()}
    sample("students")
    sample("seats")
    assert {path: path.stat().st_mtime_ns for path in site.iterdir()} == before


def test_the_help_warns_that_people_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sample", "--help"]) == 0
    assert "Shows people's data" in " ".join(capsys.readouterr().out.split())


def on_a_terminal(site: Path, width: int, *words: str) -> str:
    """Return what the program writes to a terminal of this width."""
    ours, theirs = pty.openpty()
    environment = os.environ | {"COLUMNS": str(width), "TERM": "xterm-256color"}
    environment.pop("NO_COLOR", None)
    command = [
        sys.executable,
        "-m",
        "sync",
        "--config",
        str(site / "inspera-sync.yaml"),
        "sample",
        *words,
    ]
    with subprocess.Popen(
        command, stdout=theirs, stderr=theirs, stdin=subprocess.DEVNULL, env=environment
    ):
        os.close(theirs)
        seen = b""
        try:
            while piece := os.read(ours, 65536):
                seen += piece
        except OSError:  # how the end of a terminal shows
            pass
    os.close(ours)
    return seen.decode()


@pytest.mark.process
def test_a_wide_terminal_has_them_side_by_side_and_a_narrow_one_below_each_other(
    site: Path,
) -> None:
    wide = on_a_terminal(site, 100, "students", "--rows", "5")
    assert any("as read" in line and "feeds[1] learner" in line for line in wide.splitlines())
    assert any(line.count("500001") == 2 for line in wide.splitlines())
    assert ESCAPE in wide
    assert "[bold]Eve" in wide  # not taken as markup
    assert "geheim" not in wide
    narrow = on_a_terminal(site, 60, "students", "--rows", "1")
    assert "  feeds[1] learner" in narrow.splitlines()
    assert ESCAPE not in narrow


@pytest.mark.process
def test_what_a_cell_holds_can_not_steer_the_terminal(site: Path, sample: Sample) -> None:
    (site / "seats.csv").write_text(
        f"test,student,extra\nINF1{ESCAPE}[2J,500001,\n{'x' * 300},2,\n"
    )
    for said in (
        sample("seats").out,
        on_a_terminal(site, 100, "seats").replace(f"{ESCAPE}[1m", ""),
    ):
        assert f"{ESCAPE}[2J" not in said
        assert r"INF1\u001b[2J" in said
    assert f"{'x' * 200}… (300 characters)" in sample("seats").out
