"""The demo's data in a database and in a directory gives the very plan that its files give."""

import csv
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import text
from sync.app import App
from sync.cli import run
from sync.commands.plan import make_store
from sync.engine.extract.extract import extract
from sync.records.kinds import COMPARED, KEY_FIELDS
from sync.state.sqlite.backend import SqliteFile

from ...support.servers.postgres import Postgres, postgres
from ...support.servers.slapd import Entry, Slapd, person

TODAY = date(2026, 11, 24)
FILES = ("students", "staff", "exams", "contributors", "registrations")
TIME = "%d.%m.%Y %H:%M"
Rows = list[dict[str, str]]
Made = Callable[[int, date], Path]


@pytest.fixture(scope="module")
def database() -> Iterator[Postgres]:
    """Return a server whose databases sort as Norwegians do."""
    with postgres() as server:
        yield server


@pytest.fixture(autouse=True)
def tenant(monkeypatch: pytest.MonkeyPatch) -> None:
    """Return a tenant for the configuration to name; a plan calls none."""
    monkeypatch.setenv("INSPERA_DEMO_URL", "https://example.inspera.com")
    monkeypatch.setenv("INSPERA_DEMO_KEY", "demo-key")


def rows(folder: Path, name: str) -> Rows:
    with (folder / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=";" if name == "exams" else ",", strict=True))


def into_database(server: Postgres, name: str, folder: Path) -> str:
    """Put all into tables, with typed times and minutes; return the database's URL."""
    url = server.create_database(name, icu="nb-NO")
    for file in FILES:
        given = rows(folder, file)
        types = (
            {"start": "timestamp", "end": "timestamp", "minutes": "integer"}
            if file == "exams"
            else {}
        )
        columns = ", ".join(f'"{column}" {types.get(column, "text")}' for column in given[0])
        server.execute(f"CREATE TABLE {file} ({columns})", database=name)
        made = (
            f"({', '.join(literal(types.get(column), value) for column, value in row.items())})"
            for row in given
        )
        server.execute(f"INSERT INTO {file} VALUES {', '.join(made)}", database=name)
    return url


def literal(type_: str | None, value: str) -> str:
    if not value.strip():
        return "NULL"
    shown = value if type_ is None else value.strip()
    if type_ == "timestamp":
        shown = datetime.strptime(shown, TIME).isoformat(" ")  # noqa: DTZ007 - local time, as the feed's zone says
    return "'" + shown.replace("'", "''") + "'"


def entry(row: Mapping[str, str], number: str) -> Entry:
    """Return a person of a file as an entry; a blank cell gives no attribute."""
    named = {
        "employeeNumber": row[number],
        "givenName": row["given"],
        "sn": row["family"],
        "mail": row["mail"],
        "employeeType": row["status"],
        "displayName": row["feide"],
    }
    return person(row[number], **{name: value for name, value in named.items() if value})


def configuration(folder: Path, sources: Mapping[str, Any], zoned: bool = False) -> Path:
    """Return the demo's configuration with these sources instead of its own."""
    config = yaml.safe_load(
        (Path(__file__).parents[3] / "config/demo/inspera-sync.yaml").read_text(encoding="utf-8")
    )
    config["sources"] |= sources
    if zoned:
        (tests,) = [feed for feed in config["feeds"] if feed["kind"] == "test"]
        tests["map"] |= {name: {"column": name, "zone": "Europe/Oslo"} for name in ("start", "end")}
    folder.mkdir()
    path = folder / "inspera-sync.yaml"
    path.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    return path


def sql(url: str, table: str) -> dict[str, str]:
    return {"type": "sql", "url": url, "user": "postgres", "query": f"SELECT * FROM {table}"}


def ldap(server: Slapd, number: str) -> dict[str, Any]:
    names = {
        "given": "givenName",
        "family": "sn",
        "mail": "mail",
        "status": "employeeType",
        "feide": "displayName",
    }
    return {
        "type": "ldap",
        "servers": server.url,
        "base": "ou=people,dc=example,dc=edu",
        "filter": f"(uid={'A' if number == 'employee_no' else '1'}*)",
        "attributes": {number: "employeeNumber", **names},
    }


def planned(config: Path, capsys: pytest.CaptureFixture[str]) -> tuple[list[Any], list[Any], Any]:
    """Return a plan without the places of rows, which other sources call otherwise."""
    status = run(["--config", str(config), "plan", "--json"])
    plan = json.loads(capsys.readouterr().out)
    changes = [
        {name: value for name, value in change.items() if name != "where"}
        for change in plan["changes"]
    ]
    row_errors = [
        [row_error["kind"], row_error["key"], row_error["field"], row_error["reason"]]
        for row_error in plan["row_errors"]
    ]
    summary = {name: value for name, value in plan["summary"].items() if name != "planned_at"}
    return sorted(changes, key=str), sorted(row_errors, key=str), (status, summary)


def settled(config: Path) -> Path:
    """Return a state that knows all that this configuration wants."""
    app = App.open(config, print)
    assert isinstance(app.state.place, SqliteFile)
    with app.state.open_to_write("apply") as opened:
        connection = opened.connection
        store = make_store(app, connection, write=True)
        extracted = extract(
            app.feeds, store, datetime.fromisoformat("2026-11-24T08:00:00+00:00"), lambda *_: None
        )
        for kind in extracted.kinds:
            names = ", ".join(
                f'"{name}"' for name in (*KEY_FIELDS[kind], *COMPARED[kind], "fingerprint")
            )
            connection.execute(
                text(
                    f"INSERT INTO known_{kind} ({names}, lifecycle, managed, updated)"
                    f" SELECT {names}, 'active', 1, '2026-11-23T08:00:00Z' FROM wanted_{kind}"
                )
            )
        connection.commit()
    return app.state.place.path


def copy_of(state: Path, folder: Path) -> None:
    for name in (state.name, f"{state.name}.key"):
        shutil.copy(state.parent / name, folder / name)


@pytest.mark.parametrize("day", [1, 2])
def test_sql_and_ldap_feeds_give_the_plan_of_the_files(
    day: int, made: Made, database: Postgres, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, name = made(day, TODAY), f"sis{day}"
    files = {source: {"type": "csv", "path": str(folder / f"{source}.csv")} for source in FILES}
    files["exams"] |= {"delimiter": ";"}
    by_files = configuration(tmp_path / "files", files)
    url = into_database(database, name, folder)
    tables: dict[str, Any] = {source: sql(url, source) for source in FILES}
    by_tables = configuration(tmp_path / "tables", tables, zoned=True)
    entries = [entry(row, number) for file, number in PEOPLE for row in rows(folder, file)]
    directory = Slapd(tmp_path / "slapd", entries)
    people = {file: ldap(directory, number) for file, number in PEOPLE}
    by_entries = configuration(tmp_path / "entries", {**tables, **people}, zoned=True)
    if day == 2:  # the second day's files meet what the first day's have brought
        first = made(1, TODAY)
        yesterday = {
            name: {**source, "path": str(first / f"{name}.csv")} for name, source in files.items()
        }
        state = settled(configuration(tmp_path / "yesterday", yesterday))
        for one in (by_files, by_tables, by_entries):
            copy_of(state, one.parent)
    wanted = planned(by_files, capsys)
    assert len(wanted[0]) > 100
    assert planned(by_tables, capsys) == wanted
    with directory.running():
        assert planned(by_entries, capsys) == wanted


PEOPLE: Sequence[tuple[str, str]] = (("students", "student_no"), ("staff", "employee_no"))
