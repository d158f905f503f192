"""What a log line holds, and what it never does."""

import io
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.contextvars import bound_contextvars
from sync.errors import Stop
from sync.log import configure, in_context

NATIONAL_ID = "01019912345"


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    root, stream = logging.getLogger(), io.StringIO()
    before = list(root.handlers)
    configure(stream, "info")
    yield stream
    root.handlers[:] = before


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def only(out: io.StringIO) -> dict[str, Any]:
    (line,) = lines(out)
    return line


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_line_is_json_with_time_level_and_what_is_bound(out: io.StringIO) -> None:
    with bound_contextvars(run=7, job="nightly", kind="learner"):
        structlog.get_logger("run").info("learner løst", key="4711")
    line = only(out)
    assert line.pop("timestamp").endswith("Z")
    expected = {
        "event": "learner løst",
        "level": "info",
        "run": 7,
        "job": "nightly",
        "kind": "learner",
        "key": "4711",
    }
    assert line == expected
    assert "løst" in out.getvalue()


def test_on_a_terminal_it_is_coloured_and_no_json(out: io.StringIO) -> None:
    terminal = Terminal()
    configure(terminal)
    structlog.get_logger().warning("slower", calls_per_second=2)
    logging.getLogger("apscheduler").warning("late")
    first, second = terminal.getvalue().splitlines()
    assert "\x1b[" in first
    assert "slower" in first
    assert "late" in second
    assert "{" not in first + second


def test_what_is_below_the_level_is_not_written(out: io.StringIO) -> None:
    structlog.get_logger().debug("call")
    assert out.getvalue() == ""


def test_lines_of_libraries_go_the_same_way_from_warnings_on(out: io.StringIO) -> None:
    with bound_contextvars(run=7):
        logging.getLogger("uvicorn.error").info("Started server process")
        logging.getLogger("urllib3").warning(
            "odd answer for %s", NATIONAL_ID, extra={"person": "Åse Eksempel"}
        )
    line = only(out)
    assert (line["event"], line["level"], line["logger"], line["run"]) == (
        "odd answer for 0101*******",
        "warning",
        "urllib3",
        7,
    )
    assert "Eksempel" not in out.getvalue()


def test_configured_twice_a_library_is_heard_once_where_it_was_sent_last(out: io.StringIO) -> None:
    later = io.StringIO()
    configure(later)
    logging.getLogger("apscheduler").error("job failed")
    assert out.getvalue() == ""
    assert only(later)["event"] == "job failed"


def test_a_stream_that_is_closed_ends_nothing(
    out: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    out.close()
    logging.getLogger("apscheduler").error("nobody hears this")
    assert capsys.readouterr() == ("", "")
    configure(io.StringIO())


def test_national_ids_are_masked_wherever_they_stand(out: io.StringIO) -> None:
    structlog.get_logger().info(
        NATIONAL_ID, key=NATIONAL_ID, keys=[NATIONAL_ID], more={"k": (NATIONAL_ID,)}
    )
    assert NATIONAL_ID not in out.getvalue()
    line = only(out)
    assert (line["keys"], line["more"]) == (["0101*******"], {"k": ["0101*******"]})


def refuse(error: Exception) -> None:
    raise error


def fail(secret: str) -> None:
    password = secret
    try:
        refuse(KeyError(password))
    except KeyError as error:
        raise ValueError(f"bad {password}") from error


def test_an_exception_is_one_line_that_says_where_and_never_which_value(out: io.StringIO) -> None:
    try:
        fail("hunter2")
    except ValueError:
        structlog.get_logger().exception("tick failed", job="nightly")
    line = only(out)
    assert (line["event"], line["error"], line["level"]) == ("tick failed", "ValueError", "error")
    trace = "\n".join(line["traceback"])
    assert "test_log.py" in trace
    assert " in fail" in trace
    assert "caused by KeyError" in line["traceback"]
    assert "hunter2" not in out.getvalue()


def test_an_exception_of_a_library_goes_the_same_way(out: io.StringIO) -> None:
    try:
        fail("hunter2")
    except ValueError:
        logging.getLogger("apscheduler").exception("job raised")
    line = only(out)
    assert (line["event"], line["error"]) == ("job raised", "ValueError")
    assert line["traceback"]
    assert "hunter2" not in out.getvalue()


def test_the_operating_systems_reason_is_reported(out: io.StringIO, tmp_path: Path) -> None:
    try:
        (tmp_path / "none").read_text(encoding="utf-8")
    except OSError:
        structlog.get_logger().exception("tick failed")
    assert only(out)["error"] == "FileNotFoundError: No such file or directory"


def test_our_own_errors_say_what_happened_and_need_no_traceback(out: io.StringIO) -> None:
    try:
        refuse(Stop("Inspera refuses the key; make a new one"))
    except Stop:
        structlog.get_logger().exception("run stopped")
    line = only(out)
    assert line["error"] == "Inspera refuses the key; make a new one"
    assert "traceback" not in line


def test_no_exception_is_no_error(out: io.StringIO) -> None:
    structlog.get_logger().error("run stopped", exc_info=True)
    assert "error" not in only(out)


def test_workers_log_with_the_context_of_who_sent_them_also_at_the_same_time(
    out: io.StringIO,
) -> None:
    together = threading.Barrier(3)

    def work(key: str) -> str:
        together.wait(10)
        with bound_contextvars(key=key):
            structlog.get_logger().info("sent")
        return key.upper()

    with bound_contextvars(run=7, job="nightly"):
        carried = in_context(work)
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(carried, "abc")) == ["A", "B", "C"]
    found = [(line["run"], line["job"], line["key"]) for line in lines(out)]
    assert sorted(found) == [(7, "nightly", key) for key in "abc"]


PROGRAM = """
import logging, sys
import structlog
from sync.log import configure
configure(level="info")
structlog.get_logger().info("one")
structlog.get_logger().error("two")
logging.getLogger("apscheduler").warning("three")
"""


@pytest.mark.process
@pytest.mark.parametrize("journal", [True, False])
def test_in_the_journal_each_line_has_its_priority_and_elsewhere_none(
    tmp_path: Path, journal: bool
) -> None:
    with (tmp_path / "log").open("wb") as file:
        found = os.fstat(file.fileno())
        named = f"{found.st_dev}:{found.st_ino if journal else 1}"
        environment = {**os.environ, "JOURNAL_STREAM": named}
        subprocess.run(
            [sys.executable, "-c", PROGRAM], stderr=file, env=environment, check=True, timeout=60
        )
    written = (tmp_path / "log").read_text(encoding="utf-8").splitlines()
    marks = [line[:3] for line in written]
    assert marks == (["<6>", "<3>", "<4>"] if journal else ['{"e', '{"e', '{"e'])
    assert [json.loads(line[3:] if journal else line)["event"] for line in written] == [
        "one",
        "two",
        "three",
    ]
