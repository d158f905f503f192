"""The options that several commands have, with the same words for the same thing."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sync.commands import completion
from sync.console import use_json_escapes
from sync.records.base import Kind

if TYPE_CHECKING:
    from sync.planning.selection import Selection


def flag(name: str, about: str, short: str | None = None, **more: Any) -> Any:
    """Return an option that is given or not; typer's own would also have a `--no-` form."""
    return typer.Option(*filter(None, (name, short)), help=about, metavar="", **more)


def option(metavar: str, about: str) -> Any:
    """Return an option with a value, named as its parameter."""
    return typer.Option(metavar=metavar, help=about)


def _escape(as_json: bool) -> bool:
    if as_json:
        use_json_escapes()
    return as_json


All = Annotated[bool, flag("--all", "Print every line of long lists, and each record of a group.")]
AsJson = Annotated[bool, flag("--json", "Print it as JSON.", callback=_escape)]
Changed = Annotated[
    bool,
    flag("--changed", "Read only changed rows, of feeds with `updated_column`. Removes nothing."),
]
Shrunk = Annotated[
    list[str] | None,
    typer.Option(
        "--accept-shrink",
        metavar="SOURCE",
        autocompletion=completion.sources,
        help="Accept that this source is shorter than before.",
    ),
]
HoldId = Annotated[
    str, typer.Argument(metavar="ID", help="The hash of a hold or a change, from `held`.")
]
Why = Annotated[str, option("TEXT", "Why, for those who look at this later.")]
Only = Annotated[list[str] | None, option("KEY", "Only the change with this key; may be repeated.")]
By = Annotated[str | None, option("NAME", "Who decides, if it is not the login name.")]
Tests = Annotated[
    list[str] | None,
    option("KEY", "Only this test and what is on it; may be repeated, and have wildcards."),
]
Kinds = Annotated[
    list[Kind] | None,
    typer.Option(
        metavar="KIND",
        autocompletion=completion.kinds,
        help="Only this kind, such as candidate; may be repeated.",
    ),
]
People = Annotated[
    list[str] | None,
    option("KEY", "Only this learner or member of staff, and their places on tests."),
]


def selected(
    tests: Sequence[str] | None, kinds: Sequence[Kind] | None, people: Sequence[str] | None
) -> "Selection | None":
    """Return what the options name; None without any."""
    from sync.planning.selection import Selection

    if not (tests or kinds or people):
        return None
    return Selection(tuple(kinds or ()), tuple(tests or ()), tuple(people or ()))


Quiet = Annotated[
    bool, flag("--quiet", "Print only what needs a person; nothing if the exit status is 0.")
]
Waiting = Annotated[
    bool, flag("--wait", "Wait for the end of another run instead of stopping with status 75.")
]

Yes = Annotated[
    bool, flag("--yes", "Send without asking; for scripts. Without a terminal nobody is asked.")
]
