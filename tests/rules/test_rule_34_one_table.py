"""Rules 34: A file that is not one table is not used."""

import pytest

from ..support.university import TEST, University

CLASS = ["1001", "1002", "1003", "1004", "1005", "1006"]


TWO = "if two exports are in one file"


@pytest.fixture
def university(university: University) -> University:
    """Six learners on a test."""
    university.students.columns = ("student_no", "feide", "given", "family", "mail", "status")
    university.register(TEST, *CLASS)
    university.apply_once()
    return university


def refused(university: University, because: str) -> None:
    """The source is not used, in every command; nobody is made, and nobody removed."""
    accounts, seats = set(university.learners()), set(university.candidates())
    ran = university.apply()
    assert ran.status == 4, ran.output
    assert because in ran.out
    assert university.plan().status == 4
    assert (set(university.learners()), set(university.candidates())) == (accounts, seats)


def lines(university: University) -> list[str]:
    return university.students.text().splitlines()


def write(university: University, *content: str, end: str = "\n") -> None:
    university.students.raw = (end.join(content) + end).encode()


HEADERS = {
    "as it is": "{header}",
    "in capitals and blanks": "{spaced}",
    "behind a byte order mark": "\ufeff{header}",
    "in another order": "{turned}",
    "quoted": '"{quoted}"',
}


@pytest.mark.parametrize(("form", "at"), list(zip(HEADERS, [1, 3, 6, 1, 6], strict=True)))
def test_the_header_again_makes_the_file_unusable(
    university: University, form: str, at: int
) -> None:
    header, *rows = lines(university)
    names = header.split(",")
    again = HEADERS[form].format(
        header=header,
        spaced=" , ".join(names).upper().replace("_", " "),
        turned=",".join(reversed(names)),
        quoted='","'.join(names),
    )
    write(university, header, *rows[:at], again, *rows[at:])
    refused(university, TWO)


def test_the_header_again_far_down_a_long_file_too(university: University) -> None:
    header, *rows = lines(university)
    more = [f"{n},s{n},Ada,Prøve,s{n}@example.edu,active" for n in range(20_000, 24_000)]
    write(university, header, *rows, *more, header)
    refused(university, f"line {2 + len(rows) + len(more)}: is the header again; {TWO}")


@pytest.mark.parametrize(
    "second", ["course,term,name,starts,campus,hall", "alder,bolig,hund,katt,mus,rotte"]
)
@pytest.mark.parametrize("gap", [[""], ["", ""], [",,,,,"]])
def test_a_second_table_after_blank_lines_too(
    university: University, second: str, gap: list[str]
) -> None:
    header, *rows = lines(university)
    write(
        university,
        header,
        *rows,
        *gap,
        second,
        "INF1000,H26,Prøve,1030,Blindern,2",
        "MAT1100,H26,Prøve,1030,Blindern,3",
    )
    refused(university, TWO)


OTHER_NAMES = [
    "employee_no,user,first,last,email,status",
    "Studentnummer,Feide-navn,Fornavn,Etternavn,E-post,Status",
    '"Nr","Brukernavn","Fornavn","Etternavn","E-post","Status"',
]


@pytest.mark.parametrize(
    ("second", "end", "at"),
    list(zip(OTHER_NAMES * 2, ["\n", "\r\n", "\r", "\r", "\n", "\r\n"], [1, 6] * 3, strict=True)),
)
def test_a_second_table_without_a_gap_is_reported_by_the_words_of_its_header(
    university: University, second: str, end: str, at: int
) -> None:
    del university.feed("learner")["where"]
    header, *rows = lines(university)
    write(
        university,
        header,
        *rows[:at],
        second,
        *rows[at:],
        "77,t77,A,B,t77@example.edu,active",
        end=end,
    )
    refused(university, f"students.csv line {at + 2}: reads like a second header; {TWO}")


def test_a_second_table_far_down_a_long_file_too(university: University) -> None:
    header, *rows = lines(university)
    more = [f"{n},s{n},Ada,Prøve,s{n}@example.edu,active" for n in range(20_000, 24_000)]
    write(university, header, *rows, *more, OTHER_NAMES[0], *more[:2])
    refused(university, f"line {2 + len(rows) + len(more)}: reads like a second header; {TWO}")


def test_a_line_of_dashes_under_the_header_makes_nobody(university: University) -> None:
    del university.feed("learner")["where"]
    header, *rows = lines(university)
    people = set(university.learners())
    write(university, header, "----------,-----,-----,------,----,------", *rows)
    university.apply_cleanly()
    assert set(university.learners()) == people


def test_a_second_table_of_another_width_is_reported_with_its_lines(university: University) -> None:
    header, *rows = lines(university)
    write(university, header, *rows, "course,term,name", *["INF1000,H26,Prøve"] * 30)
    refused(university, "students.csv lines 8 (3 cells), 9 (3 cells), 10 (3 cells)")
    assert (
        f"27 (3 cells) and 11 more: do not have as many cells as the header ({len(header.split(','))})"
        in (university.plan().out)
    )


def test_a_lone_ragged_row_is_reported_alone(university: University) -> None:
    header, *rows = lines(university)
    write(university, header, *rows[:2], "1099,s1099", *rows[2:])
    refused(
        university,
        "students.csv line 4: has 2 cells where the header has 6; correct the row in the source",
    )


FIRST = [
    "student_no,feide,given,family,mail,status",
    "Student No,FEIDE,Given,Family,Mail,Status",
    "Studentnr,Brukernavn,Fornavn,Etternavn,E-post,Kode",
    "alfa,beta,gamma,delta,epsilon,zeta",
]


@pytest.mark.parametrize(("header", "mark"), list(zip(FIRST, ["", "\ufeff"] * 2, strict=True)))
def test_under_columns_a_first_line_that_reads_like_a_header(
    university: University, header: str, mark: str
) -> None:
    names, *rows = lines(university)
    university.config["sources"]["students"]["columns"] = names.split(",")
    write(university, mark + header, *rows)
    refused(university, "students.csv line 1: is a header, but 'columns' is for a file without one")
    write(university, *rows)
    university.apply_cleanly()


def test_ordinary_rows_are_no_header(university: University) -> None:
    university.students.set("1001", given="Given", family="Family")
    university.students.set("1002", given="Name", family="Status")
    university.students.set("1003", given="First", family="Last", mail="", status="exchange")
    header, *rows = lines(university)
    write(university, header, *rows[:2], "", *rows[2:4], ",,,,,", *rows[4:])
    university.apply_cleanly()
    assert university.learners()["s1001"]["lastName"] == "Family"


def test_blank_rows_and_blank_surplus_cells_are_passed_over(university: University) -> None:
    header, *rows = lines(university)
    write(
        university,
        f"{header},,",
        ",,,,,,,",
        *(f"{row},, " for row in rows[:3]),
        "",
        ' , ,"",,,',
        *rows[3:],
    )
    university.apply_cleanly()
    write(university, header, *(f"{row},,x" for row in rows))
    refused(university, "do not have as many cells")


@pytest.mark.parametrize(
    ("setting", "end"), [({"skip_lines": 3}, "\n"), ({"header_line": 4}, "\r\n")]
)
def test_lines_before_the_header_are_skipped_and_counted(
    university: University, setting: dict[str, int], end: str
) -> None:
    university.config["sources"]["students"].update(setting)
    write(university, "Students of the autumn", 'Made by "SIS', "", *lines(university), end=end)
    university.apply_cleanly()
    write(
        university,
        "Students",
        "",
        "",
        *lines(university),
        "1009,s1009,A\x00da,P,x@example.edu,active",
    )
    refused(university, "students.csv line 11: contains a NUL")
    write(university, "Students", "", "", *lines(university), "1009,s1009")
    refused(university, "students.csv line 11: has 2 cells")


@pytest.mark.parametrize("line", ["sep=;", "SEP=;", '"sep=;"', "\ufeffsep=;"])
def test_the_first_line_of_excel_says_the_delimiter(university: University, line: str) -> None:
    header, *rows = (text.replace(",", ";") for text in lines(university))
    write(university, line, header, *rows, end="\r\n")
    university.apply_cleanly()
    write(university, line, header, *rows, "1009;x")
    refused(university, "students.csv line 9: has 2 cells")


def test_a_file_that_escapes_by_backslashes(university: University) -> None:
    university.config["sources"]["students"]["escape"] = "\\"
    university.students.set("1001", family='"O\\"Pr\\\\ve\\, jr"')
    university.apply_cleanly()
    assert university.learners()["s1001"]["lastName"] == 'O"Pr\\ve, jr'
    university.students.set("1001", family="\\N")
    ran = university.apply()
    assert ran.status == 1
    assert "last_name: holds a word for no value" in ran.out
