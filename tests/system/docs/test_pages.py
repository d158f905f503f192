"""The pages are true: links, calls, layers, and no words that do not belong there."""

import re
from pathlib import Path

import pytest
from sync.contract import CALLS, Confidence
from sync.inspera.recovery import RECOVERY
from sync.sources import BUILT_IN

from ...unit.test_layers import FLOORS
from .pages import (
    GUIDES,
    HELP,
    MANUAL,
    PAGES,
    README,
    ROOT,
    anchors,
    blocks,
    links,
    name_of,
    rows,
    section,
    words_of,
)

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


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_to_a_file_and_every_anchor_to_a_heading(page: Path) -> None:
    for link in links(page):
        if link.startswith("https://"):
            continue
        file, _, anchor = link.partition("#")
        target = page.parent / file if file else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_the_readme_is_short_and_leads_to_every_page() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 200
    linked = {(README.parent / link).resolve() for link in links(README)}
    assert set(HELP.values()) <= linked
    assert {"deploy/README.md", "config/README.md", "CONTRIBUTING.md", "LICENSE"} <= set(
        links(README)
    )


def test_the_operating_guide_leads_to_every_guide() -> None:
    linked = {(ROOT / "deploy" / link).resolve() for link in links(GUIDES["README"])}
    assert {path for name, path in GUIDES.items() if name != "README"} <= linked


@pytest.mark.parametrize("page", [*HELP.values(), *GUIDES.values()], ids=name_of)
def test_a_page_begins_with_its_heading_and_one_sentence_about_it(page: Path) -> None:
    heading, about, *_ = page.read_text(encoding="utf-8").split("\n\n")
    assert re.fullmatch(r"# \S.*", heading)
    assert re.fullmatch(r"[A-Z].*\.", about, re.DOTALL)


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_a_page_about_a_source_begins_with_an_example(name: str) -> None:
    example, *_ = blocks(HELP[name])
    assert (example.language, f"type: {name}" in example.text) == ("yaml", True)
    assert "## " not in HELP[name].read_text(encoding="utf-8").split("```")[0].removeprefix("# ")


def test_the_page_of_the_rules_has_all_forty_in_order() -> None:
    numbers = re.findall(r"^\*\*(\d+)\. ", HELP["rules"].read_text(encoding="utf-8"), re.M)
    assert numbers == [str(number) for number in range(1, 41)]


CITED = re.compile(r"\brules (\d+(?:(?:, | and |–)\d+)*)")


@pytest.mark.parametrize("page", MANUAL, ids=name_of)
def test_a_page_cites_only_rules_that_exist(page: Path) -> None:
    cited = [int(n) for match in CITED.findall(words_of(page)) for n in re.findall(r"\d+", match)]
    assert all(1 <= number <= 40 for number in cited)


@pytest.mark.parametrize("page", TEXTS, ids=name_of)
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
        for row in rows(HELP["calls"].read_text(encoding="utf-8"))
        if len(row) == 4
    ]
    assert told == [
        (call.name, f"{call.method} /api{call.path}", SURE[call.proof]) for call in CALLS.values()
    ]


def test_the_table_of_failures_is_the_programs_own() -> None:
    told = [tuple(row) for row in rows(HELP["call-failures"].read_text(encoding="utf-8"))]
    assert told == [(what.value, recovery.then) for what, recovery in RECOVERY.items()]


@pytest.mark.parametrize("page", [*MANUAL, ROOT / "CONTRIBUTING.md"], ids=name_of)
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    named = re.findall(
        r"`((?:sync|tests|config|deploy)/[\w./-]*)`", page.read_text(encoding="utf-8")
    )
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_what_troubleshooting_quotes_is_what_the_program_prints() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "sync").rglob("*.py"))
    source = re.sub(r'"\n\s*f?"', "", source)  # a long text stands on several lines
    quoted = [
        piece.strip()
        for row in rows(section(HELP["troubleshooting"], "What to do when it says"))
        for quote in re.findall(r'"([^"]+)"', row[0])
        for piece in quote.split("…")
        if piece.strip()
    ]
    assert len(quoted) > 8
    assert [piece for piece in quoted if piece not in source] == []


def test_the_table_of_layers_is_the_one_that_the_imports_are_held_to() -> None:
    told = [
        (int(row[0]), frozenset(re.findall(r"`(\w+)`", row[1])))
        for row in rows(section(HELP["architecture"], "Layers"))
    ]
    assert told == list(reversed(list(enumerate(FLOORS, 1))))


def test_the_make_targets_that_are_named_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.M))
    named = {
        name
        for page in PAGES
        for text in (
            "".join(re.findall(r"`make [a-z-]+", page.read_text(encoding="utf-8"))),
            *(block.text for block in blocks(page) if block.language == "sh"),
        )
        for name in re.findall(r"\bmake ([a-z-]+)", text)
    }
    assert {"demo", "test", "test-fast", "setup"} <= named <= targets


def test_what_is_not_there_yet_is_said_in_one_place_only() -> None:
    texts = "".join(page.read_text(encoding="utf-8") for page in MANUAL)
    assert "web page for the service" not in texts.replace(section(README, "Not yet"), "")


def test_the_changelog_has_an_entry_for_the_version_of_the_package() -> None:
    from sync import __version__

    assert f"## [{__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_people_in_a_page_are_at_example_edu(page: Path) -> None:
    text = re.sub(r"\w+://\S+", "", page.read_text(encoding="utf-8"))  # users of databases
    addresses = re.findall(r"[\w.+-]+@[\w.-]+\.\w+", text)
    assert [address for address in addresses if not address.endswith("@example.edu")] == []


def test_the_source_that_the_page_shows_is_the_one_that_the_tests_install_and_read() -> None:
    shown = [block.text for block in blocks(HELP["own-source"]) if block.language == "python"]
    assert shown == [(ROOT / "tests/unit/sources/example_source.py").read_text(encoding="utf-8")]


def test_the_files_that_the_architecture_names_exist() -> None:
    named = re.findall(r"`([a-z_/]+\.py)`", HELP["architecture"].read_text(encoding="utf-8"))
    assert named
    assert not [
        name for name in named if not any((base / name).exists() for base in (ROOT, ROOT / "sync"))
    ]
