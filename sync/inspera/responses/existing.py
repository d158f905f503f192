"""The recognition of a refusal that says that the username exists already. Pure.

The vendor does not state its status and words (vendor contract, Users API), so several are known.
"""

import re
from typing import Final

_CONFLICT: Final = 409
_STATUSES: Final = frozenset({400, _CONFLICT, 422})
_EXISTS: Final = re.compile(
    r"\balready (been )?(exists?|existing|in use|taken|used|registered)\b"
    r"|\bexists( already)?\b"
    r"|\b(is|has been|in) (taken|use)\b"
    r"|\bduplicated?\b"
    r"|\bnot unique\b|\bmust be unique\b"
)
_NEGATED: Final = re.compile(r"\b(not|no|never|neither|nor|nobody)\b|n['\u2019]t\b")
_LOGIN: Final = re.compile(r"\b(user[ _]?names?|logins?)\b")
_OTHER_FIELD: Final = re.compile(
    r"\be-?mails?\b|\bexternal[ _]?(user[ _]?)?ids?\b|\bauth(entication)?[ _]?(type|system)\b"
    r"|\bphone|\bpassword\b|\borganisation|\borgunit|\b(first|last)[ _]?name\b"
    r"|\brole|\baccess"
)
_BARE: Final = frozenset({"no reason was given", "conflict", "409"})


def refused_as_existing(status: int, reason: str) -> bool:
    """Tell whether a refusal to save a person says that the username exists.

    `reason` is the vendor's own words, of which each clause counts by itself: one that is about
    another field, such as an email address that is in use, says nothing of the username. A 409
    without words counts too.
    """
    text = reason.casefold()
    if status == _CONFLICT and text.strip(" .") in _BARE:
        return True
    about_the_record = status in _STATUSES or 200 <= status < 300  # a 2xx with `errors`
    return about_the_record and any(_says_exists(clause) for clause in re.split(r"[;\n]", text))


def _says_exists(clause: str) -> bool:
    about_another = _OTHER_FIELD.search(clause) and not _LOGIN.search(clause)
    found = _EXISTS.search(clause)
    if not found or about_another:
        return False
    unique = found.group().endswith("unique")
    return unique or not _NEGATED.search(clause[: found.start()])
