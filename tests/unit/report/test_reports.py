"""Reports of any size: read once and lazily, cut with a count, escaped, and with stable pseudonyms."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from sync.records.base import Kind
from sync.records.changes import Action, Cause, Change
from sync.report.explanations import EXPLANATIONS, explanation_of
from sync.report.pseudonyms import Pseudonyms
from sync.report.report_charts import MOST_DAYS, day_bars, kind_bars
from sync.report.report_html import report_html
from sync.report.report_items import change_item, split_reason
from sync.report.report_json import report_json
from sync.report.report_model import (
    DayTally,
    FieldChange,
    Group,
    Item,
    NamedTest,
    Report,
    Section,
    SectionName,
    Subject,
    Tally,
)
from sync.report.report_text import report_text


def item(number: int = 1001, **values: Any) -> Item:
    usual: dict[str, Any] = {"kind": Kind.CANDIDATE, "key": ("INF1000-H26", str(number))}
    return Item(**{**usual, "result": "held", "action": Action.REMOVE, **values})


def a_report(items: Iterable[Item], total: int = 1, **values: Any) -> Report:
    group = Group(cause="limit", title="Limit", total=total, items=items)
    section = Section(
        name=SectionName.HELD, title="Held", about="Decide.", total=total, groups=[group]
    )
    usual: dict[str, Any] = {
        "subject": Subject.PLAN,
        "title": "Plan",
        "statement": "Nothing was sent.",
        "tenant": "https://example.edu",
        "made_at": datetime(2026, 12, 1, 8, tzinfo=UTC),
        "zone": "Europe/Oslo",
        "exit_status": 3,
        "meaning": "3: held",
        "run": None,
        "notices": [],
        "totals": {SectionName.HELD: total},
        "tallies": [Tally(Kind.CANDIDATE, "held", total)],
        "days": [DayTally("2026-12-01", {"held": total})],
        "sections": [section],
    }
    return Report(**{**usual, **values})


class Counted:
    """Items without an end, and how many of them were read."""

    def __init__(self) -> None:
        self.read = 0

    def __iter__(self) -> Iterator[Item]:
        while True:
            self.read += 1
            yield item(self.read)


def test_a_table_is_cut_with_its_count_and_no_more_is_read() -> None:
    endless = Counted()
    html = "".join(report_html(a_report(endless, 1_234_567), most=20))
    assert html.count('<tr class="item') == 20
    assert endless.read == 20
    assert "The first 20 of 1,234,567 rows are shown." in html
    assert "inspera-sync report plan --json FILE" in html


def test_a_report_is_written_while_it_is_read() -> None:
    for render in (report_html, report_json):
        endless = Counted()
        pieces = render(a_report(endless, 9))
        while endless.read < 3:
            next(pieces)
        assert endless.read < 10


def test_text_has_so_many_rows_of_each_group_and_then_a_count() -> None:
    lines = [*report_text(a_report(map(item, range(100)), 100), 3)]
    assert sum("remove candidate" in line for line in lines) == 3
    assert "    … and 97 more (--all shows them)" in lines


class _Texts(HTMLParser):
    """All texts of a page, and the tags and attributes that it consists of."""

    def __init__(self) -> None:
        super().__init__()
        self.text, self.tags = "", set[str]()

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.update([tag, *(f"@{name}" for name, _ in attrs)])


HOSTILE = (
    '"><img src=x onerror=alert(1)>',
    "</script></style></title><script>alert(1)</script>",
    "{{ 7 * 7 }}{% raw %}",
    "\ud800\x00\x1b[31m",
    "' onload='x",
)


def page_of(value: str) -> str:
    """Return a page that shows the value wherever a value of a source can be."""
    test = NamedTest("T", value, "2026-12-01T08:00:00Z")
    fields = [FieldChange("room", value, value)]
    texts: dict[str, Any] = {
        "place": value,
        "reason": value,
        "remedy": value,
        "note": value,
        "person": value,
    }
    one = item(key=("T", value), test=test, fields=fields, **texts)
    values: dict[str, Any] = {"title": value, "tenant": value, "meaning": value, "notices": [value]}
    "".join(report_json(a_report([one], **values))).encode()
    return "".join(report_html(a_report([one], **values)))


@pytest.mark.parametrize("value", HOSTILE)
def test_no_value_becomes_markup_or_breaks_the_file(value: str) -> None:
    harmless, page = _Texts(), _Texts()
    harmless.feed(page_of("harmless"))
    page.feed(html := page_of(value))
    assert page.tags == harmless.tags
    assert html.encode().count(b"49") == page_of("").encode().count(b"49")


def test_invisible_characters_are_shown_and_national_ids_are_masked() -> None:
    one = item(person="Kari\u202eirak", reason="01019912345 is taken")
    for text in ("".join(report_html(a_report([one]))), "".join(report_json(a_report([one])))):
        assert "\u202e" not in text
        assert "01019912345" not in text


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        ("it would move; if that is right: apply --allow ab", "if that is right: apply --allow ab"),
        ("drift; `adopt test A` takes it; `adopt test A --keep` keeps it", "`adopt test A` takes"),
        ("the test has begun: its candidates stay", ""),
        ("waits for learner 1 (held); and more", ""),
    ],
)
def test_a_reason_ends_where_the_command_begins(reason: str, remedy: str) -> None:
    why, what = split_reason(reason)
    assert what.startswith(remedy)
    assert bool(what) is bool(remedy)
    assert "; ".join(filter(None, [why, what])) == reason


def test_the_digest_of_a_secret_is_never_shown() -> None:
    change = Change(
        Action.UPDATE,
        Kind.OPTION,
        ("T", "PIN"),
        {"value": "digest ab12"},
        {"value": "digest cd34"},
        ("value",),
    )
    report = a_report([change_item(change, "pass")])
    texts = ["".join(report_html(report)), "".join(report_json(report)), *report_text(report, None)]
    assert not [text for text in texts if "ab12" in text or "cd34" in text]


def test_every_cause_has_a_title() -> None:
    assert explanation_of("limit").rule == 15
    assert explanation_of("some_new_cause").title == "Some new cause"
    assert set(EXPLANATIONS) <= set(Cause)


def test_bars_fill_the_picture_and_stay_in_it() -> None:
    tallies = [Tally(Kind.LEARNER, "added", 100_000), Tally(Kind.TEST, "held", 1)]
    learners, tests = kind_bars([*tallies, Tally(Kind.LEARNER, "held", 1)])
    assert 99 < sum(bar.width for bar in learners.bars) <= 100
    assert 0 < tests.bars[0].width < 1
    days = [DayTally(f"2026-{1 + n // 28:02}-{1 + n % 28:02}", {"added": n}) for n in range(1, 90)]
    shown = day_bars(days)
    assert len(shown) == MOST_DAYS
    assert all(0 <= bar.x <= 100 - bar.width and bar.y >= 0 for day in shown for bar in day.bars)
    assert sum(bool(day.label) for day in shown) <= 6
    assert not kind_bars([])
    assert not day_bars([])


PEOPLE = {
    "1001": False,
    "s1001": False,
    "12": False,
    "Åse": False,
    "Anne-Marie van Berg": False,
    "ase.berg@example.edu": False,
    "77": True,
    "9077": True,
    "90177": True,
}


def find(values: Collection[str]) -> Mapping[str, bool]:
    return {value: PEOPLE[value] for value in values if value in PEOPLE}


PSEUDONYMS = Pseudonyms(find, b"a key for tests")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("waits for learner 1001 (held)", ["1001"]),
        ("INF1000-H26/1001, S1001 and ÅSE", ["1001", "s1001", "Åse"]),
        (
            "Anne-Marie van Berg <ase.berg@example.edu>",
            ["Anne-Marie van Berg", "ase.berg@example.edu"],
        ),
        ("learner 12 has candidate number 77", ["12", "77"]),
        ("the number 90177 is taken", ["90177"]),
        ("12 of 77 known is more than 9077", []),
        ("students.csv line 1001, 1001-12-01T08:00:00Z, rules 12", []),
    ],
)
def test_texts_lose_the_values_of_people_and_keep_counts_and_times(
    text: str, named: list[str]
) -> None:
    shown = PSEUDONYMS.in_text(text)
    for value in named:
        assert value.casefold() not in shown.casefold()
        assert PSEUDONYMS.of(value, number=PEOPLE[value]) in shown
    assert named or shown == text


def test_hashes_and_unknown_codes_in_inspera_s_words_are_replaced() -> None:
    assert PSEUDONYMS.in_text("apply --allow 0123456789ab") == "apply --allow (hash)"
    group = Group(cause="refused", title="", total=1, items=[item(reason="KAND99887: 400")])
    section = Section(name=SectionName.ERRORS, title="", about="", total=1, groups=[group])
    (shown,) = next(iter(next(iter(_sections(section))).groups)).items
    assert "99887" not in shown.reason
    assert shown.reason.endswith(": 400")


def _sections(section: Section) -> Iterable[Section]:
    return PSEUDONYMS.in_report(a_report([], sections=[section])).sections


def test_an_item_keeps_its_test_and_loses_its_person() -> None:
    test = NamedTest("INF1000-H26", "Ex.phil", "2026-12-01T08:00:00Z")
    fields = [FieldChange("candidate_id", "55", "56"), FieldChange("extra_time", None, 30)]
    one = item(424242, person="Kari Ek", test=test, fields=fields, note="424242 came", digest="ab")
    shown = PSEUDONYMS.in_item(one)
    name = PSEUDONYMS.of("424242")
    assert shown.key == ("INF1000-H26", name)
    assert (shown.person, shown.digest, shown.test) == (None, None, test)
    assert shown.note == f"{name} came"
    assert shown.fields[0].before == PSEUDONYMS.of("55", number=True)
    assert shown.fields[1] == fields[1]
    other = replace(PSEUDONYMS, key=b"another")
    assert other.of("424242") != name
