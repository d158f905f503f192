"""A first configuration as commented YAML. What is unknown is switched off, under a TODO."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap

from sync.commands.init.detect import ColumnSample, Detected, guess
from sync.commands.init.feeds import FeedDraft, drafts, stand_in
from sync.commands.init.yaml_values import quoted, reference
from sync.config.maps import MAPS
from sync.records.base import Kind
from sync.records.kinds import PEOPLE
from sync.text.masking import masked

_WIDTH = 118
_MOST_NAMED = 60
_TOP = """\
# The configuration of inspera-sync, begun by `inspera-sync init`. Read all of it before the first
# `apply`: what each column holds was guessed from its name.
#
#   inspera-sync check          checks this file, every source and every row; sends nothing
#   inspera-sync sample NAME    shows the first rows of a source, as read and as mapped
#   inspera-sync plan           shows what would be done
#
# A line that begins with '# ' is prose. A setting with '#' right before its name is switched off:
# take the '#' away to use it. TODO marks what you have to decide. Everything that can be set is
# explained in config/inspera-sync.yaml.
"""
_MEANT: Mapping[Kind, str] = {
    Kind.LEARNER: "a learner",
    Kind.STAFF: "staff",
    Kind.CANDIDATE: "that somebody sits the test, and no teacher",
}
_ABOUT: Mapping[Kind, str] = {
    Kind.LEARNER: "Learners: the people who sit exams.",
    Kind.STAFF: "Staff: the people who make, run and grade exams.",
    Kind.TEST: "Tests: exams as events in time.",
    Kind.CONTRIBUTOR: "Contributors: what staff do on tests.",
    Kind.CANDIDATE: "Candidates: who sits what. They name learners and tests by their keys.",
}


@dataclass(frozen=True, slots=True)
class Answers:
    """What a first configuration rests on, in addition to its sources.

    Attributes:
        url: the tenant's address.
        key_file: the file with the API key, of which only the name is written.
        auth_system: with which people log in; empty when nobody needs to know.
        zone: of the sources' local times, such as `Europe/Oslo`; empty likewise.
    """

    url: str
    client_id: str
    key_file: str
    auth_system: str = ""
    zone: str = ""


def needs(sources: Sequence[ColumnSample]) -> tuple[bool, bool]:
    """Tell whether these sources need an auth system, and a time zone."""
    feeds = drafts(sources, None)
    people = [one for one in feeds if one.kind in PEOPLE]
    timed = any(one.kind is Kind.TEST and {"start", "end"} & one.values.keys() for one in feeds)
    return any("auth_system" not in one.values for one in people), timed


def configuration(sources: Sequence[ColumnSample], answers: Answers) -> str:
    """Return the whole file. It can always be loaded; an incomplete feed is switched off."""
    feeds = drafts(sources, answers.zone or None)
    return "\n".join(
        [
            _TOP,
            *_tenant(answers),
            "",
            "# Where rows come from. Each source has a name, by which feeds call it.",
            "sources:",
            *(line for one in sources for line in _source(one, feeds)),
            "",
            "# Which rows become which records, and how.",
            "feeds:",
            *_feeds(sources, feeds, answers),
            "",
        ]
    )


def _tenant(answers: Answers) -> Iterator[str]:
    yield "inspera:"
    yield "  # The tenant's address."
    yield f"  url: {quoted(answers.url)}"
    yield ""
    yield "  # Shown next to the API key in Inspera."
    yield f"  client_id: {quoted(answers.client_id)}"
    yield ""
    yield "  # The API key stays in a file of its own, which only the user who runs inspera-sync"
    yield "  # may read (chmod 0400)."
    yield f"  api_key: {reference(f'${{file:{answers.key_file}}}')}"
    yield ""
    yield "# The state: what was put into Inspera, in a file next to this one. Back it up."
    yield "state: sqlite:///state.db"


def _source(one: ColumnSample, feeds: Sequence[FeedDraft]) -> Iterator[str]:
    yield f"  {one.name}:"
    about = guess(one)
    for text in [*one.remarks, *_remarks(about, feeds)]:
        yield from _prose(text, 4)
    for line in one.settings:
        yield f"    {line}"


def _remarks(one: Detected, feeds: Sequence[FeedDraft]) -> Iterator[str]:
    if not one.columns:
        yield (
            "TODO: none of its columns was recognised, so no feed could be guessed. If its first "
            "line does not name "
            "the columns, name them here with 'columns'."
        )
        return
    national, password = one.columns.get("national_id"), one.columns.get("password")
    if national:
        yield f"{_named(national)} looks like a national identity number, so it is not mapped."
    if password:
        yield (
            f"{_named(password)} looks like a password. Map it as 'password' if people are to get "
            "it once, at first."
        )
    used = {name for draft in feeds if draft.guess.looked is one.looked for name in draft.used}
    unused = [name for name in one.looked.columns if name not in {*used, national, password}]
    if unused and one.has_names and not one.looked.directory:
        yield f"Columns that are not mapped: {', '.join(map(_named, unused[:_MOST_NAMED]))}" + (
            f" and {len(unused) - _MOST_NAMED} more." if len(unused) > _MOST_NAMED else "."
        )


def _named(column: str) -> str:
    """Return a column's name for a comment: on one line, cut, and harmless."""
    seen = "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in masked(column)
    )
    return f"'{seen[:_MOST_NAMED]}{'…' if len(seen) > _MOST_NAMED else ''}'"


def _prose(text: str, indent: int) -> list[str]:
    before = " " * indent + "# "
    return wrap(
        text, _WIDTH, initial_indent=before, subsequent_indent=before, break_on_hyphens=False
    )


def _feeds(
    sources: Sequence[ColumnSample], feeds: Sequence[FeedDraft], answers: Answers
) -> Iterator[str]:
    blocks = [_feed(draft, answers) for draft in feeds]
    if not any(draft.ready for draft in feeds):
        blocks.insert(0, _nothing(stand_in(sources), answers))
    for number, block in enumerate(blocks):
        if number:
            yield ""
        yield from block


def _feed(draft: FeedDraft, answers: Answers) -> Iterator[str]:
    yield from _prose(_ABOUT[draft.kind], 2)
    if not draft.ready:
        yield from _prose(_todo(draft), 2)
    if draft.doubt:
        yield from _prose(draft.doubt, 2)
    off = "" if draft.ready else "#"
    yield f"  {off}- kind: {draft.kind}"
    yield f"    {off}source: {draft.guess.looked.name}"
    yield from _about_people(draft, answers, off)
    yield f"    {off}map:"
    for name, info in MAPS[draft.kind].model_fields.items():
        if name in draft.values:
            yield from _prose(draft.hints[name], 6) if name in draft.hints else []
            yield f"      {off}{name}: {draft.values[name].yaml}"
        elif info.is_required():
            about = " ".join((info.description or "").split())
            yield from _prose(f"TODO: {about} {draft.hints.get(name, '')}".strip(), 6)
            yield f"      {off}{name}: TODO"


def _todo(draft: FeedDraft) -> str:
    missing = f"Say where it gets {' and '.join(_listed(draft.missing))}." if draft.missing else ""
    return " ".join(
        text for text in ("TODO: this feed is switched off.", draft.why, missing) if text
    )


def _listed(names: Sequence[str]) -> Iterable[str]:
    return [", ".join(names[:-1]), names[-1]] if len(names) > 1 else names


def _about_people(draft: FeedDraft, answers: Answers, off: str) -> Iterator[str]:
    if draft.kind in PEOPLE and "auth_system" not in draft.values:
        yield f"    {off}auth_system: {quoted(answers.auth_system or 'TODO')}"
    if draft.kind in (*PEOPLE, Kind.CANDIDATE):
        yield from _where(draft)


def _where(draft: FeedDraft) -> Iterator[str]:
    """Offer to take only some rows, where a column seems to say which."""
    columns = draft.guess.columns
    status = columns.get("status") if draft.kind is Kind.LEARNER else None
    role = columns.get("role" if draft.kind is Kind.CANDIDATE else "person_role")
    if status is not None:
        yield "    # Only rows whose column holds one of these values. Switched off: all rows."
    if role is not None:
        yield from _prose(
            f"TODO: {_named(role)} seems to say who is what. Name here the values that mean "
            f"{_MEANT[draft.kind]}; as "
            "long as this is switched off, every row is taken.",
            4,
        )
    chosen = [f"{quoted(status)}: [active]"] if status is not None else []
    chosen += [f"{quoted(role)}: [TODO]"] if role is not None else []
    if chosen:
        yield f"    #where: {{{', '.join(chosen)}}}"


def _nothing(draft: FeedDraft, answers: Answers) -> Iterator[str]:
    """Yield a feed that takes no row, since a configuration must have one."""
    names = draft.guess.looked.columns if guess(draft.guess.looked).has_names else ()
    first = next((name for name in names if name.isprintable() and name.strip()), "TODO")
    yield from _prose(
        "TODO: no feed could be guessed whole, and there has to be one. This one stands here "
        "until another does; "
        "it takes no row, because of its 'where'.",
        2,
    )
    yield "  - kind: learner"
    yield f"    source: {draft.guess.looked.name}"
    yield f"    auth_system: {quoted(answers.auth_system or 'TODO')}"
    yield f"    where: {{{reference(first)}: TODO}}"
    yield "    allow_empty: true"
    yield "    map:"
    for name, value in draft.values.items():
        yield f"      {name}: {value.yaml}"
