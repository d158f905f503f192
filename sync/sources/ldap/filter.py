"""The syntax of LDAP filters (RFC 4515), checked without a server."""

import re

_ITEM = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9.;-]*(?:(?:~=|>=|<=|=)|:[^=()*]*:=)"
    r"(?:[^()\\\x00]|\\[0-9A-Fa-f]{2})*"
    r"|:[^=()*]+:=(?:[^()\\\x00]|\\[0-9A-Fa-f]{2})*"
)
_TOKEN = re.compile(r"\s*(?P<mark>\([&|!]|[()])|(?P<item>[^()]+)")


def filter_error(text: str) -> str | None:
    """Return the error of a filter; None if it is valid."""
    if not text.strip().startswith("("):
        return "has no parenthesis around it"
    stack: list[tuple[str, int]] = []  # the open parentheses, with the number of filters in each
    ended = False
    for token in _TOKEN.finditer(text.strip()):
        if ended:
            return "goes on after its closing parenthesis"
        mark, item = token["mark"], token["item"]
        error = None
        if item is not None:
            error = _item_error(item, stack)
        elif mark == ")":
            error = _closing_error(stack)
            ended = not stack
        else:
            if stack and stack[-1][0] == "(":
                error = "has a parenthesis inside a value (write \\28 or \\29)"
            stack.append((mark, 0))
        if error:
            return error
    return None if ended else "has a parenthesis that is not closed"


def _item_error(item: str, stack: list[tuple[str, int]]) -> str | None:
    if not item.strip():
        return None
    opened, count = stack.pop()
    if opened != "(" or count:
        return "has a part without parentheses around it"
    stack.append((opened, 1))
    return (
        None if _ITEM.fullmatch(item.strip()) else "has a part that is not like (attribute=value)"
    )


def _closing_error(stack: list[tuple[str, int]]) -> str | None:
    opened, count = stack.pop()
    if stack:
        outer, inside = stack.pop()
        stack.append((outer, inside + 1))
    if not count:
        return "has empty parentheses"
    return "has a '!' before more than one part" if opened == "(!" and count > 1 else None
