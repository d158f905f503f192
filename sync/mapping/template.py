"""Templates such as `"{course}-{term}"`, and finding the values that they could confuse."""

from dataclasses import dataclass
from string import Formatter

from sync.mapping.rules import RuleError
from sync.mapping.values import SEPARATOR, BadValueError, clean


@dataclass(frozen=True, slots=True)
class Template:
    """Text with named places. `shape` has `%s` for each name in `names`; `literals` are the characters between them."""

    names: tuple[str, ...]
    shape: str
    literals: frozenset[str]
    touching: bool

    def fill(self, parts: tuple[str, ...]) -> str:
        """The text with its places filled; blank as a whole when one part is blank."""
        return "" if "" in parts else clean(self.shape % parts)

    def origin(self, parts: tuple[str, ...]) -> str | None:
        """The parts as one text, if other parts could make the same text; otherwise `None`.

        Parts that hold no character of the literal text can be read back from the whole in one way only. Characters
        beyond ASCII can merge with their neighbours under NFC, so such parts are always told apart.
        """
        if "" in parts:
            return None
        return SEPARATOR.join(parts) if self.doubtful(parts) else None

    def doubtful(self, parts: tuple[str, ...]) -> bool:
        """Whether other parts could make the same text."""
        joined = "".join(parts)
        return self.touching or not joined.isascii() or not self.literals.isdisjoint(joined)


def parse_template(text: str) -> Template:
    """Reads a template; `{{` and `}}` stand for braces.

    Raises:
        RuleError: it can't be read, or names nothing.
    """
    try:
        pieces = list(Formatter().parse(clean(text)))
    except (ValueError, BadValueError) as error:
        raise RuleError(f"template: {error}") from None
    names: list[str] = []
    shape: list[str] = []
    literals: set[str] = set()
    touching = False
    for literal, name, spec, conversion in pieces:
        shape.append(literal.replace("%", "%%"))
        literals.update(literal)
        if name is None:
            continue
        touching = touching or (bool(names) and not literal)
        names.append(_checked(name, spec, conversion))
        shape.append("%s")
    if not names:
        raise RuleError("template: names no column; put a column in braces, or use 'constant'")
    return Template(tuple(names), "".join(shape), frozenset(literals), touching)


def _checked(name: str, spec: str | None, conversion: str | None) -> str:
    if spec or conversion:
        raise RuleError(f"template: '{{{name}…}}' has a ':' or a '!'; put only a column's name in the braces")
    if not name.strip():
        raise RuleError("template: '{}' names no column; put a column's name in the braces")
    return clean(name)
