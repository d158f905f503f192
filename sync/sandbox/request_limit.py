"""The limit on the requests in progress, which all integrations of a customer share."""

from collections.abc import Iterator
from contextlib import contextmanager

from sync.sandbox.reader import BodyReader
from sync.sandbox.rules import Rule
from sync.sandbox.wire import Json

MOST = 10
"""How many requests may be in progress at once (vendor contract, Conventions)."""

LIMIT = "limit"
"""The name under which refused requests are counted and logged."""


LimitSettings = tuple[int, int, int]
"""`most`, `taken` and `status` of a limit."""


class RequestLimit:
    """The requests in progress, and the answer to one too many. For one thread.

    Attributes:
        most: how many may be in progress.
        taken: how many of them are another client's.
        status: the status of the answer to one too many, whose words say the cause.
        peak: the most that were in progress at once, without those of the other client.
    """

    def __init__(self, taken: int = 0) -> None:
        self.most, self.taken, self.status, self.peak = MOST, taken, 429, 0
        self._now = 0

    @contextmanager
    def request(self) -> Iterator[Rule | None]:
        """Count a request while it is in progress; yield the rule that refuses one too many."""
        if self._now + self.taken >= self.most:
            yield self._refusal()
            return
        self._now += 1
        self.peak = max(self.peak, self._now)
        try:
            yield None
        finally:
            self._now -= 1

    def _refusal(self) -> Rule:
        words = f"Too many requests: at most {self.most} may be in progress at once; back off"
        body = {"success": False, "errors": [words]}
        return Rule(status=self.status, body=body, name=LIMIT)

    def shown(self) -> Json:
        """Return the limit in the form in which it is given."""
        return {"most": self.most, "taken": self.taken, "status": self.status}

    def change(self, given: LimitSettings) -> None:
        """Set the given values, and begin to count the peak anew."""
        self.most, self.taken, self.status = given
        self.peak = self._now


def read_limit(read: BodyReader) -> LimitSettings:
    """Read a limit in the form of `RequestLimit.shown`; add what is wrong to the reader's errors.

    What is left out has its default.
    """
    most, taken = read.whole("most", least=1), read.whole("taken", least=0)
    status = read.whole("status", least=200)
    if status is not None and status > 599:
        read.complain("status", "must be a number from 200 to 599")
    read.done(["most", "taken", "status"])
    return most or MOST, taken or 0, status or 429
