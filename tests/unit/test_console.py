"""Output that can't be written: it is lost, that is remembered, and nothing is raised."""

import io
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import TextIO

import pytest
import structlog
from sync.console import JSON, GuardedStream, guard_standard_streams, use_json_escapes
from sync.log import configure

from ..support.disks import small_disk


@pytest.fixture
def full() -> Iterator[TextIO]:
    with open("/dev/full", "w", encoding="utf-8") as stream:  # noqa: PTH123
        yield stream


@contextmanager
def piped(encoding: str = "utf-8") -> Iterator[tuple[GuardedStream, int]]:
    """Open a guarded pipe, and its reading end."""
    reader, writer = os.pipe()
    with os.fdopen(writer, "w", encoding=encoding) as stream:
        yield GuardedStream(stream), reader
    with suppress(OSError):
        os.close(reader)


def test_what_can_be_written_is_written_at_once() -> None:
    with piped() as (stream, reader):
        assert stream.write("Ødegård\n") == 8
        assert os.read(reader, 100).decode() == "Ødegård\n"
        assert (stream.lost, stream.missed) == ("", 0)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_what_an_encoding_lacks_is_escaped(encoding: str) -> None:
    with piped(encoding) as (stream, reader):
        stream.write("Đorđe \udcff 😀\n")
        assert os.read(reader, 100).decode(encoding) == "\\u0110or\\u0111e \\udcff \\U0001f600\n"
        assert stream.lost == ""


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_json_stays_json_whatever_the_encoding_lacks(encoding: str) -> None:
    with piped(encoding) as (stream, reader):
        stream.errors = JSON
        stream.write(json.dumps(["Đorđe Ødegård 😀"], ensure_ascii=False))
        assert json.loads(os.read(reader, 100).decode(encoding)) == ["Đorđe Ødegård 😀"]


def test_a_full_disk_ends_a_report_with_a_reason(full: TextIO) -> None:
    stream = GuardedStream(full)
    stream.write("one\n")
    stream.write("two\n")
    assert (stream.lost, stream.reader_left) == ("No space left on device", False)
    full.flush()  # nothing is left behind that would fail at the end


def test_a_reader_that_has_gone_is_distinguished() -> None:
    with piped() as (stream, reader):
        os.close(reader)
        stream.write("one\n")
        assert (stream.lost, stream.reader_left) == ("Broken pipe", True)


def test_a_stream_that_is_closed_or_was_never_open_loses_everything() -> None:
    closed = io.StringIO()
    closed.close()
    for stream in (GuardedStream(None), GuardedStream(closed)):
        stream.write("one\n")
        stream.flush()
        assert (stream.lost, stream.reader_left) == ("it is closed", False)
    assert not GuardedStream(None).isatty()


def test_a_slow_reader_is_waited_for_even_when_the_pipe_does_not_block() -> None:
    with piped() as (stream, reader):
        os.set_blocking(stream.fileno(), False)
        writing, read = Thread(target=stream.write, args=["x" * 300_000]), 0
        writing.start()
        while read < 300_000:
            read += len(os.read(reader, 65536))
        writing.join()
        assert stream.lost == ""


@pytest.mark.process
def test_a_log_goes_on_once_there_is_room_again_and_says_how_much_is_missing(
    tmp_path: Path,
) -> None:
    with small_disk(tmp_path / "disk", "1m") as disk:
        path = disk.folder / "log"
        with path.open("a", encoding="utf-8") as file:
            configure(file_guarded := GuardedStream(file, keep_trying=True), "info")  # type: ignore[arg-type]  # as redirected
            log = structlog.get_logger()
            log.info("before")
            disk.fill()
            for _ in range(3):
                log.info("lost " * 2_000)
            assert file_guarded.missed == 3
            disk.free()
            log.info("after")
            log.info("as usual")
        structlog.reset_defaults()
        lines = path.read_text("utf-8").splitlines()
    told = [json.loads(line) for line in lines if line.endswith("}")]
    assert [one["event"] for one in told] == ["before", "after", "as usual"]
    assert [one.get("lines_lost_before") for one in told] == [None, 3, None]


def test_standard_streams_are_guarded_and_given_back() -> None:
    before = sys.stdout, sys.stderr
    with guard_standard_streams() as report:
        assert sys.stdout is report  # it stands in for one
        use_json_escapes()
        assert report.errors == JSON
        with pytest.raises(TypeError):
            sys.stdout.write(b"bytes")  # type: ignore[arg-type]  # by this click tells a text stream
    assert (sys.stdout, sys.stderr) == before
    use_json_escapes()  # without any effect
