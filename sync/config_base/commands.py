"""The command of `${cmd:COMMAND}`, whose output is a value, such as a secret of a vault.

It runs without a shell, so that nothing in it has a meaning but quotes. What it writes to standard
error is not shown: it may repeat the secret.
"""

import os
import selectors
import shlex
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

TIMEOUT: Final = 30.0
"""Seconds after which a command is killed, with everything that it has started."""


class CommandError(Exception):
    """Why a command gave no value, in words that follow "the command"."""


def has_words(command: str) -> bool:
    """Tell whether the text is a command: at least one word, and every quote closed."""
    try:
        return bool(shlex.split(command))
    except ValueError:
        return False


def run_command(command: str, folder: Path, most: int, timeout: float = TIMEOUT) -> bytes:
    """Run the command in this folder. Return its output, at most one byte more than `most`.

    Raises:
        CommandError: it can't be run, failed, or did not end in time.
    """
    until = time.monotonic() + timeout
    try:
        process = subprocess.Popen(  # noqa: S603 - the operator's own command
            shlex.split(command),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # so that its children can be killed with it
        )
    except FileNotFoundError:
        raise CommandError("does not exist on this machine") from None
    except OSError as error:
        raise CommandError(f"can't be run ({error.strerror})") from None
    try:
        output = _read(process, most, until)
        status = 0 if len(output) > most else process.wait(max(until - time.monotonic(), 0))
    except (TimeoutError, subprocess.TimeoutExpired):
        raise CommandError(f"did not end within {timeout:g} s") from None
    finally:
        _end(process)
    if status:
        how = f"by signal {-status}" if status < 0 else f"with status {status}"
        raise CommandError(f"ended {how}")
    return output


def _read(process: subprocess.Popen[bytes], most: int, until: float) -> bytes:
    """Return the output, up to its end or one byte more than `most`."""
    if process.stdout is None:
        return b""
    output = b""
    with selectors.DefaultSelector() as ready:
        ready.register(process.stdout, selectors.EVENT_READ)
        while len(output) <= most:
            if not ready.select(max(until - time.monotonic(), 0)):
                raise TimeoutError
            chunk = os.read(process.stdout.fileno(), most + 1 - len(output))
            if not chunk:
                break
            output += chunk
    return output


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of the command, and close its output."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    if process.stdout:
        process.stdout.close()
    process.wait()
