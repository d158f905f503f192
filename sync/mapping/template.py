"""Templates such as `"{course}-{term}"`, and finding the values that they could confuse."""

from dataclasses import dataclass
from string import Formatter

from sync.mapping.rules import RuleError
from sync.mapping.values import SEPARATOR, BadValueError, clean


@dataclass(frozen=True, slots=True)
class Template:
    """Text with named places.

    `shape` has `%s` for each name in `names`; `literals` are the characters between them.

    `pieces` is empty unless places may be blank (`{name?}`): then the text before each place, and
    whether it may; and the text after the last.
    """

    names: tuple[str, ...]
    shape: str
    literals: frozenset[str]
    touching: bool
    pieces: tuple[tuple[str, bool], ...] = ()
    tail: str = ""

    def fill(self, parts: tuple[str, ...]) -> str:
        """Return the text with its places filled.

        Blank as a whole when one part is blank that may not be.
        """
        if "" not in parts:
            return clean(self.shape % parts)
        return self._without_blanks(parts) if self.pieces else ""

    def _without_blanks(self, parts: tuple[str, ...]) -> str:
        """Leave out a blank place with the text before it.

        At the beginning, also the text before the next place.
        """
        text, skipped = "", False
        for (before, may_be_blank), part in zip(self.pieces, parts, strict=True):
            if part:
                text += part if skipped and not text else before + part
            elif may_be_blank:
                skipped = True
            else:
                return ""
        return clean(text + self.tail) if text else ""

    def origin(self, parts: tuple[str, ...]) -> str | None:
        """Return the parts as one text, if other parts could make the same text; otherwise `None`.

        Parts that hold no character of the literal text can be read back from the whole in one way
        only. Characters beyond ASCII can merge with their neighbours under NFC, so such parts are
        always told apart.
        """
        if "" in parts and not self.pieces:
            return None
        return SEPARATOR.join(parts) if self.doubtful(parts) else None

    def doubtful(self, parts: tuple[str, ...]) -> bool:
        """Tell whether other parts could make the same text."""
        joined = "".join(parts)
        return self.touching or not joined.isascii() or not self.literals.isdisjoint(joined)


def parse_template(text: str) -> Template:
    """Read a template; `{{` and `}}` stand for braces, and `{name?}` for a place that may be blank.

    Raises:
        RuleError: it can't be read, or names nothing.
    """
    try:
        parsed = list(Formatter().parse(clean(text)))
    except (ValueError, BadValueError) as error:
        raise RuleError(f"template: {error}") from None
    names: list[str] = []
    shape: list[str] = []
    places: list[tuple[str, bool]] = []
    before = ""
    literals: set[str] = set()
    touching = False
    for literal, name, spec, conversion in parsed:
        shape.append(literal.replace("%", "%%"))
        literals.update(literal)
        before += literal
        if name is None:
            continue
        places.append((before, name.endswith("?")))
        before = ""
        touching = touching or (bool(names) and not literal)
        names.append(_checked(name, spec, conversion))
        shape.append("%s")
    if not names:
        raise RuleError("template: names no column; put a column in braces, or use 'constant'")
    optional = any(may_be_blank for _, may_be_blank in places)
    if optional and all(may_be_blank for _, may_be_blank in places) and len(places) == 1:
        raise RuleError("template: has one place only, so '?' means nothing; take it out")
    pieces = tuple(places) if optional else ()
    # With a place that may be blank, different parts can always make one text.
    return Template(
        tuple(names), "".join(shape), frozenset(literals), touching or optional, pieces, before
    )


def _checked(name: str, spec: str | None, conversion: str | None) -> str:
    if spec or conversion:
        raise RuleError(
            f"template: '{{{name}…}}' has a ':' or a '!'; put only a column's name in the braces"
        )
    name = name.removesuffix("?")
    if not name.strip():
        raise RuleError("template: '{}' names no column; put a column's name in the braces")
    return clean(name)
