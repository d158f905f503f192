"""No secret appears in anything that is printed, logged or kept, whatever succeeds or fails.

Every story's fixture looks for secrets at its end. Here they are planted, and every command is run over them.
"""

import sqlite3
import traceback
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ..support.leak_scan import leaks
from ..support.university import KEY, TEST, University

PASSWORD, STAFF_PASSWORD = "Passord-Student-4711", "Passord-Ansatt-0815"


PIN, QUIT, NEW_PIN = "Pinkode77martyr", "Avslutt88martyr", "Pinkode99martyr"


UNSOUND = "martyrmartyr"
"""A pin that breaks the vendor's rule."""


PROXY_PASSWORD = "Mellomtjener-66"


ALL = (PASSWORD, STAFF_PASSWORD, PIN, QUIT, NEW_PIN, PROXY_PASSWORD, KEY)


COMMANDS = (
    ("check", "--all"),
    ("plan", "--all"),
    ("plan", "--json"),
    ("--verbose", "apply", "--all"),
    ("--verbose", "adopt", "--show", "--all"),
    ("--verbose", "adopt", "--all"),
    ("--verbose", "reconcile", "--all"),
    ("--verbose", "reconcile", "--json"),
    ("status", "--all"),
    ("status", "--json"),
    ("doctor",),
    ("doctor", "--offline", "--json"),
)


TELLING = (COMMANDS[3], ("plan", "--all"), ("--verbose", "reconcile", "--json"), *COMMANDS[8:10])
"""Those that may repeat what went wrong."""


@pytest.fixture
def secretive(university: University, caplog: pytest.LogCaptureFixture) -> Iterator[University]:
    """First passwords of learners and staff, a pin and a quit code. At the end of its story nothing has leaked."""
    caplog.set_level("DEBUG")
    university.add_feeds("staff", "contributor", "option")
    university.config["inspera"]["workers"] = 1
    for kind in ("learner", "staff"):
        university.feed(kind)["map"]["password"] = "secret"
    university.register(TEST, "1001", "1002")
    university.assign_staff(TEST, "7001")
    for number in ("1001", "1002"):
        university.students.set(number, secret=PASSWORD)
    university.employees.set("7001", secret=STAFF_PASSWORD)
    university.settings.add(f"{TEST} SEB_SETTINGS_PINCODE", value=PIN)
    university.settings.add(f"{TEST} LOCKDOWN_QUIT_CODE", value=QUIT)
    university.secrets.update(ALL)
    yield university
    assert leaks(university, caplog.text) == []


def run_all(
    university: University, commands: Sequence[tuple[str, ...]] = COMMANDS
) -> dict[str, int]:
    """Runs every command; gives their exit statuses by their words."""
    return {" ".join(words): university.run(*words).status for words in commands}


def test_nothing_leaks_when_all_goes_well(secretive: University) -> None:
    statuses = run_all(secretive)
    assert {words: status for words, status in statuses.items() if status} == {}
    assert secretive.learners()["s1001"]["passwordSet"]
    assert set(secretive.options()["securityOptions"]) == {
        "SEB_SETTINGS_PINCODE",
        "LOCKDOWN_QUIT_CODE",
    }
    secretive.settings.set(f"{TEST} SEB_SETTINGS_PINCODE", value=NEW_PIN)
    secretive.students.add("1003", secret="Passord-nr-tre")
    statuses = run_all(secretive)
    assert {words: status for words, status in statuses.items() if status} == {}


def test_nothing_leaks_into_the_log_of_writes_that_the_database_keeps_next_to_the_state(
    secretive: University,
) -> None:
    secretive.config["inspera"]["attempts"] = 1
    secretive.keep_feeds("learner", "test", "option", "staff")
    secretive.students.add("1003")
    secretive.apply_once()
    with closing(sqlite3.connect(secretive.state)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM intent").fetchone()
        secretive.settings.set(f"{TEST} SEB_SETTINGS_PINCODE", value=NEW_PIN)
        secretive.students.add("1004", secret="Passord-nr-fire")
        secretive.apply_cleanly()
        beside = secretive.folder / "state.db-wal"
        assert b"1004" in beside.read_bytes()
        assert leaks(secretive) == []


def refusals(status: int, shape: str) -> list[dict[str, Any]]:
    """Inspera says no to everything that is written, and repeats what was sent in one of several shapes."""
    secrets = {
        "*/users/student": PASSWORD,
        "*/users": STAFF_PASSWORD,
        "*/options": f"{PIN} and {QUIT}",
    }

    def body(secret: str) -> Any:
        if shape == "in words":
            return {
                "error": f"{secret} is not taken, {secret}!",
                "description": f"we were sent '{secret}'",
            }
        return {
            "success": False,
            "errors": [{"message": "not taken", "value": secret}, secret, {"password": secret}],
        }

    return [
        {"method": "POST", "path": path, "status": status, "body": body(printed)}
        for path, printed in secrets.items()
    ]


@pytest.mark.parametrize(
    ("status", "shape"),
    [(200, "in members"), (400, "in words"), (409, "in members"), (500, "in words")],
)
def test_nothing_leaks_when_inspera_repeats_what_it_was_sent(
    secretive: University, status: int, shape: str
) -> None:
    secretive.config["inspera"]["attempts"] = 1
    secretive.keep_feeds("learner", "staff", "test", "option", "contributor")
    secretive.sandbox.control(fail=refusals(status, shape))
    assert run_all(secretive, TELLING)["--verbose apply --all"] == 1
    assert secretive.options() == {}
    printed = "".join(secretive.outputs)
    assert ("refused" if status < 500 else "unknown") in printed
    assert ("not taken" in printed) == (status < 500)


def test_nothing_leaks_when_inspera_repeats_the_key(secretive: University) -> None:
    body = {"error": f"the key {KEY} is not valid", "description": KEY}
    secretive.fail(path="*/authenticate/token/", status=401, body=body)
    assert run_all(secretive, (*TELLING, ("doctor",)))["--verbose apply --all"] == 5


def test_nothing_leaks_when_rows_are_row_errors(secretive: University) -> None:
    secretive.apply_once()
    secretive.students.add("1001", secret=PASSWORD, family="Annen")
    secretive.students.add("1005", secret=f"{PASSWORD}\x07", feide="")
    secretive.employees.add("7001", secret=f"{STAFF_PASSWORD}-to", mail="no email")
    secretive.settings.set(f"{TEST} SEB_SETTINGS_PINCODE", value="Bareboksta:ver")
    secretive.settings.add(f"{TEST} LOCKDOWN_QUIT_CODE", value=f"{QUIT}-to")
    secretive.settings.add(f"{TEST} {PIN}", value=QUIT)
    secretive.settings.add(f"{TEST} LOCKDOWN_BROWSER", value=PIN)
    statuses = run_all(secretive, COMMANDS[:4])
    assert (statuses["check --all"], statuses["--verbose apply --all"]) == (1, 1)
    assert "LOCKDOWN_QUIT_CODE" in "".join(secretive.outputs)


def broken(university: University) -> Iterator[dict[str, Any]]:
    """What can be wrong in a configuration that holds secrets itself, one after the other."""
    inspera = university.config["inspera"]
    for key in ([KEY], {"key": KEY}, f"${{{KEY}", f"${{nowhere:{KEY}}}"):
        yield {"inspera": {**inspera, "api_key": key}}
    yield {"inspera": {**inspera, "proxy": f"http://someone:{PROXY_PASSWORD}@127.0.0.1:9"}}
    yield {"inspera": {**inspera, "proxy_password": PROXY_PASSWORD}}
    yield {"inspera": {**inspera, "url": f"https://{KEY}@example.edu"}}
    feeds = university.config["feeds"]
    contradiction, table = (
        {"constant": PIN, "column": "value"},
        {"column": "value", "lookup": {"a": [PIN]}},
    )
    for value in (contradiction, table, {"constant": [PIN]}, {"constant": UNSOUND}):
        pin = {
            "test": "{course}-{term}",
            "option": {"constant": "SEB_SETTINGS_PINCODE"},
            "value": value,
        }
        option = {**university.feed("option"), "map": pin}
        yield {"feeds": [*feeds, option]}


def test_nothing_leaks_when_the_configuration_is_wrong(secretive: University) -> None:
    secretive.write()
    secretive.secrets.add(UNSOUND)
    good = dict(secretive.config)
    for wrong in list(broken(secretive)):
        secretive.config = {**good, **wrong}
        for words in (("check",), ("apply",)):
            assert secretive.run(*words).status == 2, wrong
    secretive.config = good


@pytest.mark.parametrize(
    "line", [f'  api_key: "{KEY}', f"  api_key: {KEY}: {KEY}", f"\tapi_key: {KEY}", f"  {KEY}"]
)
def test_nothing_leaks_when_the_configuration_is_no_yaml(secretive: University, line: str) -> None:
    secretive.raw_config = f"inspera:\n  url: http://127.0.0.1:9\n{line}\nsources: {{}}\n"
    for words in (("check",), ("plan",), ("apply",), ("doctor",)):
        ran = secretive.run(*words)
        assert ran.status == 2
        assert "inspera-sync.yaml:" in ran.err


def test_a_key_in_plain_text_works_with_a_warning_that_does_not_show_it(
    secretive: University,
) -> None:
    secretive.config["inspera"]["api_key"] = KEY
    ran = secretive.apply()
    assert ran.status == 0
    assert "warning: " in ran.err


@pytest.mark.parametrize("proxy", ["nobody", "one that refuses"])
def test_the_password_of_a_proxy_does_not_leak(secretive: University, proxy: str) -> None:
    password = secretive.folder / "proxy-password"
    password.touch(0o600)
    password.write_text(PROXY_PASSWORD)
    secretive.written_files.add(password)
    address = "http://127.0.0.1:9" if proxy == "nobody" else secretive.sandbox.url
    secretive.config["inspera"] |= {
        "url": "http://localhost:9",
        "proxy": address,
        "proxy_user": "somebody",
        "proxy_password": "${file:proxy-password}",
        "attempts": 1,
    }
    assert run_all(secretive, (*TELLING, ("doctor",)))["--verbose apply --all"] == 5


def test_nothing_leaks_when_the_state_breaks_in_the_middle(secretive: University) -> None:
    secretive.apply_once()
    with closing(sqlite3.connect(secretive.state)) as connection:
        broken = "BEFORE INSERT ON intent BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
        connection.execute(f"CREATE TRIGGER broken {broken}")
        connection.commit()
    secretive.students.add("1009", secret=PASSWORD)
    secretive.settings.set(f"{TEST} SEB_SETTINGS_PINCODE", value=NEW_PIN)
    ran = secretive.apply()
    assert ran.status == 4
    assert "the disk is full" in ran.err


def test_nothing_leaks_when_something_breaks_that_nobody_thought_of(
    secretive: University, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object, **__: object) -> None:
        raise ZeroDivisionError("unheard of")

    monkeypatch.setattr("requests.adapters.HTTPAdapter.send", breaks)
    with pytest.raises(ZeroDivisionError) as caught:
        secretive.apply()
    secretive.outputs.append("".join(traceback.format_exception(caught.value)))
    assert "unheard of" in secretive.outputs[-1]


def test_the_scan_finds_a_secret_that_somebody_left(university: University, tmp_path: Path) -> None:
    university.write()
    (tmp_path / "note.txt").write_text(f"do not lose this: {KEY}")
    university.outputs.append(f"key={KEY}")
    assert leaks(university, KEY) == [
        f"{KEY} in the log",
        f"{KEY} in output 0",
        f"{KEY} in note.txt",
    ]
    (tmp_path / "note.txt").unlink()
    university.outputs.clear()


def test_the_scan_finds_the_key_of_the_digests_outside_its_own_file_only(
    secretive: University,
) -> None:
    secretive.apply_once()
    key = (secretive.folder / "state.db.key").read_bytes()
    note = secretive.folder / "note.txt"
    for form in (key, key.hex().encode(), b64encode(key)):
        note.write_bytes(b"key " + form)
        assert leaks(secretive) == ["the key of the secret digests in note.txt"]
    note.unlink()
