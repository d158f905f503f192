"""The recognition of a refusal that says that the username exists already. Pure.

The vendor does not state its status and words (vendor contract, Users API), so several are known.
"""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from sync.inspera.responses import envelope
from sync.inspera.responses.wording import labelled_texts, plain, without_sent

_CONFLICT: Final = 409
_STATUSES: Final = frozenset({400, _CONFLICT, 422})
_EXISTS: Final = re.compile(
    r"\balready (been )?(exists?|existing|in use|taken|used|registered)\b"
    r"|\bexists( already)?\b"
    r"|\b(is|has been|in) (taken|use)\b"
    r"|\bduplicate[ds]?\b"
    r"|\bunique constraint\b"
    r"|\bnot unique\b|\bmust be unique\b"
)
_NEGATED: Final = re.compile(r"\b(not|no|never|neither|nor|nobody)\b|n['\u2019]t\b")
_LOGIN: Final = re.compile(r"\b(user ?names?|logins?)\b")
_OTHER_FIELD: Final = re.compile(
    r"\b(e ?)?mails?\b|\baddress|\bexternal ?(user ?)?ids?\b|\bauth(entication)? ?(type|system)\b"
    r"|\bphone|\bmobile|\bpassword\b|\borganisation|\borg ?unit|\b(first|last|full) ?name\b"
    r"|\bssn\b|\bsocial security|\bnational (id|number)|\bid(entity)? numbers?\b"
    r"|\b(personal|birth|student|employee|candidate|card) ?(ids?|numbers?|no)\b"
    r"|\brole|\baccess"
)
_BARE: Final = frozenset({"", "conflict", "409", "error", "http", "status"})
_CLAUSE: Final = re.compile(r"[;\n]|(?<=\w)[.,] ")


class Existing(StrEnum):
    """What exists already, according to a refusal to save a person."""

    USERNAME = "the username"
    UNNAMED = "something that is not named, and so perhaps the username"


def existing_of(status: int, content: object, sent: frozenset[str]) -> Existing | None:
    """Return what exists according to a refusal; `None` for another reason, or another field.

    Each clause counts by itself: one that is about another field, such as an email address that is
    in use, says nothing of the username. Where words name no field, one that is named elsewhere in
    the response counts. A 409 without words is `UNNAMED`. `sent` are the values of the request,
    which may contain such words.
    """
    if status not in _STATUSES and not 200 <= status < 300:  # a 2xx with `errors`
        return None
    clauses = list(_clauses(content, sent))
    found = [_existing_in(clause) for clause, _ in clauses if _says_exists(clause)]
    if Existing.USERNAME in found:
        return Existing.USERNAME
    bare = status == _CONFLICT and set(re.findall(r"\w+", _reason(content))) <= _BARE
    if None in found or not (found or bare):
        return None
    # Of members only those count whose texts say that something exists: others may be an echo.
    return Existing.UNNAMED if all(_existing_in(text) for _, text in clauses) else None


def _reason(content: object) -> str:
    return plain(" ".join(envelope.reasons(content)))


def _clauses(content: object, sent: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yield the clauses of all texts: after the names of their members, and without them."""
    for label, text in labelled_texts(content):
        for clause in _CLAUSE.split(without_sent(text, sent)):
            yield plain(f"{label}: {clause}"), plain(clause)


def _says_exists(clause: str) -> bool:
    found = _EXISTS.search(clause)
    if not found:
        return False
    unique = found.group().endswith("unique")
    return unique or not _NEGATED.search(clause[: found.start()])


def _existing_in(clause: str) -> Existing | None:
    """Return what exists if this clause says so: `None` if it names only another field."""
    login, other = _LOGIN.search(clause), _OTHER_FIELD.search(clause)
    if login and not other:
        return Existing.USERNAME
    return None if other and not login else Existing.UNNAMED
