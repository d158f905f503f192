"""The preparation of a response's words, before anything is concluded from them. Pure.

A response may repeat what was sent: a test titled "Throttling" says nothing of the rate of calls.
So the values of the request are blanked, and what is quoted where no reason needs quotes.
"""

import html
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final

READ: Final = 4000
"""The most characters of one text that are looked at."""

MOST_TEXTS: Final = 100
"""The most texts of one response that are looked at."""

BLANK: Final = "…"
"""What replaces a blanked part."""

_PAGE: Final = 16_000  # bytes of a page for browsers in which words are looked for
_DEEPEST: Final = 8
_SHORTEST: Final = 2  # a shorter value may be in any word
_UNSEEN: Final = re.compile(
    r"<(script|style)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)|<[^<>]*>", re.IGNORECASE | re.DOTALL
)
_BETWEEN_WORDS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[_\-\s]+")
_QUOTED: Final = re.compile(
    r"(?<!\w)'[^'\n].*?'(?!\w)|\"[^\"\n]+\"|“[^”\n]+”|„[^“”\n]+[“”]|‘.+?’(?!\w)|«[^»\n]+»|`[^`\n]+`"
)
_NAMES_A_FIELD: Final = (
    "field",
    "fields",
    "fieldName",
    "property",
    "propertyName",
    "propertyPath",
    "attribute",
    "parameter",
    "param",
    "pointer",
    "target",
)
_FIELD: Final = re.compile(r"[A-Za-z/][\w./\[\]-]{0,59}")


def plain(text: str) -> str:
    """Return the words of a text in lower case, also those of `emailAddress` and `LIMIT_REACHED`."""
    return _BETWEEN_WORDS.sub(" ", html.unescape(text)).lower().strip()


def page_text(body: bytes) -> str:
    """Return the words of a page for browsers."""
    return _UNSEEN.sub(" ", body[:_PAGE].decode("utf-8", "replace"))


def texts_in(*values: object) -> frozenset[str]:
    """Return all texts in these values, which are those of a request."""
    found: set[str] = set()
    pending = list(values)
    while pending:
        value = pending.pop()
        if isinstance(value, Mapping):
            pending += value.values()
        elif isinstance(value, list | tuple):
            pending += value
        elif isinstance(value, str) and len(value.strip()) >= _SHORTEST:
            found.add(value.strip())
    return frozenset(found)


def without_sent(text: str, sent: frozenset[str]) -> str:
    """Return the text with the values that were sent blanked, in any case and with any blanks."""
    text = html.unescape(text[:READ])
    there = " ".join(text.casefold().split())
    echoed = [value for value in sent if " ".join(value.casefold().split()) in there]
    if not echoed:
        return text
    words = (r"\s+".join(map(re.escape, value.split())) for value in sorted(echoed, key=len)[::-1])
    return re.sub(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)", BLANK, text, flags=re.IGNORECASE)


def without_quoted(text: str) -> str:
    """Return the text with its quoted parts blanked, unless all of it is quoted."""
    return _QUOTED.sub(BLANK, text) if not _QUOTED.fullmatch(text.strip()) else text


def field_of(row: Mapping[str, object]) -> str:
    """Return the fields that an error names in a member of its own, such as `field`; or `""`."""
    named: list[object] = []
    for name in _NAMES_A_FIELD:
        value = row.get(name)
        named += value if isinstance(value, list) else [value]
    texts = (text for text in named[:5] if isinstance(text, str) and _FIELD.fullmatch(text))
    return ", ".join(dict.fromkeys(texts))


def labelled_texts(document: object) -> Iterator[tuple[str, str]]:
    """Yield the texts of a response, each after the names of the members that lead to it.

    The fields that an error names in a member next to the text count as such names, too.
    """
    return islice(_labelled(document, "", 0), MOST_TEXTS)


def _labelled(value: object, label: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth > _DEEPEST:
        return
    if isinstance(value, dict):
        label = f"{label} {field_of(value)}".strip()
        for name, member in value.items():
            inner = label if name in _NAMES_A_FIELD else f"{label} {name}".strip()
            yield from _labelled(member, inner, depth + 1)
    elif isinstance(value, list):
        for entry in value:
            yield from _labelled(entry, label, depth + 1)
    elif isinstance(value, str):
        yield label[:READ], value[:READ]
