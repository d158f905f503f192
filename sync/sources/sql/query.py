"""The query of the configuration: checked to be one statement that only reads, and prepared.

The transaction is read-only wherever the database supports it. This check reports a mistake early.
"""

import re
from dataclasses import dataclass
from functools import cache

from sync.errors import Unusable

BINDS = frozenset({"since", "now"})
"""The parameters of a query, which are written with a colon."""

_COMMENT = r"(?P<comment>{dashes}|/\*(?!\+)(?s:.*?)\*/)"
_QUOTED = (
    r"/\*\+(?s:.*?)\*/",  # a hint for Oracle or MySQL, which stays
    r"(?<!\w)[qQ]'(?:\[(?s:.*?)\]|\{(?s:.*?)\}|\((?s:.*?)\)|<(?s:.*?)>|(?P<mark>[^\s\w\[{(<'])(?s:.*?)(?P=mark))'",
    r"(?<![\w$])\$(?P<tag>[A-Za-z_]\w*|)\$(?s:.*?)\$(?P=tag)\$",
    r"(?<!\w)[eE]'(?:[^'\\]|''|\\(?s:.))*'",
    r"`(?:[^`]|``)*`",
)
_STANDARD = (r"'(?:[^']|'')*'", r'"(?:[^"]|"")*"')
_BACKSLASHES = (r"'(?:[^'\\]|''|\\(?s:.))*'", r'"(?:[^"\\]|""|\\(?s:.))*"')
_BRACKETS = r"\[[^\]]*\]"
_PLACEHOLDER = "\0"
"""The placeholder of a quoted part while the rest is checked."""

_BEGINS = re.compile(r"[\s(]*(?:select|(with))\b", re.IGNORECASE)
_WRITES = re.compile(
    r"(?<![\w.$@#])"
    r"(insert|update|delete|merge|into|drop|truncate|alter|create|exec|execute|call|grant|revoke)"
    r"(?![\w$#])",
    re.IGNORECASE,
)
_BIND = re.compile(r"(?<![:\w\\]):(\w+)")

# What SQLAlchemy would take for a parameter or an escaped colon, even within quotes.
_LOOKS_BOUND = re.compile(r"(?<![:\w\\]):(?=\w+(?![:\w]))")
_LOOKS_ESCAPED = re.compile(r"\\(?=:\w*(?![:\w]))")

CHANGED_SINCE = "{column} >= :since OR {column} IS NULL"
"""The condition for changed rows. Rows without a value are included: they may have changed."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A query that only reads.

    Attributes:
        text: the query without comments and without a final semicolon, its colons escaped for
            SQLAlchemy.
        binds: which of `since` and `now` it contains.
        begins_with: whether it begins with WITH.
    """

    text: str
    binds: frozenset[str]
    begins_with: bool = False

    def only_changed(self, column: str, condition: str) -> "Statement":
        """Return the query for changed rows only.

        Args:
            column: the quoted name of the column with the time of the change.
            condition: the condition, with `{column}`.
        """
        where = condition.format(column=f"q.{_escaped(column)}")
        text = f"SELECT * FROM ({self.text}) q WHERE {where}"  # noqa: S608 - the operator's own query
        return Statement(text, self.binds | {"since"})


def prepare_query(sql: str, kind: str) -> Statement:
    """Return the query, prepared for this kind of database.

    Raises:
        Unusable: it is not one statement that only reads, or has other parameters.
    """
    quoted: list[str] = []

    def set_aside(match: re.Match[str]) -> str:
        if match["comment"] is None:
            quoted.append(_escaped(match[0]))
            return _PLACEHOLDER
        _require_plain_comment(match[0])
        return " "

    if _PLACEHOLDER in sql:
        raise Unusable("contains a NUL character", "remove it")
    code = _quoting(kind).sub(set_aside, sql).strip().removesuffix(";").rstrip()
    begins_with = _require_select(code)
    binds = _binds(code)
    code = re.sub(
        r"(?<![:\w\\]):(since|now)(?=::)", r":\1 ", code
    )  # otherwise read as a part of the cast
    parts = iter(quoted)
    return Statement(re.sub(_PLACEHOLDER, lambda _: next(parts), code), binds, begins_with)


@cache
def _quoting(kind: str) -> re.Pattern[str]:
    """Return the pattern of comments and quoted parts, for this kind of database."""
    mysql = kind in ("mysql", "mariadb")
    comment = _COMMENT.replace("{dashes}", r"--(?=\s|\Z)[^\n]*|\#[^\n]*" if mysql else r"--[^\n]*")
    quotes = _BACKSLASHES if mysql else _STANDARD
    return re.compile(
        "|".join((comment, *_QUOTED, *quotes, *([_BRACKETS] if kind == "mssql" else [])))
    )


def _escaped(quoted: str) -> str:
    return _LOOKS_BOUND.sub(r"\\:", _LOOKS_ESCAPED.sub(r"\\\\", quoted))


def _require_plain_comment(comment: str) -> None:
    if re.match(r"/\*M?!", comment):
        raise Unusable(
            "contains a comment that MySQL executes ('/*!')",
            "write its content without the comment, or remove it",
        )


def _require_select(code: str) -> bool:
    """Make sure that the code is one query; tell whether it begins with WITH."""
    if not code:
        raise Unusable("is empty", "write a SELECT")
    if re.search(r"""['"`]|/\*|\*/""", code):
        raise Unusable("has a quote or a comment that is not closed", "close it")
    if ";" in code:
        raise Unusable("contains more than one statement", "keep one SELECT, and remove the ';'")
    begins = _BEGINS.match(code)
    if begins is None:
        raise Unusable("does not begin with SELECT or WITH", "write one statement that only reads")
    if writes := _WRITES.search(code):
        raise Unusable(
            f"contains the word {writes[1].upper()}, which changes or locks something",
            "use a query that only reads; put a column of this name in quotes",
        )
    return begins[1] is not None


def _binds(code: str) -> frozenset[str]:
    names = frozenset(_BIND.findall(code))
    if other := sorted(names - BINDS):
        raise Unusable(
            f"has the parameter ':{other[0]}', which is not known",
            r"use :since and :now only; write '\:' for a colon that is not a parameter",
        )
    return names
