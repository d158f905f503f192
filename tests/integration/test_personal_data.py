"""Names, addresses and national ids, planted wherever a value can go wrong, are nowhere in what is written.

Not in what is printed, logged, reported or put into a plan. Keys may be shown, as long as they are no identity numbers;
`sample` shows values, and `state` keeps them: both on purpose.
"""

import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from ..support.leak_scan import personal
from ..support.servers.slapd import Slapd, person
from ..support.tables import Table
from ..support.university import TEST, University

NAMES = ("Kreszentia Planterud", "PLANTERUD", "Þjóðhildur", "Łucja Plantowska")


MAILS = ("kreszentia.planterud@privat.example", "planterud@privat.example")


# The examples of python-stdnum's documentation, in several ways to write them.
NATIONAL_IDS = (
    "15108695088", "151086 95088", "151086-95088", "15 10 86 95088", "880320-0016", "198803200016", "8803200016",
    "211062-5629", "2110625629", "131052-308T", "120174-3399", "1201743399", "111222333", "1112.22.333",
)  # fmt: skip


PERSONAL = (*NAMES, *MAILS, *NATIONAL_IDS)


COMMANDS = (
    ("check", "--all"),
    ("plan", "--all"),
    ("plan", "--json"),
    ("--verbose", "apply", "--all"),
    ("--verbose", "reconcile", "--json"),
    ("status", "--json"),
    ("doctor",),
)


@pytest.fixture
def planted(university: University, caplog: pytest.LogCaptureFixture) -> Iterator[University]:
    """Every kind of feed with every field mapped. At the end of its story nothing planted has been written."""
    caplog.set_level("DEBUG")
    university.add_feeds("staff", "contributor", "committee", "option")
    university.config["inspera"]["attempts"] = 1
    for kind in ("learner", "staff"):
        university.feed(kind)["map"]["password"] = "secret"
    university.feed("staff")["map"]["status"] = {
        "column": "status",
        "lookup": {"fast": "active", "sluttet": "disabled"},
    }
    university.feed("staff")["map"]["accesses"] = "rights"
    university.feed("candidate")["map"]["room"] = "room"
    university.feed("contributor")["map"]["notify"] = "notify"
    university.register(TEST, "1001", "1002")
    university.assign_staff(TEST, "7001")
    for person_no in ("7001",):
        university.employees.set(person_no, status="fast")
    university.panels.add(f"{TEST} Komité")
    university.settings.add(f"{TEST} LOCKDOWN_BROWSER", value="true")
    yield university
    # Planted in a password's column too; but the state may hold the same text as somebody's name.
    university.secrets -= {
        secret for secret in university.secrets if any(value in secret for value in PERSONAL)
    }
    assert personal(university, PERSONAL, caplog.text) == []


def run_all(
    university: University, commands: tuple[tuple[str, ...], ...] = COMMANDS
) -> dict[str, int]:
    return {" ".join(words): university.run(*words).status for words in commands}


SHOWN = frozenset({"name", "number", "room", "feide", "rights"})
"""Columns of titles, numbers, rooms, logins and accesses, whose values a plan shows: names are only planted spoilt
there."""


def spoil(table: Table, key: str, columns: tuple[str, ...], start: int) -> None:
    """Rows that have a planted value, or one with something that makes it wrong, in each of the columns."""
    number = start
    for column in columns:
        for value in PERSONAL:
            sound = () if column in SHOWN and value not in NATIONAL_IDS else (value,)
            for wrong in (*sound, f"{value}\x07", f"[{value}\x07"):
                table.add(key.format(number), **{column: wrong})
                number += 1


COLUMNS = {
    "students": ("{}", ("feide", "given", "family", "mail", "status", "secret")),
    "employees": ("{}", ("feide", "given", "family", "mail", "status", "rights", "secret")),
    "exams": ("PLA{}-H26", ("name", "start", "end", "minutes", "template")),
    "registrations": (f"{TEST} {{}}", ("number", "extra", "room")),
    "graders": (f"{TEST} {{}}", ("duties", "room", "notify")),
    "panels": (f"{TEST} Komité-{{}}", ("type",)),
    "settings": (f"{TEST} LOCKDOWN_{{}}", ("option", "value")),
}


@pytest.mark.parametrize("name", list(COLUMNS))
def test_in_every_column_of_every_file(planted: University, name: str) -> None:
    planted.apply_once()
    planted.allow_shrinkage()
    table = next(one for one in planted.tables if one.path.stem == name)
    key, columns = COLUMNS[name]
    spoil(table, key, columns, 2000)
    statuses = run_all(planted)
    assert statuses["check --all"] == 1
    assert statuses["--verbose apply --all"] in (1, 3, 4)


@pytest.mark.parametrize("kind", ["learner", "staff", "test", "candidate", "contributor"])
def test_identity_numbers_in_keys_are_masked_and_check_warns_of_them(
    planted: University, kind: str
) -> None:
    tables = {
        "learner": (planted.students, "student_no"),
        "staff": (planted.employees, "employee_no"),
        "test": (planted.exams, "term"),
        "candidate": (planted.registrations, "student_no"),
        "contributor": (planted.graders, "employee_no"),
    }
    table, column = tables[kind]
    for number, value in enumerate(NATIONAL_IDS):
        key = {"learner": "{}", "staff": "{}", "test": "P{}-H26"}.get(kind, f"{TEST} {{}}").format(
            3000 + number
        )
        table.add(key, **{column: value})
    run_all(planted)
    run_all(planted)


FILES = ("no header", "ragged", "quote", "header again", "repeated", "encoding", "blank name")


@pytest.mark.parametrize("shape", FILES)
def test_in_files_that_are_not_as_they_should_be(planted: University, shape: str) -> None:
    row = [*NAMES[:2], MAILS[0], NATIONAL_IDS[0], NATIONAL_IDS[1], NAMES[2], MAILS[1]]
    good = planted.students.text()
    lines = {
        "no header": "\n".join([",".join(row)] * 3),
        "ragged": good + ",".join([*row, *row]) + "\n" + row[0] + "\n",
        "quote": good + f'"{row[0]}"x,{",".join(row[1:])}\n',
        "header again": good + good.splitlines()[0] + "\n" + ",".join(row) + "\n",
        "repeated": ",".join([*row[:3], *row[:3]]) + "\n" + ",".join(row[:3] * 2) + "\n",
        "encoding": "",
        "blank name": ",".join([*row, ""]) + "\n",
    }
    planted.students.raw = (
        lines[shape].encode() or (good + ",".join(row)).encode("cp1252", "replace") + b"\xe6\n"
    )
    assert run_all(planted)["check --all"] in (1, 4)


def test_in_files_without_a_header_whose_columns_are_named(planted: University) -> None:
    row = ",".join([*NAMES[:2], MAILS[0], NATIONAL_IDS[0]])
    source = planted.config["sources"]["students"]
    source["columns"] = ["student_no", "feide", "given", "family", "mail", "status", "secret"]
    planted.students.raw = f"{row}\n{row}\n".encode()
    assert run_all(planted)["check --all"] in (1, 4)


def test_in_columns_of_where_departures_groups_and_the_canary(planted: University) -> None:
    planted.apply_once()
    source = planted.config["sources"]["students"]
    source["completeness"] = {
        "group": "family",
        "canary": {"given": [NAMES[0]], "mail": [MAILS[0]]},
    }
    planted.feed("learner")["departure"] = {"secret": NAMES[1]}
    for number, value in enumerate(PERSONAL):
        planted.students.add(str(4000 + number), status=value, family=value, secret=value)
        planted.students.add(str(4100 + number), status="active", family=value)
    run_all(planted)
    for number in range(len(PERSONAL)):
        planted.students.drop(str(4000 + number), str(4100 + number))
    run_all(planted)


def test_in_what_is_joined(planted: University) -> None:
    join = {"by": {"student_no": "no"}, "missing": "error"}
    planted.config["sources"]["more"] = {"type": "csv", "path": "more.csv"}
    planted.feed("learner")["join"] = {"more": join}
    planted.feed("learner")["map"]["email"] = "more.mail"
    rows = [
        f"1001,{MAILS[0]}",
        f"1001,{NAMES[0]}",
        *(f"{value},{value}" for value in NATIONAL_IDS),
        f"1002,{NAMES[1]}",
    ]
    for text in (
        "\n".join(["no,mail", *rows]) + "\n",
        f"{NAMES[0]},{MAILS[0]}\n",
        f"no,mail\n1001,{NAMES[0]}\x07\n",
    ):
        path = planted.folder / "more.csv"
        path.write_text(text)
        planted.written_files.add(path)
        run_all(planted)


@pytest.mark.parametrize("status", [200, 400, 404, 409, 422, 500])
def test_in_what_inspera_answers(planted: University, status: int) -> None:
    planted.apply_once()
    for number, value in enumerate(MAILS):
        planted.students.add(str(5000 + number), given=NAMES[0], family=NAMES[1], mail=value)
        planted.employees.add(
            str(7500 + number), given=NAMES[2], family=NAMES[3], mail=value, status="fast"
        )
    # In its own words Inspera can name those whom it was sent; ids and addresses are masked whosever they are.
    for path, names in (("*/users/student", NAMES[:2]), ("*/users", NAMES[2:])):
        told = [*names, *MAILS, *NATIONAL_IDS]
        body: Any = {"error": " ".join(told), "sent": "; ".join(told)}
        if status == 200:
            body = {
                "success": False,
                "errors": [{"message": " / ".join([*MAILS, *NATIONAL_IDS]), "email": MAILS[0]}],
            }
        planted.fail(method="POST", path=path, status=status, body=body)
        run_all(planted)


def test_in_accounts_that_are_found(planted: University) -> None:
    for number in ("1001", "1002"):
        person_ = {
            "username": f"s{number}",
            "firstName": NAMES[0],
            "lastName": NAMES[1],
            "email": MAILS[0],
        }
        planted.sandbox.edit(student=person_)
    run_all(planted)


@pytest.mark.parametrize("kind", ["learner", "test"])
def test_in_values_that_the_configuration_holds(planted: University, kind: str) -> None:
    good = yaml.safe_dump(planted.config)
    for value in (NAMES[0], NATIONAL_IDS[1]):
        for spec in (
            {"constant": value}, {"column": "x", "default": value}, {"column": "x", "lookup": {"a": value}},
            {"column": "x", "lookup": {value: "a"}}, {"constant": value, "lower": value},
            {"column": "x", "template": f"{{{value}"}, {"column": "x", "pattern": f"({value}"},
        ):  # fmt: skip
            fields = planted.feed(kind)["map"]
            fields.update(dict.fromkeys(fields, spec))
            planted.run("check")
            planted.config = yaml.safe_load(good)


def test_in_rows_of_a_database(planted: University, tmp_path: Path) -> None:
    path = tmp_path / "sis.db"
    planted.written_files.add(path)
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE s (student_no, feide, given, family, mail, status, secret)")
        for number, value in enumerate(PERSONAL):
            key = (
                value if value in NATIONAL_IDS else f"x{number}"
            )  # a key is shown; an identity number is masked in it
            login = value if value not in NAMES else ""
            for row in (
                (f"{number}", login, f"{value}\x07", "", ""),
                (key, "", value, value, value),
            ):
                database.execute("INSERT INTO s VALUES (?,?,?,?,?,'active','')", row)
        database.commit()
    source = {"type": "sql", "url": "sqlite:///sis.db", "query": "SELECT * FROM s"}
    planted.config["sources"]["students"] = source
    run_all(planted)
    for query in (f"SELECT '{NAMES[0]}' AS a", f"SELECT '{NAMES[0]}'", f"SELECT nothing FROM s WHERE a = '{MAILS[0]}'",
                  "SELECT student_no, CAST(given AS BLOB) || x'ff' AS given FROM s"):  # fmt: skip
        source["query"] = query
        run_all(planted, (("check",), ("doctor", "--offline")))


@pytest.mark.server
def test_in_entries_of_a_directory(
    planted: University, tmp_path_factory: pytest.TempPathFactory
) -> None:
    entries = [
        person(
            f"p{n}",
            sn=value,
            mail=value,
            employeeNumber=value if value in NATIONAL_IDS else f"x{n}",
        )
        for n, value in enumerate(PERSONAL)
    ]
    several = person("several", sn=NAMES, mail=MAILS, employeeNumber="x99")
    server = Slapd(tmp_path_factory.mktemp("slapd"), [*entries, several])
    fields = {
        "student_no": "employeeNumber",
        "feide": "uid",
        "given": "title",
        "family": "sn",
        "mail": "mail",
    }
    people = {
        "type": "ldap",
        "base": "ou=people,dc=example,dc=edu",
        "filter": "(objectClass=person)",
    }
    with server.running():
        planted.feed("learner").pop("where")
        planted.feed("learner")["map"].pop("password")
        source = planted.config["sources"]["students"] = {
            **people,
            "servers": server.url,
            "attributes": fields,
        }
        commands = (("check",), ("plan", "--json"), ("doctor", "--offline"))
        run_all(planted, commands)
        source["filter"] = "(&(objectClass=person)(!(uid=several)))"
        run_all(planted, commands)
        source["attributes"] = {
            name: {"attribute": one, "read_as": "time"} for name, one in fields.items()
        }
        run_all(planted, commands)


def test_in_an_archive(planted: University, tmp_path: Path) -> None:
    path = tmp_path / "students.zip"
    planted.written_files.add(path)
    with zipfile.ZipFile(path, "w") as archive:
        for name in NAMES:
            archive.writestr(f"{name}.csv", planted.students.text())
            archive.writestr(f"{NATIONAL_IDS[0]}/{name}.csv", f"{name}\n")
    planted.config["sources"]["students"]["path"] = "students.zip"
    assert run_all(planted)["check --all"] == 4


def test_plans_and_statuses_name_keys_and_never_people(university: University) -> None:
    university.register(TEST, "1001", "1002")
    university.students.set("1001", given="Gudrún", family="Plannavnsen")
    printed = (
        university.plan().output
        + university.run("plan", "--json").output
        + university.apply().output
    )
    university.students.set("1001", family="Annetsen", mail="nytt@example.edu")
    printed += (
        university.plan().output
        + university.run("plan", "--json").output
        + university.apply().output
        + university.run("status", "--all").output
    )
    assert "last_name changes" in printed
    assert not any(
        word in printed for word in ("Gudrún", "Plannavnsen", "Annetsen", "nytt@example.edu")
    )
