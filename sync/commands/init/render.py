"""A first configuration as commented YAML. What is unknown is switched off, under a TODO."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap

from sync.commands.init.detect import SourceSample, guess
from sync.commands.init.feeds import FeedDraft, drafts
from sync.commands.init.yaml_text import Inline, ReferenceText, yaml_line, yaml_lines
from sync.config.maps import MAPS
from sync.records.base import Kind
from sync.records.kinds import PEOPLE
from sync.text.characters import escaped
from sync.text.masking import masked

_WIDTH = 118
_MOST_NAMED = 60
"""Columns that are listed as not mapped."""

_MOST_SHOWN = 60
"""Characters that are shown of a column's name."""

_FILE = """\
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

inspera:
  # The tenant's address.
  {url}

  # Shown next to the API key in Inspera.
  {client_id}

  # The API key stays in a file of its own, which only the user who runs inspera-sync may read
  # (chmod 0400).
  {api_key}

# The state: what was put into Inspera, in a file next to this one. Back it up.
state: sqlite:///state.db

# Where rows come from. Each source has a name, by which feeds call it.
sources:
{sources}

# Which rows become which records, and how.
feeds:
{feeds}
"""
_STAND_IN = """\
  # TODO: no feed could be guessed whole, and there has to be one. This one stands here until another
  # does; it takes no row, because of its 'where'.
  - kind: learner
    source: {source}
    auth_system: TODO
    {where}
    allow_empty: true
    map:
      username: {{constant: TODO}}
      external_id: {{constant: TODO}}
      first_name: {{constant: TODO}}
      last_name: {{constant: TODO}}"""
_ABOUT: Mapping[Kind, str] = {
    Kind.LEARNER: "Learners: the people who sit exams.",
    Kind.STAFF: "Staff: the people who make, run and grade exams.",
    Kind.TEST: "Tests: exams as events in time.",
    Kind.CONTRIBUTOR: "Contributors: what staff do on tests.",
    Kind.CANDIDATE: "Candidates: who sits what. They name learners and tests by their keys.",
}
_SELECTED: Mapping[Kind, str] = {
    Kind.LEARNER: "a learner",
    Kind.STAFF: "staff",
    Kind.CANDIDATE: "that somebody sits the test, and no teacher",
}
"""What the selected values of a column with roles mean, for a feed of this kind."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What a first configuration needs in addition to its sources.

    Attributes:
        url: the tenant's address.
        client_id: the client id of the API key.
        key_file: the file with the API key, of which only the path is written.
        auth_system: how people log in; None if no feed needs it.
        zone: the zone of the sources' local times, such as `Europe/Oslo`; None if no feed needs it.
    """

    url: str
    client_id: str
    key_file: str
    auth_system: str | None = None
    zone: str | None = None


def needs(sources: Sequence[SourceSample]) -> tuple[bool, bool]:
    """Tell whether these sources need an auth system, and a time zone."""
    feeds = drafts(sources, None)
    auth_system = any(draft.kind in PEOPLE and "auth_system" not in draft.rules for draft in feeds)
    zone = any(draft.kind is Kind.TEST and {"start", "end"} & draft.rules.keys() for draft in feeds)
    return auth_system, zone


def configuration(sources: Sequence[SourceSample], answers: Answers) -> str:
    """Return the whole file. It can always be loaded; an incomplete feed is switched off."""
    feeds = drafts(sources, answers.zone)
    blocks = ["\n".join(_feed(draft, answers)) for draft in feeds]
    if not any(draft.ready for draft in feeds):
        blocks.insert(0, _stand_in(sources[0]))
    key = ReferenceText(f"${{file:{answers.key_file}}}")
    return _FILE.format(
        url=yaml_line({"url": answers.url}),
        client_id=yaml_line({"client_id": answers.client_id}),
        api_key=yaml_line({"api_key": key}),
        sources="\n".join(line for sample in sources for line in _source(sample, feeds)),
        feeds="\n\n".join(blocks),
    )


def _source(sample: SourceSample, feeds: Sequence[FeedDraft]) -> Iterator[str]:
    yield f"  {sample.name}:"
    for text in [*sample.remarks, *_remarks(sample, feeds)]:
        yield from _prose("    ", text)
    yield from yaml_lines("    ", sample.settings)


def _remarks(sample: SourceSample, feeds: Sequence[FeedDraft]) -> Iterator[str]:
    """Yield what a person should know about the columns of a source."""
    known = guess(sample)
    if not known.columns:
        yield (
            "TODO: none of its columns was recognised, so no feed could be guessed. If its first "
            "line does not name the columns, name them here with 'columns'."
        )
        return
    national, password = known.columns.get("national_id"), known.columns.get("password")
    if national:
        yield f"{_shown(national)} looks like a national identity number, so it is not mapped."
    if password:
        yield (
            f"{_shown(password)} looks like a password. Map it as 'password' if people are to get "
            "it once, at first."
        )
    used = {name for draft in feeds if draft.guess.sample is sample for name in draft.used}
    unused = [name for name in sample.columns if name not in {*used, national, password}]
    if unused and known.has_header and not sample.directory:
        more = len(unused) - _MOST_NAMED
        yield (
            f"Columns that are not mapped: {', '.join(map(_shown, unused[:_MOST_NAMED]))}"
            + (f" and {more} more." if more > 0 else ".")
        )


def _shown(column: str) -> str:
    """Return a column's name for a comment: masked, on one line, and cut."""
    text = escaped(masked(column)).replace("\n", " ")
    return f"'{text[:_MOST_SHOWN]}{'…' if len(text) > _MOST_SHOWN else ''}'"


def _prose(indent: str, text: str | None) -> list[str]:
    before = f"{indent}# "
    return wrap(
        text or "", _WIDTH, initial_indent=before, subsequent_indent=before, break_on_hyphens=False
    )


def _feed(draft: FeedDraft, answers: Answers) -> Iterator[str]:
    """Yield a feed, switched off if it is not ready."""
    yield from _prose("  ", _ABOUT[draft.kind])
    if not draft.ready:
        yield from _prose("  ", _what_is_missing(draft))
    yield from _prose("  ", draft.doubt)
    off = "" if draft.ready else "#"
    yield f"  {off}- kind: {draft.kind}"
    yield f"    {off}source: {draft.guess.sample.name}"
    if draft.kind in PEOPLE and "auth_system" not in draft.rules:
        yield from yaml_lines(f"    {off}", {"auth_system": answers.auth_system or "TODO"})
    yield from _offered_where(draft)
    yield f"    {off}map:"
    for name, info in MAPS[draft.kind].model_fields.items():
        note = draft.notes.get(name, "")
        if name in draft.rules:
            yield from _prose("      ", note)
            yield from yaml_lines(f"      {off}", {name: draft.rules[name].setting})
        elif info.is_required():
            yield from _prose("      ", f"TODO: {info.description} {note}")
            yield f"      {off}{name}: TODO"


def _what_is_missing(draft: FeedDraft) -> str:
    sentences = ["TODO: this feed is switched off."]
    if draft.reason:
        sentences.append(draft.reason)
    if draft.missing:
        sentences.append(f"Map {', '.join(draft.missing)}.")
    return " ".join(sentences)


def _offered_where(draft: FeedDraft) -> Iterator[str]:
    """Offer to take only some rows, if a column seems to say which. The offer is switched off."""
    columns = draft.guess.columns
    status = columns.get("status") if draft.kind is Kind.LEARNER else None
    role = columns.get("institution_role") if draft.kind in PEOPLE else None
    if draft.kind is Kind.CANDIDATE:
        role = columns.get("roles")
    where = Inline()
    if status is not None:
        yield "    # Only rows whose column holds one of these values. Switched off: all rows."
        where[status] = ["active"]
    if role is not None:
        yield from _prose(
            "    ",
            f"TODO: {_shown(role)} seems to say who is what. Name here the values that mean "
            f"{_SELECTED[draft.kind]}; as long as this is switched off, every row is taken.",
        )
        where[role] = ["TODO"]
    if where:
        yield from yaml_lines("    #", {"where": where})


def _stand_in(sample: SourceSample) -> str:
    """Return a feed that takes no row, because a configuration needs one."""
    names = sample.usable_columns if guess(sample).has_header else []
    column = next((name for name in names if name.strip()), "TODO")
    where = yaml_line({"where": Inline({column: "TODO"})})
    return _STAND_IN.format(source=sample.name, where=where)
