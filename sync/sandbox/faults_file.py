"""Faults that a file asks for, in YAML or JSON."""

from pathlib import Path

from sync.sandbox.faults import Faults, read_faults
from sync.sandbox.reader import Reader
from sync.sandbox.wire import Json

_REMEDY = "write it as `rates: {reset: 0.05}`"


def load_faults(path: Path) -> Faults:
    """Reads a file of faults.

    Raises:
        OSError: it can't be read.
        ValueError: with one line for everything that is wrong in it.
    """
    value = _parse(path)
    read = Reader({} if value is None else value, "")
    faults = read_faults(read)
    if read.errors:
        raise ValueError("\n".join(["the faults file is wrong", *(f"{path}: {error}" for error in read.errors)]))
    return faults


def _parse(path: Path) -> Json:
    import yaml

    try:
        return yaml.safe_load(path.read_bytes())
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise OSError(f"{path}: cannot be read ({reason}); name a YAML or JSON file of faults") from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        place = getattr(error, "problem_mark", None)
        where = path if place is None else f"{path}:{place.line + 1}"
        raise ValueError(f"{where}: is neither YAML nor JSON; {_REMEDY}") from None
