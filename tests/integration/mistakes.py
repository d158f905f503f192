"""A hundred mistakes of people who operate this: what they did, what they ran, and what the command must end with."""

import gzip
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..support.university import TEST, University, numbers

Act = Callable[[University], object]

FIRST, SECOND, THIRD = (f"{TEST} {number}" for number in numbers(1001, 3))


@dataclass(frozen=True)
class Mistake:
    """What was done wrong, the command that was then given, and its right exit status and words.

    `says` stands somewhere in what the command prints. `last` begins the last line of its report, where it has one.
    """

    name: str
    act: Act
    status: int
    says: str
    command: tuple[str, ...] = ("apply",)

    def __str__(self) -> str:
        return self.name.replace(" ", "-")


def inspera(**values: object) -> Act:
    """Other settings of the tenant."""
    return lambda university: university.config["inspera"].update(values)


def source(of: str, /, **values: object) -> Act:
    """Other settings of a source."""
    return lambda university: university.config["sources"][of].update(values)


def feed(of: str, /, **values: object) -> Act:
    """Other settings of a feed."""
    return lambda university: university.feed(of).update(values)


def mapped(of: str, /, **values: object) -> Act:
    """Another column or form of a field; None takes it out."""

    def act(university: University) -> None:
        fields = university.feed(of)["map"]
        fields.update(values)
        for name in [name for name, value in fields.items() if value is None]:
            del fields[name]

    return act


def setting(name: str, value: object) -> Act:
    """A setting at the top of the file."""
    return lambda university: university.config.update({name: value})


def yaml(change: Callable[[str], str]) -> Act:
    """The text of the configuration, changed by hand."""

    def act(university: University) -> None:
        university.raw_config = change(university.write().read_text(encoding="utf-8"))

    return act


def raw(name: str, content: bytes | None = None, change: Callable[[bytes], bytes] = bytes) -> Act:
    """The bytes of a file, given or changed."""

    def act(university: University) -> None:
        table = university.files[name]
        table.raw = change(table.text().encode()) if content is None else content

    return act


def rows(of: str, /, *keys: str, **values: str) -> Act:
    """Other values in some rows of a file."""

    def act(university: University) -> None:
        for key in keys:
            university.files[of].set(key, **values)

    return act


def every(name: str, column: str, change: Callable[[str], str]) -> Act:
    """A column of a file, changed in every row."""

    def act(university: University) -> None:
        for row in university.files[name].rows:
            row[column] = change(row[column])

    return act


def both(*acts: Act) -> Act:
    """Several mistakes at once."""

    def act(university: University) -> None:
        for one in acts:
            one(university)

    return act


def more(*learners: str) -> Act:
    """Somebody who is to be sent, so that Inspera is asked."""
    return lambda university: university.register(TEST, *learners)


def fails(**row_error: Any) -> Act:
    """Something to send, and a tenant that fails so."""
    return both(more("1099"), lambda university: university.fail(**{"times": 100, **row_error}))


def swapped(name: str, one: str, other: str) -> Act:
    """Two columns of a file, the wrong way round."""

    def act(university: University) -> None:
        for row in university.files[name].rows:
            row[one], row[other] = row[other], row[one]

    return act


def key_file(content: str) -> Act:
    """Something else in the file with the key, and something to send."""
    return both(
        more("1099"), lambda university: (university.folder / "api-key").write_text(content)
    )


def state_file(content: bytes) -> Act:
    """Something else in the place of the state."""
    return lambda university: university.state.write_bytes(content)


def folder_for_state(university: University) -> None:
    """A folder in the place of the state."""
    university.state.unlink()
    university.state.mkdir()


CONFIGURATION = [
    Mistake("a setting misspelt", source("students", pth="x.csv"), 2, "did you mean 'path'?"),
    Mistake("a kind that is none", feed("learner", kind="lerner"), 2, "did you mean 'learner'?"),
    Mistake(
        "a source that is not there",
        feed("learner", source="students2"),
        2,
        "did you mean 'students'?",
    ),
    Mistake(
        "a type of source that is none",
        source("students", type="excel"),
        2,
        "known here: csv, ldap",
    ),
    Mistake("no address", yaml(lambda text: re.sub("  url: .*\n", "", text)), 2, "inspera.url"),
    Mistake("an address without its scheme", inspera(url="example.inspera.com"), 2, "inspera.url"),
    Mistake("plain http to elsewhere", inspera(url="http://example.inspera.com"), 2, "inspera.url"),
    Mistake("no client id", inspera(client_id=""), 2, "inspera.client_id"),
    Mistake(
        "a key file that is not there",
        both(more("1099"), inspera(api_key="${file:nokey}")),
        2,
        "nokey",
    ),
    Mistake(
        "a key variable that is not set",
        inspera(api_key="${NO_SUCH_KEY_HERE}"),
        2,
        "NO_SUCH_KEY_HERE",
        ("check",),
    ),
    Mistake("an empty key file", key_file(""), 2, "is empty"),
    Mistake("a key file with two lines", key_file("one\ntwo\n"), 2, "line break"),
    Mistake(
        "an auth system left out",
        lambda university: university.feed("learner").pop("auth_system"),
        2,
        "auth_system",
    ),
    Mistake(
        "a zone that is none", mapped("test", start={"column": "start", "zone": "Oslo"}), 2, "Oslo"
    ),
    Mistake(
        "a local time without a zone",
        mapped("test", start={"column": "start", "format": "%d.%m.%Y %H:%M"}),
        2,
        "zone",
    ),
    Mistake(
        "a format without a day",
        mapped("test", start={"column": "start", "format": "%Y %H", "zone": "UTC"}),
        2,
        "format",
    ),
    Mistake("a delimiter of two characters", source("students", delimiter=",,"), 2, "delimiter"),
    Mistake("an encoding that is none", source("students", encoding="utf8-norsk"), 2, "encoding"),
    Mistake("a field that the kind has not", mapped("learner", nickname="given"), 2, "nickname"),
    Mistake("a key that is not mapped", mapped("candidate", learner=None), 2, "learner"),
    Mistake("a template without its bracket", mapped("test", title="{course name"), 2, "title"),
    Mistake(
        "a schedule with six fields",
        setting("jobs", {"all": {"schedule": "0 0 6 * * 1"}}),
        2,
        "schedule",
    ),
    Mistake(
        "a day that never comes",
        setting("jobs", {"all": {"schedule": "0 0 31 2 *"}}),
        2,
        "schedule",
    ),
    Mistake(
        "a job of a kind without a feed",
        setting("jobs", {"all": {"schedule": "0 6 * * *", "kinds": ["staf"]}}),
        2,
        "staf",
    ),
    Mistake("no call a second", inspera(calls_per_second=0), 2, "calls_per_second"),
    Mistake("workers below one", inspera(workers=-1), 2, "workers"),
    Mistake("a percentage above 100", setting("limits", {"kind": {"percent": 250}}), 2, "percent"),
    Mistake("an absence that is none", setting("on_absence", {"staff": "remove"}), 2, "on_absence"),
    Mistake("a database that is no state", setting("state", "mysql://localhost/x"), 2, "state"),
    Mistake(
        "a state that is elsewhere",
        setting("state", "sqlite:///elsewhere/state.db"),
        3,
        "lost state",
    ),
    Mistake(
        "a tab for an indent",
        yaml(lambda text: text.replace("  ", "\t", 1)),
        2,
        "inspera-sync.yaml",
    ),
    Mistake(
        "a bracket that is not closed",
        yaml(lambda text: text + "\nextra: [1, 2\n"),
        2,
        "inspera-sync.yaml",
    ),
    Mistake(
        "a setting said twice",
        yaml(lambda text: text + "\ninspera: {url: https://x.example}\n"),
        2,
        "twice",
    ),
    Mistake("an empty configuration", yaml(lambda _text: "\n"), 2, "inspera-sync.yaml"),
    Mistake(
        "a list for a configuration",
        yaml(lambda _text: "- inspera\n- sources\n"),
        2,
        "inspera-sync.yaml",
    ),
    Mistake("no feeds", setting("feeds", []), 2, "feeds"),
    Mistake("a command misspelt", lambda _site: None, 2, "aply", ("aply",)),
    Mistake("an option misspelt", lambda _site: None, 2, "--alow", ("apply", "--alow", "x")),
    Mistake(
        "a hash of yesterday",
        more("1099"),
        2,
        "nothing was sent",
        ("apply", "--allow", "0123456789ab"),
    ),
    Mistake(
        "a source to accept that is none",
        lambda _site: None,
        2,
        "unknown source",
        ("apply", "--accept-shrink", "x"),
    ),
    Mistake(
        "changes asked of what has none", lambda _site: None, 2, "--changed", ("apply", "--changed")
    ),
    Mistake(
        "a record without its key",
        lambda _site: None,
        2,
        "is named by",
        ("adopt", "candidate", TEST),
    ),
    Mistake(
        "a bundle of certificates that is none",
        both(more("1099"), inspera(ca_bundle="x.pem")),
        2,
        "ca_bundle",
        ("doctor",),
    ),
]

FILES = [
    Mistake("a file that is not there", source("students", path="nofile.csv"), 4, "nofile.csv"),
    Mistake("a folder for a file", source("students", path="."), 4, "Source: "),
    Mistake("a file of no bytes", raw("students", b""), 4, "students.csv"),
    Mistake(
        "a header alone",
        raw("registrations", change=lambda text: text.split(b"\n")[0] + b"\n"),
        4,
        "registrations.csv",
    ),
    Mistake(
        "another delimiter",
        raw("students", change=lambda text: text.replace(b",", b";")),
        4,
        "students.csv",
    ),
    Mistake(
        "Latin 1 where UTF-8 is said",
        raw("students", change=lambda text: text.decode().encode("iso8859-9")),
        4,
        "students.csv",
    ),
    Mistake(
        "UTF-16", raw("students", change=lambda text: text.decode().encode("utf-16")), 4, "UTF-16"
    ),
    Mistake("UTF-8 where cp1252 is said", source("students", encoding="cp1252"), 4, "UTF-8"),
    Mistake("a row cut short", raw("students", change=lambda text: text[:-30]), 4, "students.csv"),
    Mistake(
        "a quote that is not closed",
        raw("students", change=lambda text: text.replace(b"\n1002", b'\n"1002')),
        4,
        "quote",
    ),
    Mistake(
        "a surplus cell",
        raw("students", change=lambda text: text.replace(b"active,", b"active,a,b", 1)),
        4,
        "students.csv line 2",
    ),
    Mistake(
        "a zero byte",
        raw("students", change=lambda text: text.replace(b"1002", b"10\x0002")),
        4,
        "students.csv",
    ),
    Mistake(
        "a page for browsers",
        raw("students", b"<html><body>Log in</body></html>\n"),
        4,
        "students.csv",
    ),
    Mistake(
        "an archive without its name",
        raw("students", gzip.compress(b"student_no\n1001\n")),
        4,
        "students.csv",
    ),
    Mistake("a JSON file", raw("students", json.dumps({"rows": []}).encode()), 4, "students.csv"),
    Mistake(
        "the header twice",
        raw("students", change=lambda text: text + text.split(b"\n")[0] + b"\n"),
        4,
        "students.csv",
    ),
    Mistake(
        "two columns of one name",
        raw("students", change=lambda text: text.replace(b"feide", b"given", 1)),
        4,
        "the same name",
    ),
    Mistake(
        "a column renamed",
        raw("students", change=lambda text: text.replace(b"mail", b"epost", 1)),
        4,
        "'mail' is missing",
    ),
    Mistake(
        "a column that is not mapped right",
        mapped("learner", email="e-post"),
        4,
        "'e-post' is missing",
    ),
    Mistake(
        "a where on no column", feed("learner", where={"state": "active"}), 4, "'state' is missing"
    ),
    Mistake(
        "no header", raw("students", change=lambda text: text.split(b"\n", 1)[1]), 4, "students.csv"
    ),
    Mistake(
        "a file too old",
        both(
            source("students", completeness={"max_age": "1d"}),
            lambda university: setattr(university.files["students"], "hours_old", 72),
        ),
        4,
        "max_age",
    ),
    Mistake(
        "a canary that is gone",
        source("students", completeness={"canary": {"student_no": "9999"}}),
        4,
        "9999",
    ),
    Mistake(
        "fewer rows than there must be",
        source("students", completeness={"minimum_rows": 500}),
        4,
        "500",
    ),
    Mistake("nobody selected", feed("learner", where={"status": ["aktiv"]}), 4, "students.csv"),
    Mistake(
        "most rows lost",
        lambda university: university.registrations.drop(
            *(f"{TEST} {n}" for n in numbers(1001, 12))
        ),
        4,
        "no longer names",
    ),
]

ROWS = [
    Mistake(
        "a time in another form",
        rows("exams", TEST, start="2026-12-01 09:00"),
        1,
        "exams.csv line 2: start",
    ),
    Mistake(
        "an end before its start",
        rows("exams", TEST, end="01.12.2026 08:00"),
        1,
        "exams.csv line 2",
    ),
    Mistake(
        "minutes in words",
        rows("exams", TEST, minutes="four hours"),
        1,
        "exams.csv line 2: duration",
    ),
    Mistake(
        "more minutes than there are", rows("exams", TEST, minutes="600"), 1, "exams.csv line 2"
    ),
    Mistake(
        "minutes below zero", rows("exams", TEST, minutes="-5"), 1, "exams.csv line 2: duration"
    ),
    Mistake(
        "a title with brackets",
        rows("exams", TEST, name="[UTKAST] Prøve"),
        1,
        "exams.csv line 2: title",
    ),
    Mistake("a title that is too long", rows("exams", TEST, name="x" * 600), 1, "title"),
    Mistake(
        "an hour that a clock change skips",
        rows("exams", TEST, start="28.03.2027 02:30", end="28.03.2027 06:30"),
        1,
        "start",
    ),
    Mistake(
        "extra time in words",
        rows("registrations", FIRST, extra="half an hour"),
        1,
        "line 2: extra_time",
    ),
    Mistake(
        "extra time below zero", rows("registrations", FIRST, extra="-10"), 1, "line 2: extra_time"
    ),
    Mistake(
        "extra time beyond the test",
        rows("registrations", FIRST, extra="9999"),
        1,
        "line 2: extra_time",
    ),
    Mistake(
        "one number twice", rows("registrations", FIRST, SECOND, number="301"), 1, "candidate_id"
    ),
    Mistake(
        "one registration twice, otherwise",
        lambda university: university.registrations.add(FIRST, extra="30"),
        1,
        "registrations.csv",
    ),
    Mistake(
        "a learner whom nobody has",
        lambda university: university.registrations.add(f"{TEST} 7777"),
        1,
        "registrations.csv line 17",
    ),
    Mistake(
        "a test that nobody has",
        lambda university: university.registrations.add("XYZ9999-H26 1001"),
        1,
        "registrations.csv line 17",
    ),
    Mistake(
        "zeros that a spreadsheet took",
        every("registrations", "student_no", lambda n: n.removeprefix("1")),
        1,
        "registrations.csv",
    ),
    Mistake(
        "numbers as decimals",
        every("registrations", "student_no", lambda n: f"{n}.0"),
        1,
        "registrations.csv",
    ),
    Mistake(
        "numbers in scientific notation",
        every("registrations", "student_no", lambda n: f"{float(n):.2E}"),
        1,
        "registrations.csv",
    ),
    Mistake(
        "the learner's column taken for the course's",
        mapped("candidate", learner="course"),
        1,
        "registrations.csv",
    ),
    Mistake(
        "course and term swapped",
        swapped("registrations", "course", "term"),
        4,
        "no feed makes the test",
    ),
    Mistake(
        "two people with one login",
        lambda university: university.students.add("1098", feide="s1001"),
        1,
        "students.csv",
    ),
    Mistake(
        "a login by another case",
        lambda university: university.students.add("1098", feide="S1001"),
        1,
        "students.csv",
    ),
    Mistake(
        "one person twice, otherwise",
        lambda university: university.students.add("1001", given="Else"),
        1,
        "students.csv",
    ),
    Mistake(
        "an invisible character in a key",
        rows("students", "1001", student_no="10\u200b01"),
        1,
        "students.csv line 2",
    ),
    Mistake(
        "a control character in a name",
        rows("students", "1001", given="Å\u0001se"),
        1,
        "first_name",
    ),
    Mistake(
        "no login",
        lambda university: university.students.add("1098", feide=""),
        1,
        "students.csv line 17",
    ),
    Mistake("no number", rows("students", "1001", student_no=""), 1, "students.csv line 2: key"),
    Mistake(
        "a name in the wrong encoding", rows("students", "1001", given="Ã…se"), 1, "first_name"
    ),
    Mistake(
        "an address that is none",
        rows("students", "1001", mail="not an address"),
        1,
        "email",
        ("check",),
    ),
    Mistake(
        "names and mails swapped", swapped("students", "given", "mail"), 1, "email", ("check",)
    ),
]

HELD = [
    Mistake("a login changed", rows("students", "1001", feide="s1001-new"), 3, "1001"),
    Mistake(
        "every login changed",
        every("students", "feide", lambda login: f"{login}@new"),
        3,
        "learner",
    ),
    Mistake(
        "half of a test gone",
        both(
            source("registrations", completeness={"shrink": {"percent": 100}}),
            lambda university: university.registrations.drop(
                *(f"{TEST} {n}" for n in numbers(1001, 8))
            ),
        ),
        3,
        "is more than",
    ),
    Mistake(
        "every name changed",
        every("students", "family", lambda name: f"{name}x"),
        3,
        "is more than",
    ),
    Mistake(
        "an exam moved by a year",
        rows("exams", TEST, start="01.12.2027 09:00", end="01.12.2027 13:00"),
        3,
        TEST,
    ),
    Mistake(
        "an exam moved into the past",
        rows("exams", TEST, start="01.12.2025 09:00", end="01.12.2025 13:00"),
        3,
        TEST,
    ),
    Mistake(
        "an exam of another name",
        both(rows("exams", TEST, term="V26"), every("registrations", "term", lambda _term: "V26")),
        4,
        "V26",
    ),
    Mistake("the state deleted", lambda university: university.state.unlink(), 3, "lost state"),
    Mistake(
        "sending paused and forgotten", lambda university: university.run("pause"), 3, "paused"
    ),
]

NETWORK = [
    Mistake(
        "the address of another tenant",
        both(more("1099"), inspera(url="http://127.0.0.1:9")),
        2,
        "state rebind",
    ),
    Mistake(
        "a proxy where nobody is",
        both(more("1099"), inspera(proxy="http://127.0.0.1:9", attempts=1)),
        5,
        "proxy",
    ),
    Mistake("another key", key_file("another-key\n"), 5, "the API key is refused"),
    Mistake("a redirect", fails(path="/api/authenticate/token/", status=302), 5, "redirect"),
    Mistake(
        "an address without an API",
        fails(path="/api/authenticate/token/", status=404),
        5,
        "inspera.url",
    ),
    Mistake(
        "a user without the right",
        fails(path="/api/authenticate/token/", status=403),
        5,
        "may not use the API",
    ),
    Mistake("maintenance", fails(path="*", status=503), 5, "Inspera"),
    Mistake(
        "a refusal of the record", fails(method="POST", path="*/student", status=400), 1, "refused"
    ),
    Mistake(
        "a failure at one call", fails(method="POST", path="*/student", status=500), 1, "unknown"
    ),
]

STATE = [
    Mistake(
        "a file that is no state",
        state_file(b"this is no database, whatever its name says" * 50),
        2,
        "state.db",
    ),
    Mistake("a folder for a state", folder_for_state, 2, "state.db"),
]

MISTAKES = [*CONFIGURATION, *FILES, *ROWS, *HELD, *NETWORK, *STATE]
