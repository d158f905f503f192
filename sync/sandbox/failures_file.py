"""Failures from a file, in YAML or JSON."""

from pathlib import Path

from sync.sandbox.failures import Failures, read_failures
from sync.sandbox.reader import BodyReader
from sync.sandbox.wire import Json

_REMEDY = "write it as `rates: {reset: 0.05}`"


def load_failures(path: Path) -> Failures:
    """Read a file of failures.

    Raises:
        OSError: it can't be read.
        ValueError: with one line for everything that is wrong in it.
    """
    value = _parse(path)
    read = BodyReader(value)
    failures = read_failures(read)
    wrong = (
        read.errors if isinstance(value, dict) else [f"must have `rates` or `seconds`; {_REMEDY}"]
    )
    if wrong:
        raise ValueError(
            "\n".join(["the failures file is wrong", *(f"{path}: {one}" for one in wrong)])
        )
    return failures


def _parse(path: Path) -> Json:
    import yaml

    try:
        return yaml.safe_load(path.read_bytes())
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise OSError(
            f"{path}: cannot be read ({reason}); name a YAML or JSON file of failures"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        place = getattr(error, "problem_mark", None)
        where = path if place is None else f"{path}:{place.line + 1}"
        raise ValueError(f"{where}: is neither YAML nor JSON; {_REMEDY}") from None
