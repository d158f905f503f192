"""The feeds of a first configuration: which columns give the fields, and what a person decides."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sync.commands.init.detect import FORMS, Guess, SourceSample, fit_in_template, guess
from sync.commands.init.formats import duration_form, family_first, time_format
from sync.commands.init.vocabulary import columns_that_mean
from sync.commands.init.yaml_text import RuleText, field_rule
from sync.config.maps import MAPS
from sync.contract import ROLES
from sync.records.base import Kind
from sync.records.kinds import NEEDS, PEOPLE, PERSON_OF

_NEVER_GUESSED = frozenset({"password", "status", "roles"})
"""Fields for which the name of a column is not enough."""

_FULL_NAME = {"first_name": ".*, *(?P<value>.+)", "last_name": "(?P<value>.+?) *,.*"}
"""The patterns that split `Family, Given`."""


@dataclass(slots=True)
class FeedDraft:
    """A feed in the making.

    Attributes:
        guess: what is known of its source.
        kind: the kind of its records.
        rules: the rules of the fields that could be guessed.
        notes: what to say about a field, above it.
        ready: whether it can be used as it is; otherwise it is written switched off.
        reason: why it is not ready, in addition to the fields that are missing.
        doubt: what a person has to decide before its rows can be relied on.
    """

    guess: Guess
    kind: Kind
    rules: dict[str, RuleText] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    ready: bool = True
    reason: str | None = None
    doubt: str | None = None

    @property
    def missing(self) -> list[str]:
        """Return the required fields that could not be guessed, in the order of the map."""
        fields = MAPS[self.kind].model_fields.items()
        return [name for name, info in fields if info.is_required() and name not in self.rules]

    @property
    def used(self) -> set[str]:
        """Return the columns that its rules take."""
        return {column for rule in self.rules.values() for column in rule.columns}

    def add(self, name: str, columns: Sequence[str], separator: str = " ") -> None:
        """Map a field to these columns, if there are any."""
        if columns:
            self.rules[name] = field_rule(*columns, separator=separator)

    def values(self, *columns: str) -> list[str]:
        """Return what the first rows have in these columns, empty where one of them is blank."""
        rows = ([row.get(name, "").strip() for name in columns] for row in self.guess.sample.rows)
        return [" ".join(cells) if all(cells) else "" for cells in rows]


def drafts(sources: Sequence[SourceSample], zone: str | None) -> list[FeedDraft]:
    """Return the feeds of these sources, each after those that it needs."""
    guesses = [guess(sample) for sample in sources]
    guesses += _further_kinds(guesses)
    forms = {kind: _common_form(guesses, kind) for kind in FORMS}
    feeds = [FeedDraft(one, kind) for kind in MAPS for one in guesses if one.kind is kind]
    for draft in feeds:
        _fill(draft, forms, zone)
    for draft in feeds:
        _decide_if_ready(draft, feeds)
    return feeds


def _further_kinds(guesses: Sequence[Guess]) -> Iterator[Guess]:
    """Yield sources of candidates that hold people or tests too, if no other source does."""
    for kind, needed in (
        (Kind.LEARNER, {"first_name", "last_name"}),
        (Kind.TEST, {"title", "duration"}),
    ):
        if not any(one.kind is kind for one in guesses):
            further = (guess(one.sample, kind) for one in guesses if one.kind is Kind.CANDIDATE)
            yield from (one for one in further if needed <= one.columns.keys())


def _common_form(guesses: Sequence[Guess], kind: Kind) -> str:
    """Return the form in which most sources can name records of this kind."""
    own = [one for one in guesses if one.kind is kind]
    naming = [one for one in guesses if one.kind and kind in NEEDS[one.kind]]
    possible = [form for form in FORMS[kind] if all(one.columns_of(form) for one in own)]
    return max(
        possible or FORMS[kind],
        key=lambda form: sum(bool(one.columns_of(form)) for one in [*naming, *own]),
    )


def _fill(draft: FeedDraft, forms: Mapping[Kind, str], zone: str | None) -> None:
    """Map each field whose name is the meaning of a column, then what is special for the kind."""
    columns = draft.guess.columns
    for name in MAPS[draft.kind].model_fields.keys() & columns.keys() - _NEVER_GUESSED:
        draft.add(name, [columns[name]])
    if draft.kind in PEOPLE:
        _fill_person(draft, forms[draft.kind])
    elif draft.kind is Kind.TEST:
        _fill_test(draft, forms[Kind.TEST])
        _fill_times(draft, zone)
        _fill_duration(draft)
    else:
        person = PERSON_OF[draft.kind]
        for kind in (Kind.TEST, person):
            draft.add(kind.value, draft.guess.columns_of(forms[kind]), "-")
        if draft.kind is Kind.CONTRIBUTOR:
            _fill_roles(draft)


def _fill_person(draft: FeedDraft, form: str) -> None:
    columns = draft.guess.columns
    draft.add("key", draft.guess.columns_of(form))
    for name, other in (("username", "external_id"), ("external_id", "username")):
        if name not in columns and other in columns:
            draft.add(name, [columns[other]])
    if form == "email" and "key" in draft.rules:
        draft.notes["key"] = "An address may change. A number that never does would be better."
    if "username" not in draft.rules and "email" in columns:
        draft.notes["username"] = (
            f"Perhaps people log in with their address ({columns['email']})? Then write it here."
        )
    _note_alternatives(draft, form)
    if draft.guess.is_ambiguous:
        learners = draft.kind is Kind.LEARNER
        draft.doubt = (
            "TODO: nothing says whether these people are learners or staff, so they are taken "
            f"for {'learners' if learners else 'staff'}. If they are not, write "
            f"'kind: {Kind.STAFF if learners else Kind.LEARNER}' instead; if they are both, "
            "select each by 'where'."
        )
    _split_full_name(draft)


def _note_alternatives(draft: FeedDraft, form: str) -> None:
    """Name the other columns that fit equally well, and the one that a name lacks."""
    sample = draft.guess.sample
    meanings = {"key": form, **{name: name for name in ("username", "external_id", "email")}}
    for name, meaning in meanings.items():
        fitting = columns_that_mean(meaning, sample.usable_columns)
        if len(fitting) > 1 and name in draft.rules and draft.rules[name].columns == fitting[:1]:
            others = " or ".join(map(repr, fitting[1:]))
            draft.notes[name] = (
                f"TODO: {others} would do as well as {fitting[0]!r}. Look at both with `sample "
                f"{sample.name}`, and write the right one here."
            )
    middle = draft.guess.columns.get("middle_name")
    if middle is not None and "last_name" in draft.rules:
        draft.notes["last_name"] = (
            f"TODO: {middle!r} is left out. If it is a part of people's names, have the source "
            "give first or last names that contain it."
        )


def _split_full_name(draft: FeedDraft) -> None:
    """Split the column that holds the full name, if no other columns hold its parts."""
    column = draft.guess.columns.get("full_name")
    if column is None or _FULL_NAME.keys() <= draft.rules.keys():
        return
    if family_first(draft.values(column)):
        for name, pattern in _FULL_NAME.items():
            draft.rules.setdefault(name, field_rule(column, pattern=pattern))
    else:
        draft.notes["first_name"] = (
            f"The column {column!r} seems to hold full names: split them by a 'pattern'."
        )


def _fill_test(draft: FeedDraft, form: str) -> None:
    """Map the id, in the best form that the source has, and the key, in the common form."""
    possible = map(draft.guess.columns_of, FORMS[Kind.TEST])
    draft.add("external_test_id", next(filter(None, possible), ()), "-")
    draft.add("key", draft.guess.columns_of(form), "-")
    if draft.rules.get("key") == draft.rules.get("external_test_id"):
        draft.rules.pop("key", None)  # the id is the key by itself


def _fill_times(draft: FeedDraft, zone: str | None) -> None:
    found = {name: _time_columns(draft.guess.columns, name) for name in ("start", "end")}
    used = [columns for columns in found.values() if columns]
    form = time_format(text for columns in used for text in draft.values(*columns))
    for name, columns in found.items():
        if columns:
            draft.rules[name] = field_rule(*columns, format=form or None, zone=zone)
            if form is None:
                draft.notes[name] = (
                    "TODO: the form of these times is unknown. Unless it is ISO 8601, add a "
                    "'format', such as '%d.%m.%Y %H:%M'."
                )


def _time_columns(columns: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Return the columns of the start or the end: one, or those of the date and the time."""
    if name in columns:
        return (columns[name],)
    time, own_date = columns.get(f"{name}_time"), columns.get(f"{name}_date")
    date = own_date or columns.get("date")
    if time and date and fit_in_template(date, time):
        return date, time
    return tuple(column for column in (time or own_date,) if column)


def _fill_duration(draft: FeedDraft) -> None:
    columns = draft.guess.columns
    column = columns.get("duration") or columns.get("hours")
    if column is None:
        return
    form = duration_form(draft.values(column)) or (None if "duration" in columns else "hours")
    draft.rules["duration"] = field_rule(column, minutes=None if form == "number" else form)
    if form is None:
        draft.notes["duration"] = (
            "TODO: these are whole minutes, unless you set another form with 'minutes'."
        )


def _fill_roles(draft: FeedDraft) -> None:
    """Map roles only if all words of the source are known; a person has to translate others."""
    column = draft.guess.columns.get("roles")
    if column is None:
        return
    words = {word.lower() for word in draft.values(column)} - {""}
    if words and words <= ROLES.keys():
        draft.add("roles", [column])
    else:
        draft.notes["roles"] = (
            f"The column {column!r} seems to hold them, in words that a 'lookup' has to translate."
        )


def _decide_if_ready(draft: FeedDraft, feeds: Iterable[FeedDraft]) -> None:
    """Switch off a feed with missing fields, or without a usable feed of each kind it needs."""
    usable = {other.kind for other in feeds if other.ready and not other.missing}
    lacking = [kind for kind in NEEDS[draft.kind] if kind in FORMS and kind not in usable]
    if lacking:
        draft.reason = f"It needs a feed of kind {' and one of kind '.join(lacking)} in addition."
    draft.ready = not (draft.missing or lacking)
