"""The templates of HTML: every value is escaped, and none may be missing."""

from typing import TYPE_CHECKING

from sync.text.characters import escaped
from sync.text.masking import masked

if TYPE_CHECKING:
    from jinja2 import Environment


def html_environment(package: str) -> "Environment":
    """Return the templates of a package, in its folder `templates`."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # Invisible characters of a source must not reverse or hide the text around them.
        finalize=lambda value: escaped(masked(value)) if type(value) is str else value,
    )
    environment.filters["label"] = lambda name: name.replace("_", " ")
    environment.filters["number"] = lambda number: f"{number:,}"
    return environment
