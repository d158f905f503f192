"""Readers of what all responses have in common: success, error messages, and the token."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from sync.inspera.responses.wording import field_of
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
    """Tell whether a response with status 2xx reports a failure.

    Then `success` is false, or there are `errors` (vendor contract, Conventions). An `error` counts
    too, as it does in a refusal, unless `success` is true. All may be inside a `result`.
    """
    return isinstance(document, dict) and (_fails(document) or _fails(document.get("result")))


def _fails(content: object) -> bool:
    if not isinstance(content, dict):
        return False
    success = content.get("success")
    return (
        str(success).lower() == "false"
        or bool(content.get("errors"))
        or (bool(content.get("error")) and success is not True)
    )


def words(document: object, hide: Sequence[str] = ()) -> str:
    """Return the vendor's reason in its own words, at most 300 characters.

    Secrets, names and addresses of people are masked.
    """
    text = "; ".join(dict.fromkeys(reasons(document)))
    if len(text) > _READ:
        text = text[:_READ].rpartition(" ")[0]
    for secret in sorted(filter(None, hide), key=len, reverse=True):
        text = re.sub(_pattern(secret), "***", text, flags=re.IGNORECASE)
    text = masked_words(text)
    text = "".join(character if character.isprintable() else " " for character in text).strip()
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def reasons(document: object) -> Iterator[str]:
    """Yield the vendor's reasons as they are: they may contain data of people."""
    yield from _reasons(document, 0)
    if isinstance(document, dict):
        yield from _reasons(document.get("result"), 0)


def all_texts(document: object) -> Iterator[str]:
    """Yield all texts of a response as they are, also those in members that have no reasons."""
    return _scalars(document, 0)


def _pattern(secret: str) -> str:
    """Return the pattern that masks a secret: a long one anywhere, a short one only as a word."""
    escaped = re.escape(secret)
    return escaped if len(secret) >= _LONG_SECRET else rf"(?<!\w){escaped}(?!\w)"


def named(document: object, ids: frozenset[str]) -> frozenset[str]:
    """Return those of `ids` that the vendor's reason contains as whole words."""
    blamed = document.get("errors") or document if isinstance(document, dict) else document
    return frozenset(
        part for text in _scalars(blamed, 0) for part in _candidates_for_id(text) if part in ids
    )


def token(document: object) -> tuple[str, float]:
    """Return the access token and its lifetime in seconds.

    The lifetime is an hour if the response does not contain it (vendor contract, Token).

    Raises:
        ValueError: the response has no token.
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


def _reasons(value: object, depth: int) -> Iterator[str]:
    """Yield the texts of those members of a response that contain reasons.

    Other members may repeat what was sent, and so the data of people.
    """
    if depth > _DEEPEST:
        return
    if isinstance(value, dict):
        if depth and not any(name in value for name in _SPOKEN):
            yield from _named_texts(value)
        spoken = (one for name in _SPOKEN for one in _reasons(value.get(name), depth + 1))
        field = field_of(value)
        if field and (first := next(spoken, "")):
            yield f"{field}: {first}"
        yield from spoken
    elif isinstance(value, list):
        for entry in value:
            yield from _reasons(entry, depth + 1)
    elif value not in ("", None) and not isinstance(value, bool):
        yield str(value)


def _named_texts(row: Mapping[str, object]) -> Iterator[str]:
    """Yield the texts of the members, each after its name: `email: already exists`."""
    for name, texts in row.items():
        for text in texts if isinstance(texts, list) else [texts]:
            if isinstance(text, str):
                yield f"{name}: {text}"


def _scalars(value: object, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        return
    if isinstance(value, dict | list):
        for entry in value.values() if isinstance(value, dict) else value:
            yield from _scalars(entry, depth + 1)
    elif isinstance(value, str | int) and not isinstance(value, bool):
        yield str(value)


def _candidates_for_id(text: str) -> Iterator[str]:
    yield text
    for part in _BETWEEN_IDS.split(text):
        yield part
        yield part.strip(".:")
