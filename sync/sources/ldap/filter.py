"""Whether a text can be a filter for a directory, as far as that can be known without one (RFC 4515)."""

import re

_ITEM = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9.;-]*(?:(?:~=|>=|<=|=)|:[^=()*]*:=)"
    r"(?:[^()\\\x00]|\\[0-9A-Fa-f]{2})*"
    r"|:[^=()*]+:=(?:[^()\\\x00]|\\[0-9A-Fa-f]{2})*"
)
_TOKEN = re.compile(r"\s*(?P<mark>\([&|!]|[()])|(?P<item>[^()]+)")


def error_in(text: str) -> str:
    """What is wrong with a filter, to follow the words "it"; empty when nothing is."""
    if not text.strip().startswith("("):
        return "has no parenthesis around it"
    stack: list[tuple[str, int]] = []  # what is open, with how many filters it holds
    ended = False
    for token in _TOKEN.finditer(text.strip()):
        if ended:
            return "goes on after its closing parenthesis"
        mark, item = token["mark"], token["item"]
        if item is not None:
            error = _item_error(item, stack)
        elif mark == ")":
            error = _closing_error(stack)
            ended = not error and not stack
        else:
            error = (
                "has a parenthesis inside a value (write \\28 or \\29)"
                if stack and stack[-1][0] == "("
                else ""
            )
            stack.append((mark, 0))
        if error:
            return error
    return "" if ended else "has a parenthesis that is not closed"


def _item_error(item: str, stack: list[tuple[str, int]]) -> str:
    if not item.strip():
        return ""
    opened, held = stack.pop()
    if opened != "(" or held:
        return "has a part without parentheses around it"
    stack.append((opened, 1))
    return "" if _ITEM.fullmatch(item.strip()) else "has a part that is not like (attribute=value)"


def _closing_error(stack: list[tuple[str, int]]) -> str:
    opened, held = stack.pop()
    if stack:
        outer, inside = stack.pop()
        stack.append((outer, inside + 1))
    if not held:
        return "has empty parentheses"
    return "has a '!' before more than one part" if opened == "(!" and held > 1 else ""
