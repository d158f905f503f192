"""`init`: a first configuration from files, tables and directories can always be loaded."""

import csv
import io
import os
import pty
import re
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sync.cli import run
from sync.commands.init.detect import SourceSample, guess
from sync.commands.init.formats import duration_form, family_first, time_format
from sync.commands.init.render import Answers, configuration
from sync.commands.init.vocabulary import NAMES, NAMES_BY_KIND, plain
from sync.config import Configuration, load
from sync.exit_codes import Exit
from sync.records.base import Kind

from ...support.examples import examples
from ...support.servers.slapd import PEOPLE, Slapd, person

DEMO = Path(__file__).parents[3] / "config" / "demo"
TENANT = ("--url", "https://example.inspera.com")
ANSWERS = (*TENANT, "--auth-system", "FEIDE", "--zone", "Europe/Oslo")


class Ran(NamedTuple):
    status: int
    out: str
    err: str


Init = Callable[..., Ran]


@pytest.fixture
def init(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Init:
    """Return a function that runs `init` in a folder, with nobody there to be asked."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.StringIO())

    def ran(*words: str) -> Ran:
        status = run(["init", *words])
        return Ran(status, *capsys.readouterr())

    return ran


def table(path: Path, text: str, encoding: str = "utf-8") -> str:
    path.write_text(text, encoding=encoding)
    return path.name


def written(folder: Path, name: str = "inspera-sync.yaml") -> tuple[Configuration, str]:
    path = folder / name
    return load(path), path.read_text(encoding="utf-8")


def check(folder: Path, capsys: pytest.CaptureFixture[str], name: str = "inspera-sync.yaml") -> Ran:
    """Run `check`, with the key in a place where tests may have one."""
    key, config = folder / "api-key", folder / name
    key.write_text("made-up-key\n")
    key.chmod(0o600)
    text = config.read_text(encoding="utf-8")
    config.write_text(
        text.replace("${file:/etc/inspera-sync/api-key}", f"${{file:{key}}}"), encoding="utf-8"
    )
    status = run(["--config", str(config), "check"])
    return Ran(status, *capsys.readouterr())


def kinds(loaded: Configuration) -> list[str]:
    return [feed.kind.value for feed in loaded.settings.feeds]


def switched_on(text: str) -> str:
    """Return the file with everything in it that is switched off."""
    return re.sub(r"^( *)#(?=[a-z-])", r"\1", text, flags=re.MULTILINE)


def files(*names: str) -> list[str]:
    return [word for name in names for word in ("--csv", name)]


@pytest.mark.process
def test_the_demos_files_give_feeds_that_check_without_a_row_error(
    init: Init, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make = [
        sys.executable,
        str(DEMO / "make_data.py"),
        str(tmp_path),
        "--day",
        "1",
        "--today",
        "2026-08-20",
    ]
    subprocess.run(make, check=True)
    names = ("students.csv", "staff.csv", "exams.csv", "registrations.csv", "contributors.csv")
    ran = init(*files(*names), *ANSWERS)
    assert (ran.status, ran.err) == (Exit.OK, "")
    loaded, text = written(tmp_path)
    assert sorted(kinds(loaded)) == ["candidate", "contributor", "learner", "staff", "test"]
    assert text.count("TODO") == 1  # where it is explained
    assert "  inspera-sync --config inspera-sync.yaml sample exams\n" in ran.out
    checked = check(tmp_path, capsys)
    assert "3,6" in checked.out
    assert "missing" not in checked.out
    assert checked.status in (Exit.OK, Exit.ERRORS)


STUDENTS = (
    "Studentnr;Brukernavn;Fornavn;Etternavn;E-post\n500001;ase;Åse;Eksempel;ase@example.edu\n"
)
EXAMS = "Eksamens-ID;Tittel;Dato;Starttid;Sluttid;Varighet\nINF1;Prøve;01.12.2026;09:00;13:00;240\n"
SEATS = "Eksamens-ID;Studentnr;Kandidatnr;Ekstratid;Rom\nINF1;500001;17;30;Aud 1\n"


def test_norwegian_names_and_separate_dates_and_times_give_records(
    init: Init, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [
        table(tmp_path / f"{n}.csv", text)
        for n, text in (("a", STUDENTS), ("b", EXAMS), ("c", SEATS))
    ]
    assert init(*files(*names), *ANSWERS).status == Exit.OK
    ran = check(tmp_path, capsys)
    assert (ran.status, ran.out.splitlines()[-1]) == (
        Exit.OK,
        "Check: no row errors; exit status 0.",
    )
    for said in (
        "a.csv: 1 row, 1 valid learner",
        "b.csv: 1 row, 1 valid test",
        "1 valid candidate",
    ):
        assert said in ran.out
    feeds = {feed.kind.value: feed.fields() for feed in written(tmp_path)[0].settings.feeds}
    assert feeds["test"]["start"].template == "{Dato} {Starttid}"
    assert feeds["candidate"]["extra_time"].column == "Ekstratid"
    assert feeds["learner"]["key"].column == feeds["candidate"]["learner"].column == "Studentnr"


LANGUAGES = {
    "english": ("Student ID,Username,First name,Last name,Email", Kind.LEARNER),
    "swedish": ("Studentnummer,Användarnamn,Förnamn,Efternamn,E-post", Kind.LEARNER),
    "danish": ("Studienummer,Brugernavn,Fornavn,Efternavn,Mail", Kind.LEARNER),
    "german": ("Matrikelnummer,Benutzername,Vorname,Nachname,E-Mail", Kind.LEARNER),
    "decomposed": ("Studentnummer,Anva\u0308ndarnamn,Fo\u0308rnamn,Efternamn,E-post", Kind.LEARNER),
    "norwegian staff": ("Ansattnr,Brukernavn,Fornavn,Etternavn,E-postadresse", Kind.STAFF),
    "german staff": ("Personalnummer,Kennung,Vorname,Familienname,E-Mail-Adresse", Kind.STAFF),
    "swedish exams": ("Tentamensid,Benämning,Start,Slut,Skrivtid", Kind.TEST),
    "german exams": ("Prüfungs-ID,Prüfungstitel,Beginn,Ende,Dauer", Kind.TEST),
    "german exams without umlauts": ("PruefungsID,Pruefungstitel,Beginn,Ende,Dauer", Kind.TEST),
    "danish exams": ("Eksamens-id,Titel,Starttidspunkt,Sluttidspunkt,Varighed", Kind.TEST),
    "english exams": ("exam_id,title,start_date,start_time,end_date,end_time,duration", Kind.TEST),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_columns_are_known_in_five_languages(language: str, init: Init, tmp_path: Path) -> None:
    header, kind = LANGUAGES[language]
    name = table(tmp_path / "rows.csv", f"{header}\n")
    assert init("--csv", name, *ANSWERS).status == Exit.OK
    loaded, text = written(tmp_path)
    assert kinds(loaded) == [kind.value]
    assert "stands here until another does" not in text


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("course,term,student_no,number", Kind.CANDIDATE),
        ("exam,student", Kind.CANDIDATE),
        ("emnekode,studentnr,fornavn,etternavn,start", Kind.CANDIDATE),
        ("course,employee_no,role", Kind.CONTRIBUTOR),
        ("course,start,end,email", Kind.TEST),
        ("id,name,start,end", Kind.TEST),
        ("employee_no,student_no,given,family", Kind.LEARNER),
        ("colour,weight", None),
    ],
)
def test_the_kind_is_guessed_by_which_fields_are_there(header: str, kind: Kind | None) -> None:
    assert guess(SourceSample("rows", {}, tuple(header.split(",")))).kind is kind


@pytest.mark.parametrize(
    ("name", "kind"), [("ansatte.csv", Kind.STAFF), ("studenter.csv", Kind.LEARNER)]
)
def test_people_without_a_number_are_distinguished_by_the_name_of_the_file(
    name: str, kind: Kind
) -> None:
    assert guess(SourceSample("rows", {}, ("username", "given", "family"), hint=name)).kind is kind


def test_candidates_without_their_learners_are_switched_off_and_the_rest_can_be_used(
    init: Init, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [table(tmp_path / "exams.csv", EXAMS), table(tmp_path / "seats.csv", SEATS)]
    assert init(*files(*names), *ANSWERS).status == Exit.OK
    loaded, text = written(tmp_path)
    assert kinds(loaded) == ["test"]
    assert "# TODO: this feed is switched off. It needs a feed of kind learner in addition." in text
    assert "  #- kind: candidate\n    #source: seats\n    #map:\n      #test: Eksamens-ID\n" in text
    assert check(tmp_path, capsys).status == Exit.OK


def test_a_field_that_could_not_be_guessed_is_a_todo_that_says_what_it_is(
    init: Init, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = table(
        tmp_path / "students.csv", "student_no,email,full_name\n1,a@example.edu,Åse Eksempel\n"
    )
    assert init("--csv", name, *ANSWERS).status == Exit.OK
    loaded, text = written(tmp_path)
    assert "Map username, external_id, first_name, last_name." in text
    assert "# TODO: The login name in Inspera. It can't be changed there afterwards." in text
    assert "      #username: TODO\n" in text
    assert "'full_name' seems to hold full names" in text
    assert len(loaded.settings.feeds) == 1
    ran = check(tmp_path, capsys)
    assert ran.status == Exit.OK
    assert (
        "students.csv: 1 row, 0 valid learners" in ran.out
    )  # the one that stands there takes no row


def test_what_is_switched_off_can_be_switched_on_as_it_stands(init: Init, tmp_path: Path) -> None:
    names = [
        table(tmp_path / "students.csv", "student_no,email,status\n"),
        table(tmp_path / "exams.csv", "exam_id,title,start\n"),
        table(tmp_path / "seats.csv", "exam_id,student_no\n"),
        table(tmp_path / "graders.csv", "exam_id,employee_no,role\n"),
        table(tmp_path / "staff.csv", "employee_no,mail\n"),
    ]
    assert init(*files(*names), *ANSWERS).status == Exit.OK
    _, text = written(tmp_path)
    assert "      #roles: TODO\n" in text
    table(tmp_path / "inspera-sync.yaml", switched_on(text))
    assert Counter(kinds(written(tmp_path)[0])) == Counter(
        ["learner", "learner", "staff", "test", "contributor", "candidate"]
    )


def test_whole_names_are_taken_apart_only_where_each_has_its_comma(
    init: Init, tmp_path: Path
) -> None:
    header = "student_no,username,name\n"
    name = table(tmp_path / "students.csv", header + '1,ase,"Eksempel, Åse"\n2,bo,"Example, Bo"\n')
    assert init("--csv", name, *ANSWERS).status == Exit.OK
    fields = written(tmp_path)[0].settings.feeds[0].fields()
    assert fields["last_name"].pattern == "(?P<value>.+?) *,.*"
    table(tmp_path / "students.csv", header + '1,ase,"Eksempel, Åse"\n2,bo,Bo Example\n')
    assert init("--csv", name, *ANSWERS, "--output", "b.yaml").status == Exit.OK
    assert "pattern:" not in written(tmp_path, "b.yaml")[1]


def test_one_file_with_everything_gives_all_three_feeds(
    init: Init, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "studentnr,brukernavn,fornavn,etternavn,eksamensid,tittel,start,slutt,varighet\n"
    text += "500001,ase,Åse,Eksempel,INF1,Prøve,2026-12-01T09:00,2026-12-01T13:00,240\n"
    assert init("--csv", table(tmp_path / "all.csv", text), *ANSWERS).status == Exit.OK
    assert kinds(written(tmp_path)[0]) == ["learner", "test", "candidate"]
    assert check(tmp_path, capsys).status == Exit.OK


def test_tests_are_named_in_the_form_that_both_files_have(init: Init, tmp_path: Path) -> None:
    names = [
        table(tmp_path / "students.csv", STUDENTS),
        table(tmp_path / "exams.csv", "exam_id,course,term,title,start,end,duration\n"),
        table(tmp_path / "seats.csv", "course,term,studentnr\n"),
    ]
    assert init(*files(*names), *ANSWERS).status == Exit.OK
    feeds = {feed.kind.value: feed.fields() for feed in written(tmp_path)[0].settings.feeds}
    assert feeds["test"]["key"].template == feeds["candidate"]["test"].template == "{course}-{term}"
    assert feeds["test"]["external_test_id"].column == "exam_id"


def test_national_identity_numbers_and_passwords_are_never_mapped(
    init: Init, tmp_path: Path
) -> None:
    text = (
        "fødselsnummer,passord,brukernavn,fornavn,etternavn\n"
        "01019012345,hemmelig,ase,Åse,Eksempel\n"
    )
    ran = init("--csv", table(tmp_path / "students.csv", text), *ANSWERS)
    loaded, text = written(tmp_path)
    columns = {spec.column for spec in loaded.settings.feeds[0].fields().values()}
    assert columns == {"brukernavn", "fornavn", "etternavn", None}
    assert "# 'fødselsnummer' looks like a national identity number" in text
    assert not [row for row in ("01019012345", "hemmelig", "Åse") if row in text + ran.out]


@pytest.mark.parametrize("name", ["p.csv", "students.csv", "registrations.csv"])
@pytest.mark.parametrize(
    "row",
    [
        "500001,Åse,Eksempel",
        "Åse,Eksempel,500001",
        "Åse,Eksempel,no,student",
        "Åse,Eksempel,ase@example.edu,status,title",
        "INF1,500001,Eksempel,extra,room",
    ],
)
def test_a_file_without_a_header_leaves_nobodys_name_in_the_configuration(
    row: str, name: str, init: Init, tmp_path: Path
) -> None:
    ran = init("--csv", table(tmp_path / name, f"{row}\n"), *ANSWERS)
    assert ran.status == Exit.OK
    _, text = written(tmp_path)
    assert not [
        word for word in ("Åse", "Eksempel", "500001", "ase@example") if word in text + ran.out
    ]


def test_a_file_of_which_nothing_is_known_is_asked_for_its_header(
    init: Init, tmp_path: Path
) -> None:
    assert init("--csv", table(tmp_path / "p.csv", "colour,weight\n"), *ANSWERS).status == Exit.OK
    assert "none of its columns was recognised" in written(tmp_path)[1]


def test_columns_that_are_not_mapped_are_named_where_the_others_are_known(
    init: Init, tmp_path: Path
) -> None:
    assert (
        init("--csv", table(tmp_path / "a.csv", "username,given,family,colour\n"), *ANSWERS).status
        == Exit.OK
    )
    assert "    # Columns that are not mapped: 'colour'.\n" in written(tmp_path)[1]


@pytest.mark.parametrize(("delimiter", "said"), [(",", None), (";", ";"), ("\t", "\t"), ("|", "|")])
def test_the_delimiter_is_reported_by_the_header(
    delimiter: str, said: str | None, init: Init, tmp_path: Path
) -> None:
    header = delimiter.join(["username", '"family, given; or so"', "given", "family"])
    assert init("--csv", table(tmp_path / "a.csv", f"{header}\n"), *ANSWERS).status == Exit.OK
    loaded, text = written(tmp_path)
    assert loaded.settings.sources["a"].model_dump()["delimiter"] == (said or ",")
    assert ("delimiter:" in text) is (said is not None)
    assert loaded.settings.sources["a"].column_names(tmp_path) == (
        "username",
        "family, given; or so",
        "given",
        "family",
    )


def test_a_file_that_is_not_utf_8_needs_its_encoding(
    init: Init, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = table(tmp_path / "a.csv", STUDENTS, "cp1252")
    ran = init("--csv", name, *ANSWERS)
    assert ran.status == Exit.USAGE
    assert ran.err == "a.csv: is not UTF-8; give its --encoding, such as cp1252 or iso-8859-1\n"
    assert not (tmp_path / "inspera-sync.yaml").exists()
    assert init("--csv", name, "--encoding", "cp1252", *ANSWERS).status == Exit.OK
    assert check(tmp_path, capsys).status == Exit.OK


def test_a_byte_order_mark_does_no_harm(init: Init, tmp_path: Path) -> None:
    assert (
        init("--csv", table(tmp_path / "a.csv", STUDENTS, "utf-8-sig"), *ANSWERS).status == Exit.OK
    )
    assert written(tmp_path)[0].settings.feeds[0].fields()["key"].column == "Studentnr"


def test_a_file_is_never_written_over(init: Init, tmp_path: Path) -> None:
    name = table(tmp_path / "a.csv", STUDENTS)
    table(tmp_path / "inspera-sync.yaml", "mine")
    (tmp_path / "link.yaml").symlink_to("elsewhere.yaml")
    for output in ("inspera-sync.yaml", "link.yaml"):
        ran = init("--csv", name, *ANSWERS, "--output", output)
        assert ran.status == Exit.USAGE
        assert "exists already" in ran.err
    assert (tmp_path / "inspera-sync.yaml").read_text() == "mine"
    assert not (tmp_path / "elsewhere.yaml").exists()
    assert init("--csv", name, *ANSWERS, "--force").status == Exit.USAGE


def test_with_nobody_to_ask_everything_that_is_missing_is_listed(
    init: Init, tmp_path: Path
) -> None:
    ran = init()
    assert ran.status == Exit.USAGE
    assert "--csv FILE, or --sql URL --table NAME, or --ldap URL --base DN" in ran.err
    assert "--url URL (the tenant's address)" in ran.err
    names = [table(tmp_path / "a.csv", STUDENTS), table(tmp_path / "b.csv", EXAMS)]
    ran = init(*files(*names))
    assert (ran.status, ran.out) == (Exit.USAGE, "")
    for option in ("--url URL", "--auth-system NAME", "--zone ZONE"):
        assert option in ran.err
    assert "--zone" not in init("--csv", names[0]).err  # nothing in there needs one
    assert "--auth-system" not in init("--csv", names[1]).err
    assert list(tmp_path.glob("*.yaml")) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--url", "example.inspera.com"), "--url: should begin with https://"),
        (("--zone", "Europe/Olso"), "did you mean 'Europe/Oslo'?"),
        (("--key-file", "a}b"), "--key-file: is not a path that a reference can name"),
        (("--encoding", "latin-nonsense"), "--csv: is not a known text encoding"),
        (("--output", "nowhere/a.yaml"), "its folder does not exist"),
        (("--sql", "sqlite:///a.db"), "--sql and --table go together"),
        (("--base", "dc=example"), "--ldap and --base go together"),
    ],
)
def test_an_answer_that_can_not_be_used_is_named_by_its_option(
    words: tuple[str, str], said: str, init: Init, tmp_path: Path
) -> None:
    table(tmp_path / "b.csv", EXAMS)
    ran = init("--csv", "b.csv", *ANSWERS, *words)
    assert ran.status == Exit.USAGE
    assert said in ran.err
    assert list(tmp_path.glob("*.yaml")) == []


def test_a_source_that_can_not_be_read_is_status_4(init: Init, tmp_path: Path) -> None:
    ran = init("--csv", "absent.csv", *ANSWERS)
    assert ran.status == Exit.SOURCE
    assert ran.err.startswith("absent.csv: is not there")
    assert list(tmp_path.iterdir()) == []


def test_paths_start_at_the_folder_of_the_configuration(init: Init, tmp_path: Path) -> None:
    for folder in ("etc", "etc/drop", "elsewhere"):
        (tmp_path / folder).mkdir()
    table(tmp_path / "etc" / "drop" / "a.csv", STUDENTS)
    table(tmp_path / "elsewhere" / "b.csv", EXAMS)
    words = files("etc/drop/a.csv", "elsewhere/b.csv")
    key = ("--key-file", "etc/api-key")
    assert init(*words, *ANSWERS, *key, "--output", "etc/new.yaml").status == Exit.OK
    loaded, text = written(tmp_path / "etc", "new.yaml")
    assert "    path: drop/a.csv\n" in text
    assert f"path: {tmp_path}/elsewhere/b.csv" in text.replace("'", "")
    assert str(loaded.settings.inspera.api_key) == "${file:api-key}"


def test_the_key_is_a_reference_and_need_not_be_there(init: Init, tmp_path: Path) -> None:
    assert init("--csv", table(tmp_path / "a.csv", STUDENTS), *ANSWERS).status == Exit.OK
    loaded, text = written(tmp_path)
    assert "  api_key: ${file:/etc/inspera-sync/api-key}\n" in text
    assert loaded.settings.inspera.client_id == "example"


def test_tables_of_a_database_are_read_and_times_in_them_understood(
    init: Init, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect(tmp_path / "sis.db")) as database:
        database.execute("CREATE TABLE student (student_no, username, first_name, last_name, mail)")
        database.execute("INSERT INTO student VALUES ('500001', 'ase', 'Åse', 'Eksempel', NULL)")
        database.execute('CREATE TABLE exam (exam_id, title, start, finish, "end", minutes)')
        database.execute(
            "INSERT INTO exam VALUES ('INF1', 'Prøve', '2026-12-01 09:00:00', 'x', '2026-12-01 "
            "13:00:00', '240')"
        )
        database.commit()
    words = ("--sql", "sqlite:///sis.db", "--table", "student", "--table", "exam")
    assert init(*words, *ANSWERS).status == Exit.OK
    loaded, text = written(tmp_path)
    assert kinds(loaded) == ["learner", "test"]
    assert "    query: SELECT * FROM student\n" in text
    ran = check(tmp_path, capsys)
    assert (ran.status, ran.out.splitlines()[-1]) == (
        Exit.OK,
        "Check: no row errors; exit status 0.",
    )


@pytest.mark.parametrize(
    ("url", "table_name", "said"),
    [
        ("postgresql://sync:geheim@127.0.0.1/sis", "student", "--sql: contains a password"),
        (
            "sqlite:///sis.db",
            "student; DROP TABLE student",
            "is not a plain name of a table or view",
        ),
        ("nonsense", "student", "--sql: is not the URL of a database"),
    ],
)
def test_a_database_that_can_not_be_asked_like_this_is_refused(
    url: str, table_name: str, said: str, init: Init, tmp_path: Path
) -> None:
    ran = init("--sql", url, "--table", table_name, *ANSWERS)
    assert ran.status == Exit.USAGE
    assert said in ran.err
    assert "geheim" not in ran.err
    assert list(tmp_path.glob("*.yaml")) == []


@pytest.mark.server
def test_a_directory_gives_the_attributes_that_mean_something(
    init: Init, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entries = [
        person(
            "ase",
            givenName="Åse",
            mail=("ase@example.edu", "a@example.edu"),
            employeeNumber="500001",
        ),
        person("bo", givenName="Bo", employeeNumber="500002"),
    ]
    with Slapd(tmp_path / "slapd", entries).running() as server:
        url = f"ldap://127.0.0.1:{server.port}"
        assert init("--ldap", url, "--base", PEOPLE, *ANSWERS).status == Exit.OK
        loaded, text = written(tmp_path)
        ran = check(tmp_path, capsys)
    fields = loaded.settings.feeds[0].fields()
    assert {name: spec.column for name, spec in fields.items() if spec.column} == {
        "key": "employeeNumber",
        "username": "uid",
        "external_id": "uid",
        "first_name": "givenName",
        "last_name": "sn",
        "email": "mail",
    }
    assert "      mail: {many: first}\n" in text
    assert (ran.status, ran.out.splitlines()[-1]) == (
        Exit.OK,
        "Check: no row errors; exit status 0.",
    )


ATTRIBUTES = {
    "sAMAccountName": "username",
    "userPrincipalName": "external_id",
    "givenName": "first_name",
    "sn": "last_name",
    "mail": "email",
    "employeeNumber": "key",
}


def test_the_attributes_of_active_directory_are_known(tmp_path: Path) -> None:
    looked = SourceSample(
        "directory",
        {"type": "csv", "path": "a.csv"},
        (*ATTRIBUTES, "cn", "displayName"),
        directory=True,
    )
    (tmp_path / "inspera-sync.yaml").write_text(
        configuration([looked], Answers(TENANT[1], "x", "key", "AD"))
    )
    fields = written(tmp_path)[0].settings.feeds[0].fields()
    assert {name: fields[name].column for name in ATTRIBUTES.values()} == {
        n: a for a, n in ATTRIBUTES.items()
    }


def talk(folder: Path, *answers: str) -> tuple[int, str]:
    """Run `init` on a terminal and give these answers, each when it is asked for something."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "sync", "init"]
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder
    ) as process:
        os.close(theirs)
        seen, waiting = "", list(answers)
        try:
            while piece := os.read(ours, 65536):
                seen += piece.decode()
                if seen.endswith(": "):
                    if not waiting:  # it asks for more than was expected
                        process.kill()
                        break
                    os.write(ours, f"{waiting.pop(0)}\n".encode())
                    seen += "\n"
        except OSError:  # how the end of a terminal shows
            pass
    os.close(ours)
    assert (waiting, process.returncode >= 0) == ([], True), seen
    return process.returncode, seen


@pytest.mark.process
def test_on_a_terminal_it_asks_and_asks_again_when_an_answer_can_not_be_used(
    tmp_path: Path,
) -> None:
    table(tmp_path / "a.csv", STUDENTS, "cp1252")
    table(tmp_path / "b.csv", EXAMS)
    said = (
        "csv",
        "nowhere.csv",
        "a.csv",
        "b.csv",
        "",
        "cp1252",
        "pupils",
        "",
        "exams",
        "http://x",
        "https://example.inspera.com",
    )
    status, seen = talk(tmp_path, *said, "", "", "FEIDE", "Europe/Olso", "Europe/Oslo")
    assert status == Exit.OK, seen
    assert "does not exist" in seen
    assert "What is in a.csv?" in seen
    assert "staff         people who make, run or grade exams" in seen
    assert "answer students or staff or exams or registrations or graders or other" in seen
    assert "did you mean 'Europe/Oslo'?" in seen
    loaded, _ = written(tmp_path)
    assert kinds(loaded) == ["learner", "test"]
    assert loaded.settings.inspera.client_id == "example"
    assert str(loaded.settings.inspera.api_key) == "${file:/etc/inspera-sync/api-key}"


@pytest.mark.process
def test_on_a_terminal_it_asks_for_a_database_and_its_tables(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "sis.db")) as database:
        database.execute("CREATE TABLE student (student_no, username, first_name, last_name)")
    answers = ("sql", "", "sqlite:///sis.db", "student", "", "", *TENANT[1:], "", "", "FEIDE")
    status, seen = talk(tmp_path, *answers)
    assert status == Exit.OK, seen
    assert "Who logs in (return for nobody)" in seen
    loaded, text = written(tmp_path)
    assert kinds(loaded) == ["learner"]
    assert "    url: sqlite:///sis.db\n" in text


@pytest.mark.parametrize(
    ("texts", "form"),
    [
        (["2026-12-01T09:00", "2026-12-01 09:00:00+01:00"], ""),
        (["01.12.2026 09:00"], "%d.%m.%Y %H:%M"),
        (["13/12/2026 09:00", "01/02/2026 09:00"], "%d/%m/%Y %H:%M"),
        (["12/13/2026 09:00"], "%m/%d/%Y %H:%M"),
        (["01/02/2026 09:00"], None),  # either way
        (["01.12.2026"], None),
        (["2026-12-01"], None),
        (["", " "], None),
        (["01.12.2026 09:00", "later"], None),
    ],
)
def test_the_form_of_times_is_reported_only_where_one_alone_fits(
    texts: Sequence[str], form: str | None
) -> None:
    assert time_format(texts) == form


@pytest.mark.parametrize(
    ("texts", "way"),
    [
        (["240", "90"], "number"),
        (["4:00", "04:30"], "hh:mm"),
        (["4", "4,5", "12"], "hours"),
        (["PT4H"], "iso8601"),
        (["4", "240"], None),
        ([], None),
    ],
)
def test_the_form_of_durations_is_reported_only_where_one_alone_fits(
    texts: Sequence[str], way: str | None
) -> None:
    assert duration_form(texts) == way


def test_whole_names_with_two_commas_are_not_taken_apart() -> None:
    assert family_first(["Eksempel, Åse"])
    assert not family_first(["Eksempel, Åse, dr."])
    assert not family_first([",", "a,b"])
    assert not family_first([])


def test_no_name_has_two_meanings_and_all_are_written_as_they_are_compared() -> None:
    counted = Counter(name for names in NAMES.values() for name in names)
    assert [name for name, count in counted.items() if count > 1] == []
    general = [
        name for names in NAMES_BY_KIND.values() for several in names.values() for name in several
    ]
    assert [name for name in (*counted, *general) if plain(name) != name] == []
    assert [name for name in general if name in counted] == []


KNOWN = sorted({name for names in NAMES.values() for name in names})
HEADER = st.lists(
    st.one_of(
        st.sampled_from(KNOWN),
        st.sampled_from(
            [
                name
                for names in NAMES_BY_KIND.values()
                for several in names.values()
                for name in several
            ]
        ),
        st.builds(
            "{1}{0}{1}".format,
            st.sampled_from(KNOWN),
            st.sampled_from("{}$#:!?'\"\\ -.\u200b\ufeff\x1b\t%&*"),
        ),
        st.sampled_from(
            [
                "${HOME}",
                "$${",
                "#x",
                "a: b",
                "- a",
                "~",
                "null",
                "yes",
                "{",
                "}",
                "'",
                '"',
                "---",
                "%",
                "<<",
            ]
        ),
        st.sampled_from(KNOWN).map("${{{}}}".format),
        st.text(min_size=1, max_size=8),
    ),
    min_size=1,
    max_size=14,
)


def test_a_column_whose_name_looks_like_a_reference_is_taken_as_it_is(tmp_path: Path) -> None:
    looked = SourceSample(
        "people", {"type": "csv", "path": "a.csv"}, ("${username}", "${given}", "family", "{email}")
    )
    (tmp_path / "inspera-sync.yaml").write_text(
        configuration([looked], Answers(TENANT[1], "x", "key", "FEIDE"))
    )
    fields = written(tmp_path)[0].settings.feeds[0].fields()
    assert [fields[name].column for name in ("username", "first_name", "email")] == [
        "${username}",
        "${given}",
        "{email}",
    ]


@settings(
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(headers=st.lists(HEADER, min_size=1, max_size=3), data=st.data())
def test_any_header_gives_a_configuration_that_loads(
    headers: list[list[str]], data: st.DataObject, tmp_path: Path
) -> None:
    cell = st.text(max_size=6) | st.sampled_from(
        ["01.12.2026 09:00", "4:00", "A, B", "evaluate", "01019012345"]
    )
    looked = [
        SourceSample(
            f"source_{number}",
            {"type": "csv", "path": "a.csv"},
            tuple(header),
            [dict.fromkeys(header, data.draw(cell))],
            hint=data.draw(st.sampled_from(["", "students", "exams"])),
            directory=data.draw(st.booleans()),
        )
        for number, header in enumerate(headers)
    ]
    text = configuration(
        looked, Answers("https://example.inspera.com", "x", "/etc/key", "FEIDE", "Europe/Oslo")
    )
    path = tmp_path / "any.yaml"
    path.write_bytes(text.encode("utf-8", "replace"))
    assert load(path).settings.feeds
    assert max(map(len, text.splitlines())) <= 1000


@settings(
    max_examples=examples(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(header=HEADER.filter(lambda names: all(name.strip() for name in names)))
def test_any_header_of_a_file_gives_a_configuration_that_can_be_checked_or_says_why_not(
    header: list[str], tmp_path: Path, init: Init, capsys: pytest.CaptureFixture[str]
) -> None:
    for old in tmp_path.glob("any.*"):
        old.unlink()
    with (tmp_path / "any.csv").open("w", encoding="utf-8", errors="replace", newline="") as file:
        csv.writer(file).writerow(header)
    ran = init("--csv", "any.csv", *ANSWERS, "--output", "any.yaml")
    assert ran.status in (Exit.OK, Exit.SOURCE), ran.err
    if ran.status == Exit.OK:
        # the file has no rows, which is all that may be said against it
        assert check(tmp_path, capsys, "any.yaml").status in (Exit.OK, Exit.SOURCE)


@pytest.mark.process
def test_what_a_person_says_that_a_file_holds_counts_for_more_than_its_name(tmp_path: Path) -> None:
    table(tmp_path / "students.csv", "username,given,family\n")
    table(tmp_path / "rest.csv", "student_no,email\n")
    answers = (
        "csv",
        "students.csv",
        "rest.csv",
        "",
        "staff",
        "other",
        "https://example.inspera.com",
        "",
        "",
        "FEIDE",
    )
    status, seen = talk(tmp_path, *answers)
    assert status == Exit.OK, seen
    text = (tmp_path / "inspera-sync.yaml").read_text(encoding="utf-8")
    assert "- kind: staff\n" in text
    assert "source: rest" not in text


CANVAS = {
    "users.csv": "user_id,integration_id,login_id,first_name,last_name,full_name,email,status\n"
    "500001,x1,ase@example.edu,Åse,Eksempel,Åse Eksempel,ase@example.edu,active\n",
    "courses.csv": "exam_id,title,start,end,duration\n"
    "INF1,Prøve,2026-12-01T09:00,2026-12-01T13:00,240\n",
    "enrollments.csv": "exam_id,user_id,role,status\nINF1,500001,student,active\n",
}
BLACKBOARD = {
    "users.txt": "EXTERNAL_PERSON_KEY|USER_ID|PASSWD|FIRSTNAME|LASTNAME|EMAIL|STUDENT_ID|"
    "INSTITUTION_ROLE\n"
    "k1|ase|hemmelig|Åse|Eksempel|ase@example.edu|500001|Student\n",
    "enrolments.txt": "EXTERNAL_COURSE_KEY|EXTERNAL_PERSON_KEY|ROLE\nINF1|k1|S\n",
    "exams.txt": "EXTERNAL_COURSE_KEY|TITLE|START|END|DURATION\n"
    "INF1|Prøve|2026-12-01T09:00|2026-12-01T13:00|240\n",
}
DUTCH = {
    "studenten.csv": "studentnummer;gebruikersnaam;voornaam;tussenvoegsel;achternaam;e-mailadres\n"
    "500001;ase;Åse;van;Voorbeeld;ase@example.edu\n",
    "toetsen.csv": "toetscode;toetsnaam;datum;begintijd;eindtijd;duur\n"
    "INF1;Toets;01.12.2026;09:00;13:00;240\n",
    "inschrijvingen.csv": "toetscode;studentnummer;kandidaatnummer;extratijd;zaal\n"
    "INF1;500001;17;30;Aula\n",
}


@pytest.mark.parametrize(
    ("made_up", "key", "login", "names_learner"),
    [
        (CANVAS, "user_id", "login_id", "user_id"),
        (BLACKBOARD, "EXTERNAL_PERSON_KEY", "USER_ID", "EXTERNAL_PERSON_KEY"),
        (DUTCH, "studentnummer", "gebruikersnaam", "studentnummer"),
    ],
)
def test_exports_of_learning_platforms_and_dutch_ones_give_feeds_that_check_without_a_row_error(
    made_up: dict[str, str],
    key: str,
    login: str,
    names_learner: str,
    init: Init,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = [table(tmp_path / name, text) for name, text in made_up.items()]
    assert init(*files(*names), *ANSWERS).status == Exit.OK
    loaded, text = written(tmp_path)
    feeds = {feed.kind: feed.fields() for feed in loaded.settings.feeds}
    learner, candidate = feeds[Kind.LEARNER], feeds[Kind.CANDIDATE]
    assert (learner["key"].column, learner["username"].column, learner["external_id"].column) == (
        key,
        login,
        login,
    )
    assert candidate["learner"].column == names_learner
    ran = check(tmp_path, capsys)
    assert (ran.status, ran.out.splitlines()[-1]) == (
        Exit.OK,
        "Check: no row errors; exit status 0.",
    ), ran
    assert not [word for word in ("hemmelig", "Åse", "500001") if word in text]


def test_a_column_that_says_who_is_what_is_offered_for_where(init: Init, tmp_path: Path) -> None:
    names = [table(tmp_path / name, text) for name, text in BLACKBOARD.items()]
    assert init(*files(*names), *ANSWERS).status == Exit.OK
    _, text = written(tmp_path)
    assert "    #where: {INSTITUTION_ROLE: [TODO]}\n" in text
    assert (
        "TODO: 'ROLE' seems to say who is what. Name here the values that mean that somebody sits "
        "the test" in text
    )
    table(tmp_path / "inspera-sync.yaml", switched_on(text).replace("[TODO]", "[Student, S]"))
    where = [feed.where for feed in written(tmp_path)[0].settings.feeds]
    assert [one for one in where if one]


def test_people_of_who_nothing_says_what_they_are_are_a_todo(init: Init, tmp_path: Path) -> None:
    text = "user_id,login_id,first_name,last_name\n1,ase,Åse,Eksempel\n"
    assert init("--csv", table(tmp_path / "users.csv", text), *ANSWERS).status == Exit.OK
    loaded, text = written(tmp_path)
    assert kinds(loaded) == ["learner"]
    assert (
        "TODO: nothing says whether these people are learners or staff, so they are taken for "
        "learners." in text
    )
    table(tmp_path / "inspera-sync.yaml", text.replace("- kind: learner", "- kind: staff"))
    assert kinds(written(tmp_path)[0]) == ["staff"]


def test_where_two_columns_would_do_the_first_is_taken_under_a_todo(
    init: Init, tmp_path: Path
) -> None:
    name = table(tmp_path / "students.csv", "student_no,uid,username,given,middlename,family\n")
    assert init("--csv", name, *ANSWERS).status == Exit.OK
    loaded, text = written(tmp_path)
    assert loaded.settings.feeds[0].fields()["username"].column == "username"
    assert (
        "# TODO: 'uid' would do as well as 'username'. Look at both with `sample students`" in text
    )
    assert "# TODO: 'middlename' is left out." in text


def test_a_user_id_alone_is_taken_for_the_login(init: Init, tmp_path: Path) -> None:
    name = table(tmp_path / "students.csv", "student_no,user_id,given,family\n")
    assert init("--csv", name, *ANSWERS).status == Exit.OK
    assert written(tmp_path)[0].settings.feeds[0].fields()["username"].column == "user_id"
