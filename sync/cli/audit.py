"""The commands `audit verify` and `audit export`."""

from typing import Annotated

import typer

from sync.cli.options import flag, option
from sync.console import say
from sync.exit_codes import Exit

group = typer.Typer(help="Verify and export the audit log.", no_args_is_help=True)


@group.command()
def verify(
    context: typer.Context,
    anchor: Annotated[
        str | None,
        option(
            "COUNT:HASH",
            "The anchor that an earlier `audit verify` printed: what it counted"
            " must still be there.",
        ),
    ] = None,
) -> Exit:
    """Check that no line was changed, removed or inserted, and print the anchor of the newest."""
    from sync.commands import audit as command

    return command.audit_verify(context.obj.open_app(), anchor, say)


@group.command()
def export(
    context: typer.Context,
    since: Annotated[
        str | None, option("TIME", "Only lines since then, such as 2026-11-23 (UTC).")
    ] = None,
    as_text: Annotated[bool, flag("--text", "Print text instead of JSON lines.")] = False,
) -> Exit:
    """Print the audit log, oldest first, a line of JSON each. Shows keys of people."""
    from sync.commands import audit as command

    options = command.ExportOptions(since, as_text)
    return command.audit_export(context.obj.open_app(), options, say)
