"""A university for each test, with an Inspera of its own and a clock that stands still."""

from ..support.fixtures import seated, university

__all__ = ["seated", "university"]
