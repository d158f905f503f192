"""What a refusal of a change on a test means, by the vendor's words. Pure.

The words are inferred (`sync.contract`). Refusals with other words are ordinary ones. So is a
refusal in which the words may be about something else: an ordinary one is tried again soon.
"""

import re
from typing import Final

from sync.contract import ABOUT_PEOPLE, ABOUT_TESTS, ARCHIVED, STARTED_WORDS
from sync.errors import Refused
from sync.records.changes import Cause, Outcome, Result

_ABOUT_A_RECORD: Final = frozenset({200, 400, 409, 422})
"""The statuses of a refusal because of what was sent; 403 is about the key's rights, for example."""

_GAP: Final = 60
"""Characters at most between a word and the noun that it is about."""

_PREFIX = re.compile(r"^Inspera refused \S+ \(\d+\): ")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_NOUN = re.compile(rf"\b(?:(?P<people>{ABOUT_PEOPLE})|(?P<tests>{ABOUT_TESTS})|not)\b")
_ARCHIVED_TEST = re.compile(rf"\b{ARCHIVED}\W+(?:{ABOUT_TESTS})\b")
_CLAUSE_END = re.compile(r"[.;!?](?:\s|$)")


def deferred_as_archived(error: Refused, entries: int = 0) -> Outcome | None:
    """Return the outcome of all changes on a test that is archived; None if it is not refused so.

    Such a refusal is about the test, so nothing more is sent for it (rules 22). A refusal that
    names some of the `entries` of a call is about those.
    """
    if error.named and (entries <= 1 or len(error.named) < entries):
        return None
    words = _words(error)
    if not (_ARCHIVED_TEST.search(words) or _subject(words, (ARCHIVED,)) == "tests"):
        return None
    return Outcome(Result.DEFERRED, str(error), cause=Cause.ARCHIVED)


def cause_of_kept(error: Refused) -> Cause:
    """Return `STARTED` if a candidate is not taken off because they have started; else none.

    That candidate is not tried again by itself, so the words must be about a candidate, and not
    about the test, the key or the service (rules 8).
    """
    if error.status not in _ABOUT_A_RECORD:
        return Cause.NONE
    subject = _subject(_words(error), STARTED_WORDS)
    about_candidate = subject == "people" or (subject is None and bool(error.named))
    return Cause.STARTED if about_candidate else Cause.NONE


def _words(error: Refused) -> str:
    """Return the vendor's own words in lower case, without quoted values such as titles."""
    return _QUOTED.sub("…", _PREFIX.sub("", str(error))).replace("_", " ").lower()


def _subject(words: str, sought: tuple[str, ...]) -> str | None:
    """Return what the last noun before the sought words is about: `people`, `tests` or `other`.

    Return None without any noun before them in their clause, and `other` without those words.
    """
    found = re.search(rf"\b(?:{'|'.join(map(re.escape, sought))})\b", words)
    if not found:
        return "other"
    clause = _CLAUSE_END.split(words[max(0, found.start() - _GAP) : found.start()])[-1]
    nouns = list(_NOUN.finditer(clause))
    return (nouns[-1].lastgroup or "other") if nouns else None
