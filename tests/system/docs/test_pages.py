"""What the pages say of the project is so: links, calls, rooms, and the words that do not belong there."""

import re
from pathlib import Path

import pytest
from sync.contract import CALLS, Confidence
from sync.inspera.recovery import RECOVERY

from ...unit.test_layers import FLOORS
from .pages import OPERATING, PAGES, README, ROOT, anchors, blocks, links, rows, section

SURE = {
    Confidence.DOCUMENTED: "documented",
    Confidence.OBSERVED: "observed",
    Confidence.INFERRED: "inferred",
}
# spelt with classes of one letter, so that this file does not hold what it looks for
FOREIGN = re.compile(
    r"/w[o]rk/|\.\./sh[a]red|\bs[e]ssions?\b(?!\.[\w`])|(?<![\w&])#\d+\b|\biss[u]e \d+|\bTO[D]O\b|\bFIX[M]E\b"
    r"|/r[o]ot/|/t[m]p/|\bpy[p]i\b|pythonh[o]sted|\bnpm[j]s\b",
    re.IGNORECASE,
)
TEXTS = [*PAGES, ROOT / "Makefile", *sorted((ROOT / "config").glob("*.yaml"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}-{page.stem}")
def test_every_link_leads_to_a_file_and_every_anchor_to_a_heading(page: Path) -> None:
    for link in links(page):
        if link.startswith("https://"):
            continue
        file, _, anchor = link.partition("#")
        target = page.parent / file if file else page
        assert target.is_file(), link
        assert not anchor or anchor in anchors(target), link


def test_the_pages_lead_to_one_another() -> None:
    assert {
        "deploy/README.md",
        "CHANGELOG.md",
        "LICENSE",
        "config/inspera-sync.yaml",
        "config/schema.json",
    } <= set(links(README))
    assert "../README.md" in links(OPERATING)


@pytest.mark.parametrize("page", TEXTS, ids=lambda page: f"{page.parent.name}-{page.name}")
def test_no_page_speaks_of_where_or_how_it_was_written(page: Path) -> None:
    found = [match[0] for match in FOREIGN.finditer(page.read_text(encoding="utf-8"))]
    assert found == []


def test_foreign_words_would_be_noticed() -> None:
    texts = ("see .{0}/shared/x.md", "in /{1}work/here", "as issue{1} 12 asks", "see {1}#12")
    assert not [text for text in texts if not FOREIGN.search(text.format(".", ""))]
    assert not FOREIGN.search("the [rules](#the-rules) of `INF1000`")


def test_the_table_of_calls_is_the_clients_own() -> None:
    told = [
        tuple(cell.strip("`") for cell in (row[0], row[1], row[3]))
        for row in rows(section(README, "What is sent to Inspera"))
    ]
    assert told == [
        (call.name, f"{call.method} /api{call.path}", SURE[call.proof]) for call in CALLS.values()
    ]


def test_the_table_of_failures_is_the_programs_own() -> None:
    told = [tuple(row) for row in rows(section(README, "When a call fails"))]
    assert told == [(what.value, recovery.then) for what, recovery in RECOVERY.items()]


def test_every_file_that_the_readme_names_is_there() -> None:
    named = re.findall(
        r"`((?:sync|tests|config|deploy)/[\w./-]*)`", README.read_text(encoding="utf-8")
    )
    assert len(named) > 10
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_what_the_operating_guide_quotes_is_what_the_program_says() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "sync").rglob("*.py"))
    quoted = [
        piece.strip()
        for row in rows(section(OPERATING, "What to do when it says"))
        for quote in re.findall(r'"([^"]+)"', row[0])
        for piece in quote.split("…")
        if piece.strip()
    ]
    assert len(quoted) > 8
    assert [piece for piece in quoted if piece not in source] == []


def test_the_table_of_rooms_is_the_house_as_it_stands() -> None:
    told = [
        (int(row[0]), frozenset(re.findall(r"`(\w+)`", row[1])))
        for row in rows(section(README, "Extend"))
    ]
    assert told == list(reversed(list(enumerate(FLOORS, 1))))


def test_the_make_targets_that_are_named_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.M))
    for page in (README, OPERATING):
        assert (
            set(
                re.findall(
                    r"\bmake (demo|test|check|bench|setup|help|[a-z]+)(?=[`\s]*$)",
                    page.read_text("utf-8"),
                    re.M,
                )
            )
            <= targets
        )
    assert {"demo", "test", "help"} <= targets


def test_what_is_not_there_yet_is_said_in_one_place_only() -> None:
    text = README.read_text(encoding="utf-8").replace(section(README, "Not yet"), "")
    assert "pilot group" not in text


def test_the_changelog_has_an_entry_for_the_version_of_the_package() -> None:
    from sync import __version__

    assert f"## [{__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}-{page.stem}")
def test_people_in_a_page_are_at_example_edu(page: Path) -> None:
    addresses = re.findall(r"[\w.+-]+@[\w.-]+\.\w+", page.read_text(encoding="utf-8"))
    assert [address for address in addresses if not address.endswith("@example.edu")] == []


def test_the_source_that_the_readme_shows_is_the_one_that_the_tests_install_and_read() -> None:
    shown = [block.text for block in blocks(README) if block.language == "python"]
    assert shown == [(ROOT / "tests/unit/sources/example_source.py").read_text(encoding="utf-8")]
