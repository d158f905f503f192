"""The order and the marks of all tests, and what each restores."""

import logging
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

from .support.servers.postgres import share_data

LONG = ("storm", "serve", "docs", "demo", "crash")
"""Folders of tests that take long and mostly wait. They begin first, to keep all workers busy."""

MEMORY = Path("/dev/shm")
"""A file system in memory, where a commit needs not wait for a disk."""

MEMORY_NEEDED = 3 * 1024**3
"""Bytes that must be free there for the folders of all tests."""

settings.register_profile("repeatable", derandomize=True, max_examples=50)
settings.register_profile("search", print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


_marks: set[str] = set()
"""The marks of the unit test that runs now; of other tests none is asked for."""

STARTS_A_PROGRAM = ("subprocess.Popen", "os.fork", "os.posix_spawn")

FINDS_LIBRARIES = ("ldconfig", "gcc", "cc", "ld", "objdump")
"""Programs by which `ctypes` finds a library when a database driver is imported."""


@pytest.hookimpl(tryfirst=True)  # before a plugin makes the folder of all tests
def pytest_configure(config: pytest.Config) -> None:
    if "TMPDIR" not in os.environ and _has_room(MEMORY):
        os.environ["TMPDIR"], tempfile.tempdir = str(MEMORY), None
    sys.addaudithook(_require_mark)
    if not hasattr(config, "workerinput"):
        folder = tempfile.TemporaryDirectory(prefix="postgres-data-")
        share_data(Path(folder.name))
        config.add_cleanup(folder.cleanup)


@pytest.hookimpl(tryfirst=True)  # before `-m` selects by marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in filter(_uses_a_server, items):
        item.add_marker(pytest.mark.server)
    items.sort(
        key=lambda item: LONG.index(folder) if (folder := _folder(item.path)) in LONG else len(LONG)
    )


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    if "unit" in item.path.relative_to(Path(__file__).parent).parts:
        _marks.update(mark.name for mark in item.iter_markers())
        _marks.add("unit")
    yield
    _marks.clear()


def _has_room(folder: Path) -> bool:
    """Tell whether all tests can write there, and start programs from there."""
    try:
        there = os.statvfs(folder)
    except OSError:
        return False
    usable = not there.f_flag & (os.ST_NOEXEC | os.ST_RDONLY) and os.access(folder, os.W_OK)
    return usable and there.f_bavail * there.f_frsize >= MEMORY_NEEDED


def _require_mark(event: str, arguments: tuple[object, ...]) -> None:
    """Refuse that a unit test starts a program without a mark, by which `make test-fast` omits it."""
    if event not in STARTS_A_PROGRAM or "unit" not in _marks or _marks & {"process", "server"}:
        return
    if not any(str(one).endswith(FINDS_LIBRARIES) for one in arguments[:1]):
        pytest.fail(f"mark this test by `@pytest.mark.process`: it starts a program ({event})")


def _uses_a_server(item: pytest.Item) -> bool:
    """Tell whether the test asks for the fixture of a real server, or for a state on one."""
    parameters = getattr(item, "callspec", None)
    on_postgresql = parameters is not None and parameters.params.get("database") == "postgresql"
    return on_postgresql or bool({"server", "postgresql"} & {*getattr(item, "fixturenames", ())})


def _folder(path: Path) -> str:
    return path.relative_to(Path(__file__).parent).parts[-2]


@pytest.fixture(autouse=True)
def process_as_before() -> Iterator[None]:
    """Restore signals and the log: a command takes them over, and its streams are closed."""
    handlers = {
        number: signal.getsignal(number)
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
    }
    yield
    structlog.reset_defaults()
    logging.getLogger("apscheduler").setLevel(logging.NOTSET)
    for number, handler in handlers.items():
        signal.signal(number, handler)
