"""The commands `forget` and `export-person`."""

from typing import Annotated

import typer

from sync.cli.options import Waiting, flag
from sync.commands.invocation import handle_signals, lock_waiter
from sync.console import say
from sync.exit_codes import Exit
from sync.records.base import Kind

Person = Annotated[Kind | None, typer.Option("--kind", metavar="KIND", help="learner or staff.")]


def forget(
    context: typer.Context,
    person: Annotated[list[str], typer.Argument(metavar="KEY…", help="The keys of the people.")],
    kind: Person = None,
    wait: Waiting = False,
    yes: Annotated[bool, flag("--yes", "Do not ask; for scripts.")] = False,
) -> Exit:
    """Forget people: their records, journal and held changes. Inspera is left as it is."""
    from sync.commands import forget as command
    from sync.commands.question import forget_on_terminal

    app, interruption = context.obj.open_app(), handle_signals()
    options = command.ForgetOptions(
        keys=tuple(person),
        kind=kind,
        wait=lock_waiter(interruption) if wait else None,
        confirm=forget_on_terminal(interruption, yes=yes),
    )
    return command.forget(app, options, say)


def export_person(
    context: typer.Context,
    person: Annotated[str, typer.Argument(metavar="KEY", help="The key of the person.")],
    kind: Person = None,
) -> Exit:
    """Print everything that is kept about a person, as JSON. Shows people's data, sends nothing."""
    from sync.commands import forget as command

    return command.export_person(context.obj.open_app(), person, kind, say)


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(forget)
    app.command()(export_person)
