"""The feeds of a first configuration: which columns give the fields, and what a person decides."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from sync.commands.init.detect import ColumnSample, Detected, guess, unsure
from sync.commands.init.formats import family_first, minutes_way, time_format
from sync.commands.init.vocabulary import WORDS, rivals
from sync.commands.init.yaml_values import YamlValue, column, constant, spelt, template
from sync.config.maps import MAPS
from sync.contract import ROLES
from sync.records.base import Kind

_NEEDS = {Kind.CANDIDATE: (Kind.LEARNER, Kind.TEST), Kind.CONTRIBUTOR: (Kind.STAFF, Kind.TEST)}
_TEST_FORMS = ("test_id", "course_term", "course")
_LEARNER_FORMS = ("student_no", "person_key", "external", "login", "email")
_STAFF_FORMS = ("employee_no", "person_key", "external", "login", "email")


@dataclass(slots=True)
class FeedDraft:
    """A feed in the making.

    Attributes:
        values: the fields that could be guessed.
        hints: what is said about a field, in front of it.
        ready: whether it can stand as it is; otherwise it is written switched off.
        why: why it is not ready, beyond the fields that are missing.
        doubt: what a person has to see to before its rows can be relied on.
    """

    guess: Detected
    kind: Kind
    values: dict[str, YamlValue] = field(default_factory=dict)
    hints: dict[str, str] = field(default_factory=dict)
    ready: bool = True
    why: str = ""
    doubt: str = ""

    @property
    def missing(self) -> list[str]:
        """Return the needed fields that could not be guessed, in the order of the map."""
        fields = MAPS[self.kind].model_fields.items()
        return [name for name, info in fields if info.is_required() and name not in self.values]

    @property
    def used(self) -> set[str]:
        """Return the columns of which it is made."""
        return {name for value in self.values.values() for name in value.columns}

    def add(self, name: str, found: str | None) -> None:
        """Map a field to a column, if there is one for it."""
        if found is not None:
            self.values[name] = column(found)


def drafts(sources: Sequence[ColumnSample], zone: str | None) -> list[FeedDraft]:
    """Return the feeds of these sources, each after those that it needs."""
    guesses = [guess(one) for one in sources]
    guesses += _wide(guesses)
    test_form = _common(guesses, Kind.TEST, (Kind.CANDIDATE, Kind.CONTRIBUTOR), _TEST_FORMS)
    learner_form = _common(guesses, Kind.LEARNER, (Kind.CANDIDATE,), _LEARNER_FORMS)
    staff_form = _common(guesses, Kind.STAFF, (Kind.CONTRIBUTOR,), _STAFF_FORMS)
    feeds: list[FeedDraft] = []
    for kind in MAPS:
        for one in guesses:
            if one.kind is kind:
                draft = FeedDraft(one, kind)
                _fill(
                    draft,
                    test_form,
                    staff_form if kind in (Kind.STAFF, Kind.CONTRIBUTOR) else learner_form,
                    zone,
                )
                feeds.append(draft)
    _settle(feeds)
    return feeds


def _wide(guesses: Sequence[Detected]) -> Iterator[Detected]:
    """Return sources of registrations that hold people or tests too, where no other source does."""
    for kind, needed in (
        (Kind.LEARNER, ("given", "family")),
        (Kind.TEST, ("title", "duration")),
    ):
        if any(one.kind is kind for one in guesses):
            continue
        for one in guesses:
            if one.kind is Kind.CANDIDATE:
                again = guess(one.looked, kind)
                if all(name in again.columns for name in needed):
                    yield again


def _common(
    guesses: Sequence[Detected], kind: Kind, naming: Sequence[Kind], forms: Sequence[str]
) -> str | None:
    """Return the form in which all of these, or most, can name records of a kind."""
    own = [one for one in guesses if one.kind is kind]
    others = [one for one in guesses if one.kind in naming]
    possible = [form for form in forms if all(one.form(form) for one in own)] or list(forms)
    return max(
        possible,
        key=lambda form: sum(one.form(form) is not None for one in [*others, *own]),
        default=None,
    )


def _fill(
    draft: FeedDraft, test_form: str | None, person_form: str | None, zone: str | None
) -> None:
    if draft.kind in (Kind.LEARNER, Kind.STAFF):
        _fill_person(draft, person_form)
    elif draft.kind is Kind.TEST:
        _fill_test(draft, test_form, zone)
    else:
        _fill_seat(draft, test_form, person_form)


def _named(one: Detected, form: str | None) -> YamlValue | None:
    """Return the value that names a test or a person in this form."""
    text = one.form(form) if form else None
    if text is None:
        return None
    return (
        template(text, one.columns["course"], one.columns["term"])
        if form == "course_term"
        else column(text)
    )


def _fill_person(draft: FeedDraft, form: str | None) -> None:
    one = draft.guess
    external = one.columns.get("external") or one.columns.get("login")
    key = _named(one, form)
    if key is not None:
        draft.values["key"] = key
    draft.add("username", one.columns.get("login") or one.columns.get("external"))
    draft.add("external_id", external)
    draft.add("auth_system", one.columns.get("auth_system"))
    draft.add("first_name", one.columns.get("given"))
    draft.add("last_name", one.columns.get("family"))
    draft.add("email", one.columns.get("email"))
    if form == "email" and key is not None:
        draft.hints["key"] = "An address may change. A number that never does would be better."
    if "username" not in draft.values and "email" in one.columns:
        draft.hints["username"] = (
            f"Perhaps people log in with their address ({one.columns['email']})? Then say so."
        )
    _doubts(draft, form)
    if unsure(one):
        other = Kind.STAFF if draft.kind is Kind.LEARNER else Kind.LEARNER
        draft.doubt = (
            "TODO: nothing says whether these people are learners or staff, so they are taken "
            f"for {draft.kind}"
            f"{'s' if draft.kind is Kind.LEARNER else ''}. If they are not, write 'kind: {other}' "
            "instead; if they are "
            "both, tell them apart by 'where'."
        )
    _take_apart(draft)


def _doubts(draft: FeedDraft, form: str | None) -> None:
    """Say where two columns would do equally well, and what was left out of a name."""
    columns = [name for name in draft.guess.looked.columns if name.isprintable()]
    for name, meaning in (
        ("key", form),
        ("username", "login"),
        ("external_id", "external"),
        ("email", "email"),
    ):
        several = rivals(columns, meaning) if meaning and meaning in WORDS else ()
        value = draft.values.get(name)
        if len(several) > 1 and value is not None and value.columns == several[:1]:
            others = " or ".join(repr(one) for one in several[1:])
            draft.hints[name] = (
                f"TODO: {others} would do as well as {several[0]!r}. Look at both with `sample "
                f"{draft.guess.looked.name}`, and write the right one here."
            )
    middle = draft.guess.columns.get("middle")
    if middle is not None and "last_name" in draft.values:
        draft.hints["last_name"] = (
            f"TODO: {middle!r} is left out. If it stands before or between people's names, have "
            "the source give them "
            "in one column."
        )


def _take_apart(draft: FeedDraft) -> None:
    """Yield the names, where one column has them both."""
    whole = draft.guess.columns.get("full_name")
    if whole is None or {"first_name", "last_name"} <= draft.values.keys():
        return
    patterns = {"first_name": ".*, *(?P<value>.+)", "last_name": "(?P<value>.+?) *,.*"}
    if family_first([row.get(whole, "") for row in draft.guess.looked.rows]):
        for name, pattern in patterns.items():
            draft.values.setdefault(name, spelt(whole, pattern=pattern))
    else:
        draft.hints["first_name"] = (
            f"The column {whole!r} seems to hold whole names: take them apart by a 'pattern'."
        )


def _fill_test(draft: FeedDraft, form: str | None, zone: str | None) -> None:
    one = draft.guess
    own = next((name for name in _TEST_FORMS if one.form(name)), None)
    identifier, key = _named(one, own), _named(one, form)
    if key is not None and key != identifier:
        draft.values["key"] = key
    if identifier is not None:
        draft.values["external_test_id"] = identifier
    draft.add("title", one.columns.get("title"))
    _fill_times(draft, zone)
    length = one.columns.get("duration") or one.columns.get("hours")
    if length is not None:
        way = minutes_way([row.get(length, "") for row in one.looked.rows])
        way = way or ("hours" if "duration" not in one.columns else None)
        draft.values["duration"] = spelt(length, minutes=way if way != "number" else None)
        if way is None:
            draft.hints["duration"] = (
                "TODO: these are whole minutes, unless you say otherwise with `minutes`."
            )
    draft.add("template", one.columns.get("template"))


def _fill_times(draft: FeedDraft, zone: str | None) -> None:
    found = {name: _time_column(draft.guess, name) for name in ("start", "end")}
    rows = draft.guess.looked.rows
    texts = [one.text_of(row) for one in found.values() if one is not None for row in rows]
    form = time_format(texts)
    for name, one in found.items():
        if one is not None:
            draft.values[name] = replace(one, more={"format": form or None, "zone": zone})
            if form is None:
                draft.hints[name] = (
                    "TODO: how the source writes its times is unknown. Unless it is ISO 8601, add "
                    "a 'format', "
                    "such as '%d.%m.%Y %H:%M'."
                )


def _time_column(one: Detected, name: str) -> YamlValue | None:
    whole, time = one.columns.get(name), one.columns.get(f"{name}_time")
    day = one.columns.get(f"{name}_date") or one.columns.get("date")
    if whole is not None:
        return column(whole)
    if time is not None and day is not None and not set("{}:!$").intersection(day + time):
        return template(f"{{{day}}} {{{time}}}", day, time)
    alone = time or one.columns.get(f"{name}_date")
    return column(alone) if alone is not None else None


def _fill_seat(draft: FeedDraft, test_form: str | None, person_form: str | None) -> None:
    one = draft.guess
    person = "learner" if draft.kind is Kind.CANDIDATE else "staff"
    for name, form in (("test", test_form), (person, person_form)):
        value = _named(one, form)
        if value is not None:
            draft.values[name] = value
    if draft.kind is Kind.CANDIDATE:
        draft.add("candidate_id", one.columns.get("candidate_id"))
        draft.add("extra_time", one.columns.get("extra_time"))
    else:
        _fill_roles(draft)
    draft.add("room", one.columns.get("room"))
    draft.add("building", one.columns.get("building"))
    draft.add("committees", one.columns.get("committee"))


def _fill_roles(draft: FeedDraft) -> None:
    """Map roles only where the source's words are known; others need a table by a person."""
    role = draft.guess.columns.get("role")
    words = (
        {row.get(role, "").strip().lower() for row in draft.guess.looked.rows} - {""}
        if role
        else set()
    )
    if role is not None and words and words <= set(ROLES):
        draft.values["roles"] = column(role)
    elif role is not None:
        draft.hints["roles"] = (
            f"The column {role!r} seems to say it, in words that a 'lookup' has to translate."
        )


def _settle(feeds: Sequence[FeedDraft]) -> None:
    """Decide which feeds can be used as they are, those that others need first."""
    for draft in feeds:
        present = {
            other.kind
            for other in feeds
            if other.ready and other is not draft and not other.missing
        }
        lacking = [kind.value for kind in _NEEDS.get(draft.kind, ()) if kind not in present]
        if lacking:
            draft.why = f"It needs a feed of kind {' and one of kind '.join(lacking)} in addition."
        draft.ready = not (draft.missing or lacking)


def stand_in(sources: Sequence[ColumnSample]) -> FeedDraft:
    """Return a feed that takes no row at all, for a configuration that has no other feed."""
    draft = FeedDraft(guess(sources[0], Kind.LEARNER), Kind.LEARNER)
    for name in ("key", "username", "external_id", "first_name", "last_name"):
        draft.values[name] = constant("TODO")
    return draft
