"""The person at the keyboard, for decisions that are recorded."""

import getpass
import os

SERVICE = "service"
"""Who does what a schedule asks for."""


def login_name() -> str:
    """Return the name of the person who is logged in, also behind `sudo`."""
    if name := os.environ.get("SUDO_USER"):
        return name
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user of a container without a name
        return f"user {os.getuid()}"
