"""What the pages advise for held changes, drift, a lost state and a restored one comes out as they say."""

import http.client
import io
import json
import re
import shlex
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import chdir, closing, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from sync.cli import run
from sync.sandbox import Sandbox

from .conftest import ADDRESS
from .pages import TUTORIAL, blocks

TEST, LOGIN, NEW_LOGIN = "MAT1100-H99", "zoe@example.edu", "zoe.e@example.edu"
OLD_SEAT_OFF = {"candidate": {"test": TEST, "username": LOGIN, "removed": True}}
BRISK = "  read_after_write_delay: 100ms\n  call_timeout: 0s\n  calls_per_second: 200\n"


class TutorialUniversity:
    """The tutorial's first files and a sandbox, with one `apply` behind them."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self._host = folder, urlsplit(url).netloc
        for block in blocks(TUTORIAL):
            path = folder / block.file
            if block.file and not path.exists():
                text = block.text.replace(ADDRESS, url).replace(
                    "  client_id", f"{BRISK}  client_id"
                )
                path.write_text(text, encoding="utf-8")
        # So that one reading without somebody is enough, as nobody waits for an hour here
        self.change("inspera-sync.yaml", "feeds:\n", "grace: {readings: 1, age: 0s}\nfeeds:\n")
        key = folder / "api-key"
        key.write_text("sandbox-key", encoding="utf-8")
        key.chmod(0o600)
        self.run("apply", status=0)

    def run(self, words: str, status: int) -> str:
        printed = io.StringIO()
        # in this process: a new one for each of so many commands would take longer than the commands themselves
        with chdir(self.folder), redirect_stdout(printed), redirect_stderr(printed):
            ended = run(shlex.split(words))
        assert ended == status, printed.getvalue()
        return printed.getvalue()

    def change(self, name: str, old: str, new: str) -> None:
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def edit(self, edit: dict[str, Any]) -> None:
        self._call("POST", "/_sandbox/manual-edits", json.dumps(edit))

    def held(self, test: str = TEST) -> dict[str, Any]:
        """The test as the sandbox has it."""
        tests = self._call("GET", "/_sandbox/contents", None)["tests"]
        found: dict[str, Any] = next(each for each in tests if each["externalTestId"] == test)
        return found

    def seated(self, test: str = TEST) -> set[str]:
        """The logins of the accounts that have a seat on the test."""
        return {seat["username"] for seat in self.held(test)["candidates"]}

    def roles(self) -> list[str]:
        """What the tutorial's one contributor does."""
        (contributor,) = self.held("INF1000-H99")["contributors"]
        return sorted(contributor["roles"])

    def schema(self) -> Any:
        """The sandbox's own schema."""
        return self._call("GET", "/apidoc", None)

    def _call(self, method: str, path: str, body: str | None) -> Any:
        connection = http.client.HTTPConnection(self._host, timeout=30)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            assert answer.status == 200, answer.read()
            return json.load(answer)
        finally:
            connection.close()


@pytest.fixture
def university(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TutorialUniversity]:
    monkeypatch.delenv("INSPERA_SYNC_CONFIG", raising=False)
    with Sandbox() as sandbox:
        yield TutorialUniversity(tmp_path, sandbox.url)


def student(login: str) -> dict[str, Any]:
    names = {
        "username": login,
        "firstName": "Zoë",
        "lastName": "Eksempel",
        "email": "zoe@example.edu",
    }
    return {"student": names | {"externalIds": [{"authType": "FEIDE", "externalId": login}]}}


def test_a_learner_whose_new_login_has_an_account_of_its_own_gets_the_seat_there(
    university: TutorialUniversity,
) -> None:
    university.edit(student(NEW_LOGIN))
    university.change("students.csv", f"100003,{LOGIN}", f"100003,{NEW_LOGIN}")
    assert "identity change learner 100003" in university.run("apply", status=3)
    assert NEW_LOGIN not in university.seated()
    asked = university.run("adopt learner 100003", status=3)
    assert "take these seats off in Inspera, then run `adopt learner 100003`" in asked
    assert NEW_LOGIN not in university.seated()
    university.edit(OLD_SEAT_OFF)
    university.run("adopt learner 100003", status=0)
    university.run("apply", status=0)
    assert NEW_LOGIN in university.seated()
    university.run("plan --exit-code", status=0)


def test_a_learner_whose_new_login_has_no_account_gets_one_with_the_seat_once_it_is_said_to_be_new(
    university: TutorialUniversity,
) -> None:
    university.change("students.csv", f"100003,{LOGIN}", f"100003,{NEW_LOGIN}")
    for words in ("adopt learner 100003", "adopt learner 100003 --as-new"):
        asked = university.run(words, status=3)
        assert "number 202), and a number is not given twice: take these seats off" in asked
        assert "then run `adopt learner 100003 --as-new`" in asked
    university.edit(OLD_SEAT_OFF)
    university.run("adopt learner 100003 --as-new", status=0)
    university.run("apply", status=0)
    assert NEW_LOGIN in university.seated()


def test_an_extension_by_hand_is_held_as_drift_and_stays_when_the_source_says_so_too(
    university: TutorialUniversity,
) -> None:
    university.edit({"test": "INF1000-H99", "end": "2099-12-03T12:30:00Z"})
    university.change("exams.csv", "Programming", "Programming I")
    assert "drift" in university.run("apply", status=3)
    university.change("exams.csv", "03.12.2099 13:00", "03.12.2099 13:30")
    university.run("adopt --held", status=0)
    assert "12:30:00Z →" not in university.run("apply", status=0)


def test_a_role_given_by_hand_is_held_and_settled_as_the_page_says(
    university: TutorialUniversity,
) -> None:
    more = {"roles": ["evaluate", "monitor"], "committees": ["A"]}
    university.edit(
        {"contributor": {"test": "INF1000-H99", "username": "signe@example.edu", **more}}
    )
    university.change("staff.csv", "INF1000-H99,A", "INF1000-H99,B")
    assert "further roles" in university.run("apply", status=3)
    university.run("adopt contributor INF1000-H99 501", status=0)
    university.run("apply", status=0)
    assert university.roles() == ["evaluate"]


def test_reconcile_lists_an_extension_by_hand_and_a_repair_takes_it_back(
    university: TutorialUniversity,
) -> None:
    before = university.held("INF1000-H99")
    university.edit({"test": "INF1000-H99", "end": "2099-12-03T12:30:00Z"})
    assert "test INF1000-H99: end" in university.run("reconcile", status=3)
    university.run("reconcile --repair", status=0)
    assert university.held("INF1000-H99")["endTime"] == before["endTime"]
    assert "Inspera is as this state knows it" in university.run("reconcile", status=0)


def test_where_inspera_is_right_and_the_source_says_so_too_a_repair_changes_nothing_there(
    university: TutorialUniversity,
) -> None:
    university.edit({"test": "INF1000-H99", "end": "2099-12-03T12:30:00Z"})
    university.change("exams.csv", "03.12.2099 13:00", "03.12.2099 13:30")
    assert "nothing to do" in university.run("reconcile --repair", status=0)
    assert university.held("INF1000-H99")["endTime"] == "2099-12-03T12:30:00Z"


def test_what_people_put_there_by_hand_is_listed_and_left_alone(
    university: TutorialUniversity,
) -> None:
    university.edit({"candidate": {"test": TEST, "username": "aasne@example.edu"}})
    assert "unmanaged" in university.run("reconcile --repair", status=0)
    assert "aasne@example.edu" in university.seated()


def test_the_schema_that_the_sandbox_shows_satisfies_the_doctor_and_a_changed_call_does_not(
    university: TutorialUniversity,
) -> None:
    schema = university.folder / "apidoc.json"
    schema.write_text(json.dumps(university.schema()), encoding="utf-8")
    university.run("doctor", status=0)
    university.run("doctor --apidoc apidoc.json", status=0)
    moved = (
        "  calls: {candidate.remove: {method: POST, path: '/v1/test/{test}/candidates/remove'}}\n"
    )
    university.change("inspera-sync.yaml", "sources:\n", f"{moved}sources:\n")
    assert "absent     candidate.remove" in university.run("doctor --apidoc apidoc.json", status=1)


def test_a_lost_state_is_noticed_and_taken_back_with_the_candidates_as_ours(
    university: TutorialUniversity,
) -> None:
    (university.folder / "state.db").unlink()
    assert "lost state" in university.run("apply", status=3)
    university.run("adopt --managed", status=0)
    assert "create 2 options, update 2 tests; 0 row errors" in university.run("apply", status=0)
    university.change("registrations.csv", f"{TEST[:7]},H99,100003,202,\n", "")
    assert "remove candidate" in university.run("apply", status=0)
    assert LOGIN not in university.seated()


def test_durations_of_many_adopted_tests_are_held_and_go_once_they_are_allowed(
    university: TutorialUniversity,
) -> None:
    times = "05.12.2099 09:00;05.12.2099 13:00;240;no\n"
    more = "".join(f"MAT{number};H99;Algebra {number};{times}" for number in range(1200, 1212))
    university.change("exams.csv", times, times + more)
    university.run("apply", status=0)
    (university.folder / "state.db").unlink()
    university.run("adopt --managed", status=0)
    (allowed,) = set(re.findall(r"apply --allow (\w+)", university.run("plan", status=3)))
    university.run(f"apply --allow {allowed}", status=0)
    university.run("plan --exit-code", status=0)


def test_a_backup_that_is_put_back_learns_of_what_was_done_since(
    university: TutorialUniversity,
) -> None:
    state = university.folder / "state.db"
    with (
        closing(sqlite3.connect(state, isolation_level=None)) as live,
        closing(sqlite3.connect(university.folder / "backup.db", isolation_level=None)) as copy,
    ):
        live.backup(copy)
    live.close()
    copy.close()
    with (university.folder / "registrations.csv").open("a", encoding="utf-8") as file:
        file.write("MAT1100,H99,100001,203,\n")
    university.run("apply", status=0)
    for old in university.folder.glob("state.db*"):
        old.unlink()
    shutil.copyfile(university.folder / "backup.db", state)
    assert "this state may be older" in university.run("apply", status=3)
    assert f"taken: candidate {TEST} / 100001" in university.run("adopt --managed", status=0)
    assert "Recovered" in university.run("reconcile", status=0)
    university.run("plan --exit-code", status=0)
    university.change("registrations.csv", "MAT1100,H99,100001,203,\n", "")
    university.run("apply", status=0)
    assert "aasne@example.edu" not in university.seated()


def test_the_journal_can_be_emptied_without_anything_being_sent_again(
    university: TutorialUniversity,
) -> None:
    with closing(sqlite3.connect(university.folder / "state.db", isolation_level=None)) as state:
        state.execute("UPDATE intent SET fields = '{}', before = '{}' WHERE outcome IS NOT NULL")
    state.close()
    assert "nothing to do" in university.run("apply", status=0)
