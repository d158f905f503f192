"""Whether a server's programs are here. Without them a test is skipped, unless REQUIRE_SERVERS=1 says otherwise."""

import os
import shutil
import socket
from pathlib import Path

import pytest


def need(program: str, package: str, *, beside: str = "") -> str:
    """The path of a program of a server. `beside` is a pattern of folders where it may be although not on the PATH."""
    folders = (
        [str(folder) for folder in sorted(Path("/").glob(beside), reverse=True)] if beside else []
    )
    found = shutil.which(program) or shutil.which(program, path=os.pathsep.join(folders))
    if found:
        return found
    reason = f"needs {program} (Debian: apt install {package})"
    if os.environ.get("REQUIRE_SERVERS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


def free_port() -> int:
    """A port on loopback that nobody listens on just now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
