"""What every answer of the vendor's has around its content.

Success, errors in its own words, and the token.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from sync.text.masking import masked_words

_LONGEST = 300
_READ = 4000  # characters of a reason that are looked at; the masks would take long over megabytes
_DEEPEST = 8
_LONG_SECRET = 6  # characters, as many as the shortest pin has
_SPOKEN: Final = (
    "errors",
    "error",
    "message",
    "errorMessage",
    "description",
    "detail",
    "reason",
    "code",
    "externalId",
)
_BETWEEN_IDS = re.compile(r"[\s,;'\"()\[\]{}<>]+")
_TOKEN_LIFE = 3600.0


def failed(document: object) -> bool:
    """Tell whether an answer with status 2xx reports a failure.

    `success` is false or there are `errors` (vendor contract, Conventions).
    """
    return isinstance(document, dict) and (
        document.get("success") is False or bool(document.get("errors"))
    )


def words(document: object, hide: Sequence[str] = ()) -> str:
    """Return the vendor's reason in its own words, at most 300 characters.

    It contains nobody's secrets, names or addresses.
    """
    said = "; ".join(dict.fromkeys(_spoken(document, 0)))
    if len(said) > _READ:
        said = said[:_READ].rpartition(" ")[0]
    for secret in sorted(filter(None, hide), key=len, reverse=True):
        said = re.sub(_pattern(secret), "***", said, flags=re.IGNORECASE)
    said = masked_words(said)
    said = "".join(character if character.isprintable() else " " for character in said).strip()
    return said if len(said) <= _LONGEST else said[: _LONGEST - 1] + "…"


def _pattern(secret: str) -> str:
    """Return the pattern of a secret: a long one is masked anywhere, a short one only as a word."""
    escaped = re.escape(secret)
    return escaped if len(secret) >= _LONG_SECRET else rf"(?<!\w){escaped}(?!\w)"


def named(document: object, ids: frozenset[str]) -> frozenset[str]:
    """Return which of `ids` the vendor's reason names, whole."""
    blamed = document.get("errors") or document if isinstance(document, dict) else document
    return frozenset(
        part for said in _scalars(blamed, 0) for part in _candidates_for_id(said) if part in ids
    )


def token(document: object) -> tuple[str, float]:
    """Return the access token and the seconds that it lives.

    An hour when that is not said (vendor contract, Token).

    Raises:
        ValueError: the answer has no token.
    """
    content = document if isinstance(document, dict) else {}
    value, life = content.get("access_token"), content.get("expires_in")
    if (
        not isinstance(value, str)
        or not value.isascii()
        or not value.isprintable()
        or " " in value
        or not value
    ):
        raise ValueError("no token")
    if isinstance(life, int | float) and not isinstance(life, bool) and life > 0:
        return value, float(life)
    return value, _TOKEN_LIFE


def _spoken(value: object, depth: int) -> Iterator[str]:
    """Yield what an answer says in the members that carry reasons.

    Other members may repeat what was sent.
    """
    if depth > _DEEPEST:
        return
    if isinstance(value, dict):
        if depth and not any(name in value for name in _SPOKEN):
            yield from (f"{name}: {said}" for name, said in value.items() if isinstance(said, str))
        for name in _SPOKEN:
            yield from _spoken(value.get(name), depth + 1)
    elif isinstance(value, list):
        for entry in value:
            yield from _spoken(entry, depth + 1)
    elif value not in ("", None) and not isinstance(value, bool):
        yield str(value)


def _scalars(value: object, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        return
    if isinstance(value, dict | list):
        for entry in value.values() if isinstance(value, dict) else value:
            yield from _scalars(entry, depth + 1)
    elif isinstance(value, str | int) and not isinstance(value, bool):
        yield str(value)


def _candidates_for_id(said: str) -> Iterator[str]:
    yield said
    for part in _BETWEEN_IDS.split(said):
        yield part
        yield part.strip(".:")
