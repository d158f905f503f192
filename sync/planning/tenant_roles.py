"""The roles for the whole tenant that people get because they are put on a test. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RoleGain:
    """A role that an account lacks, and that Inspera gives for the whole tenant.

    Taking the person off the test does not take it back (vendor contract, Test API: contributors).

    Attributes:
        role: the vendor's word for it.
        certain: whether the roles of these accounts are known; otherwise they may have it already.
        total: how many people get it.
        keys: the keys of the first of them.
    """

    role: str
    certain: bool
    total: int
    keys: Sequence[str]
