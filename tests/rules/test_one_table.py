"""A file that is not one table is not used; the files that there are, with titles and blank rows, are read."""

import pytest

from .site import TEST, Site

CLASS = ["1001", "1002", "1003", "1004", "1005", "1006"]
TWO = "two exports in one file?"


@pytest.fixture
def site(site: Site) -> Site:
    """Six learners on a test."""
    site.students.columns = ("student_no", "feide", "given", "family", "mail", "status")
    site.seat(TEST, *CLASS)
    site.settled()
    return site


def refused(site: Site, because: str) -> None:
    """The source is not used, in every command; nobody is made, and nobody removed."""
    accounts, seats = set(site.people()), set(site.seats())
    ran = site.apply()
    assert ran.status == 4, ran.said
    assert because in ran.out
    assert site.plan().status == 4
    assert (set(site.people()), set(site.seats())) == (accounts, seats)


def lines(site: Site) -> list[str]:
    return site.students.text().splitlines()


def write(site: Site, *content: str, end: str = "\n") -> None:
    site.students.raw = (end.join(content) + end).encode()


HEADERS = {
    "as it is": "{header}",
    "in capitals and blanks": "{spaced}",
    "behind a byte order mark": "\ufeff{header}",
    "in another order": "{turned}",
    "quoted": '"{quoted}"',
}


@pytest.mark.parametrize("form", HEADERS)
@pytest.mark.parametrize("at", [1, 3, 6])
def test_the_header_again_makes_the_file_unusable(site: Site, form: str, at: int) -> None:
    header, *rows = lines(site)
    names = header.split(",")
    again = HEADERS[form].format(
        header=header,
        spaced=" , ".join(names).upper().replace("_", " "),
        turned=",".join(reversed(names)),
        quoted='","'.join(names),
    )
    write(site, header, *rows[:at], again, *rows[at:])
    refused(site, TWO)


def test_the_header_again_far_down_a_long_file_too(site: Site) -> None:
    header, *rows = lines(site)
    more = [f"{n},s{n},Ada,Prøve,s{n}@example.edu,active" for n in range(20_000, 24_000)]
    write(site, header, *rows, *more, header)
    refused(site, f"line {2 + len(rows) + len(more)}: is the header again; {TWO}")


@pytest.mark.parametrize(
    "second", ["course,term,name,starts,campus,hall", "alder,bolig,hund,katt,mus,rotte"]
)
@pytest.mark.parametrize("gap", [[""], ["", ""], [",,,,,"]])
def test_a_second_table_after_blank_lines_too(site: Site, second: str, gap: list[str]) -> None:
    header, *rows = lines(site)
    write(
        site,
        header,
        *rows,
        *gap,
        second,
        "INF1000,H26,Prøve,1030,Blindern,2",
        "MAT1100,H26,Prøve,1030,Blindern,3",
    )
    refused(site, TWO)


OTHER_NAMES = [
    "employee_no,user,first,last,email,status",
    "Studentnummer,Feide-navn,Fornavn,Etternavn,E-post,Status",
    '"Nr","Brukernavn","Fornavn","Etternavn","E-post","Status"',
]


@pytest.mark.parametrize("second", OTHER_NAMES)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("at", [1, 6])
def test_a_second_table_without_a_gap_is_told_by_the_words_of_its_header(
    site: Site, second: str, end: str, at: int
) -> None:
    del site.feed("learner")["where"]
    header, *rows = lines(site)
    write(
        site, header, *rows[:at], second, *rows[at:], "77,t77,A,B,t77@example.edu,active", end=end
    )
    refused(site, f"students.csv line {at + 2}: reads like a second header; {TWO}")


def test_a_second_table_far_down_a_long_file_too(site: Site) -> None:
    header, *rows = lines(site)
    more = [f"{n},s{n},Ada,Prøve,s{n}@example.edu,active" for n in range(20_000, 24_000)]
    write(site, header, *rows, *more, OTHER_NAMES[0], *more[:2])
    refused(site, f"line {2 + len(rows) + len(more)}: reads like a second header; {TWO}")


def test_a_line_of_dashes_under_the_header_makes_nobody(site: Site) -> None:
    del site.feed("learner")["where"]
    header, *rows = lines(site)
    people = set(site.people())
    write(site, header, "----------,-----,-----,------,----,------", *rows)
    site.settled()
    assert set(site.people()) == people


def test_a_second_table_of_another_width_is_told_with_its_lines(site: Site) -> None:
    header, *rows = lines(site)
    write(site, header, *rows, "course,term,name", *["INF1000,H26,Prøve"] * 30)
    refused(site, "students.csv lines 8 (3 cells), 9 (3 cells), 10 (3 cells)")
    assert (
        f"27 (3 cells) and 11 more: do not have as many cells as the header ({len(header.split(','))})"
        in (site.plan().out)
    )


def test_a_lone_ragged_row_is_told_alone(site: Site) -> None:
    header, *rows = lines(site)
    write(site, header, *rows[:2], "1099,s1099", *rows[2:])
    refused(
        site,
        "students.csv line 4: has 2 cells where the header has 6; correct the row in the source",
    )


FIRST = [
    "student_no,feide,given,family,mail,status",
    "Student No,FEIDE,Given,Family,Mail,Status",
    "Studentnr,Brukernavn,Fornavn,Etternavn,E-post,Kode",
    "alfa,beta,gamma,delta,epsilon,zeta",
]


@pytest.mark.parametrize("header", FIRST)
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_under_columns_a_first_line_that_reads_like_a_header(
    site: Site, header: str, mark: str
) -> None:
    names, *rows = lines(site)
    site.config["sources"]["students"]["columns"] = names.split(",")
    write(site, mark + header, *rows)
    refused(site, "students.csv line 1: is a header, but 'columns' is for a file without one")
    write(site, *rows)
    site.settled()


def test_ordinary_rows_are_no_header(site: Site) -> None:
    site.students.set("1001", given="Given", family="Family")
    site.students.set("1002", given="Name", family="Status")
    site.students.set("1003", given="First", family="Last", mail="", status="exchange")
    header, *rows = lines(site)
    write(site, header, *rows[:2], "", *rows[2:4], ",,,,,", *rows[4:])
    site.settled()
    assert site.people()["s1001"]["lastName"] == "Family"


def test_blank_rows_and_blank_surplus_cells_are_passed_over(site: Site) -> None:
    header, *rows = lines(site)
    write(
        site,
        f"{header},,",
        ",,,,,,,",
        *(f"{row},, " for row in rows[:3]),
        "",
        ' , ,"",,,',
        *rows[3:],
    )
    site.settled()
    write(site, header, *(f"{row},,x" for row in rows))
    refused(site, "do not have as many cells")


@pytest.mark.parametrize("setting", [{"skip_lines": 3}, {"header_line": 4}])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_before_the_header_are_skipped_and_counted(
    site: Site, setting: dict[str, int], end: str
) -> None:
    site.config["sources"]["students"].update(setting)
    write(site, "Students of the autumn", 'Made by "SIS', "", *lines(site), end=end)
    site.settled()
    write(site, "Students", "", "", *lines(site), "1009,s1009,A\x00da,P,x@example.edu,active")
    refused(site, "students.csv line 11: contains a NUL")
    write(site, "Students", "", "", *lines(site), "1009,s1009")
    refused(site, "students.csv line 11: has 2 cells")


@pytest.mark.parametrize("line", ["sep=;", "SEP=;", '"sep=;"', "\ufeffsep=;"])
def test_the_first_line_of_excel_says_the_delimiter(site: Site, line: str) -> None:
    header, *rows = (text.replace(",", ";") for text in lines(site))
    write(site, line, header, *rows, end="\r\n")
    site.settled()
    write(site, line, header, *rows, "1009;x")
    refused(site, "students.csv line 9: has 2 cells")


def test_a_file_that_escapes_by_backslashes(site: Site) -> None:
    site.config["sources"]["students"]["escape"] = "\\"
    site.students.set("1001", family='"O\\"Pr\\\\ve\\, jr"')
    site.settled()
    assert site.people()["s1001"]["lastName"] == 'O"Pr\\ve, jr'
    site.students.set("1001", family="\\N")
    ran = site.apply()
    assert ran.status == 1
    assert "last_name: holds a word for no value" in ran.out
