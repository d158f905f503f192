"""`sandbox`: a local Inspera, until it is stopped."""

from pathlib import Path

from sync.console import say
from sync.errors import UsageError
from sync.exit_codes import Exit
from sync.sandbox import serve


def sandbox(
    port: int, data: Path | None, failures: Path | None, *, latency: float, taken: int
) -> Exit:
    """Run the sandbox, and say where it listens.

    Raises:
        UsageError: the port, the folder or the file of failures can't be used.
    """
    try:
        status = serve(
            port,
            data,
            latency=latency,
            failures=failures,
            taken=taken,
            ready=lambda url: say(f"sandbox is listening on {url}"),
        )
    except (OSError, ValueError) as error:
        raise UsageError(f"the sandbox cannot start: {error}") from None
    return Exit(status)
