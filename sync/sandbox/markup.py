"""The HTML of the sandbox's own pages: plain tables, no script, and every value escaped."""

from collections.abc import Iterable, Sequence
from html import escape
from math import ceil

PER_PAGE = 50
"""The lines of a list on one page."""

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 72rem; padding: 1rem; }
body { color: #1b1b1b; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; color: #555; padding: .25rem 0; }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; }
th, td { border-bottom: 1px solid #ddd; }
td { overflow-wrap: anywhere; }
"""


class Html(str):
    """Text that is HTML already; all other text is escaped when it is shown."""

    __slots__ = ()


def shown(value: object) -> Html:
    """Return a value as HTML; a list is joined by commas, and no value is a dash."""
    if isinstance(value, Html):
        return value
    if isinstance(value, list | tuple):
        return Html(", ".join(shown(one) for one in value) or "–")
    if isinstance(value, bool):
        return Html("yes" if value else "no")
    return Html("–" if value is None or value == "" else escape(str(value)))


def link(address: str, text: object) -> Html:
    """Return a link to another of the sandbox's pages."""
    return Html(f'<a href="{escape(address)}">{shown(text)}</a>')


def table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> Html:
    """Return a table with a line for each row, or "none"."""
    lines = ["".join(f"<td>{shown(cell)}</td>" for cell in row) for row in rows]
    if not lines:
        return Html(f"<p>{shown(caption)}: none.</p>")
    head = "".join(f'<th scope="col">{shown(one)}</th>' for one in heads)
    body = "".join(f"<tr>{line}</tr>\n" for line in lines)
    return Html(
        f'<div class="scroll"><table><caption>{shown(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>"
    )


def pages(address: str, at: int, number: int) -> Html:
    """Return links to the pages before and after page `at` of a list with `number` lines."""
    last = max(1, ceil(number / PER_PAGE))
    if last == 1 and at == 1:
        return Html("")
    before = link(f"{address}{min(at - 1, last)}", "before") if at > 1 else "before"
    after = link(f"{address}{at + 1}", "after") if at < last else "after"
    return Html(f"<p>Page {at} of {last}: {before} · {after}</p>")


def document(title: str, parts: Iterable[str]) -> str:
    """Return a whole page; the parts are HTML."""
    body = "\n".join(parts)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{shown(title)}</title><style>{_STYLE}</style></head>\n"
        f"<body><h1>{shown(title)}</h1>\n{body}\n</body></html>\n"
    )
