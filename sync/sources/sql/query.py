"""The SQL that the configuration gives: made sure, cheaply, to be one that only reads; and made ready to be sent.

The database itself is asked for a reading that can't write, wherever it knows one; this check is to tell a slip early.
"""

import re
from dataclasses import dataclass
from functools import cache

BINDS = frozenset({"since", "now"})
"""What may stand in a query with a colon before it."""

_COMMENT = r"(?P<comment>{dashes}|/\*(?!\+)(?s:.*?)\*/)"
_QUOTED = (
    r"/\*\+(?s:.*?)\*/",  # a hint for Oracle or MySQL, which is kept
    r"(?<!\w)[qQ]'(?:\[(?s:.*?)\]|\{(?s:.*?)\}|\((?s:.*?)\)|<(?s:.*?)>|(?P<mark>[^\s\w\[{(<'])(?s:.*?)(?P=mark))'",
    r"(?<![\w$])\$(?P<tag>[A-Za-z_]\w*|)\$(?s:.*?)\$(?P=tag)\$",
    r"(?<!\w)[eE]'(?:[^'\\]|''|\\(?s:.))*'",
    r"`(?:[^`]|``)*`",
)
_STANDARD = (r"'(?:[^']|'')*'", r'"(?:[^"]|"")*"')
_BACKSLASHES = (r"'(?:[^'\\]|''|\\(?s:.))*'", r'"(?:[^"\\]|""|\\(?s:.))*"')
_BRACKETS = r"\[[^\]]*\]"
_HELD = "\0"
"""Stands for what is quoted, while only the rest is looked at."""

_BEGINS = re.compile(r"[\s(]*(?:select|(with))\b", re.IGNORECASE)
_WRITES = re.compile(
    r"(?<![\w.$@#])"
    r"(insert|update|delete|merge|into|drop|truncate|alter|create|exec|execute|call|grant|revoke)"
    r"(?![\w$#])",
    re.IGNORECASE,
)
_BIND = re.compile(r"(?<![:\w\\]):(\w+)")

# What SQLAlchemy would take for a parameter, and for an escaped colon, also within quotes.
_LOOKS_BOUND = re.compile(r"(?<![:\w\\]):(?=\w+(?![:\w]))")
_LOOKS_ESCAPED = re.compile(r"\\(?=:\w*(?![:\w]))")

UNTIL_NOW = "{column} >= :since OR {column} IS NULL"
"""Which rows changed. One without a value there is among them: nobody knows when it did."""


class UnsuitableQuery(Exception):  # noqa: N818 - says what it means
    """The query can't be used; `str()` says why, and what to do."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(f"{reason}; {remedy}")
        self.reason, self.remedy = reason, remedy


@dataclass(frozen=True, slots=True)
class Statement:
    """A query that only reads.

    Attributes:
        text: the query without comments and without a semicolon at its end, its colons escaped for SQLAlchemy.
        binds: which of `since` and `now` stand in it.
        begins_with: it begins with WITH.
    """

    text: str
    binds: frozenset[str]
    begins_with: bool = False

    def changed(self, column: str, test: str) -> "Statement":
        """The same for changed rows only: `test` is a condition with `{column}`; `column` is quoted already."""
        where = test.format(column=f"q.{_escaped(column)}")
        text = f"SELECT * FROM ({self.text}) q WHERE {where}"  # noqa: S608 - the operator's own query
        return Statement(text, self.binds | {"since"})


def statement(sql: str, kind: str) -> Statement:
    """The query, made ready for this kind of database.

    Raises:
        Unfit: it is not one statement that only reads, or has other parameters.
    """
    held: list[str] = []

    def hold(found: re.Match[str]) -> str:
        if found["comment"] is None:
            held.append(_escaped(found[0]))
            return _HELD
        _require_no_code(found[0])
        return " "

    if _HELD in sql:
        raise UnsuitableQuery("holds a NUL character", "take it out")
    code = _quoting(kind).sub(hold, sql).strip().removesuffix(";").rstrip()
    begins_with = _require_reading(code)
    binds = _binds(code)
    code = re.sub(
        r"(?<![:\w\\]):(since|now)(?=::)", r":\1 ", code
    )  # else no parameter, but a part of the cast
    rest = iter(held)
    return Statement(re.sub(_HELD, lambda _: next(rest), code), binds, begins_with)


@cache
def _quoting(kind: str) -> re.Pattern[str]:
    """What is a comment or quoted, so that it is not code, for this kind of database."""
    mysql = kind in ("mysql", "mariadb")
    comment = _COMMENT.replace("{dashes}", r"--(?=\s|\Z)[^\n]*|\#[^\n]*" if mysql else r"--[^\n]*")
    quotes = _BACKSLASHES if mysql else _STANDARD
    return re.compile(
        "|".join((comment, *_QUOTED, *quotes, *([_BRACKETS] if kind == "mssql" else [])))
    )


def _escaped(quoted: str) -> str:
    return _LOOKS_BOUND.sub(r"\\:", _LOOKS_ESCAPED.sub(r"\\\\", quoted))


def _require_no_code(comment: str) -> None:
    if re.match(r"/\*M?!", comment):
        raise UnsuitableQuery(
            "holds a comment that MySQL runs ('/*!')", "write plainly what it does, or take it out"
        )


def _require_reading(code: str) -> bool:
    if not code:
        raise UnsuitableQuery("is empty", "give it a SELECT")
    if re.search(r"""['"`]|/\*|\*/""", code):
        raise UnsuitableQuery("has a quote or a comment that is not closed", "close it")
    if ";" in code:
        raise UnsuitableQuery(
            "holds more than one statement", "keep one SELECT, and take the ';' out"
        )
    begins = _BEGINS.match(code)
    if begins is None:
        raise UnsuitableQuery(
            "does not begin with SELECT or WITH", "give it one statement that only reads"
        )
    if writes := _WRITES.search(code):
        raise UnsuitableQuery(
            f"holds the word {writes[1].upper()}, which changes or locks something",
            "only read; a column of this name has to stand in quotes",
        )
    return begins[1] is not None


def _binds(code: str) -> frozenset[str]:
    names = frozenset(_BIND.findall(code))
    if other := sorted(names - BINDS):
        raise UnsuitableQuery(
            f"has the parameter ':{other[0]}', which nobody fills in",
            r"only :since and :now are known; write '\:' for a colon that begins no parameter",
        )
    return names
