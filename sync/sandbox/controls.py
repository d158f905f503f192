"""The controls that a person can change while the sandbox runs."""

from collections import Counter

from sync.sandbox.failures import DELAY, FAILURES, Failures, read_failures
from sync.sandbox.reader import BodyReader
from sync.sandbox.rules import Rule, read_rule
from sync.sandbox.wire import CallKind, Json


class Controls:
    """How this Inspera behaves.

    `latency` is in seconds: every write's answer waits that long, after its commit.
    `token_lifetime` is in seconds and holds for tokens given from now on. `wrapped` says whether a
    test that is read comes inside a `result`. `failures` strike at random; `fail` names calls that
    fail for sure, and goes first. `clock_offset` is in seconds: how far the `Date` of every answer
    is ahead of this machine's clock (below 0: behind it).
    """

    def __init__(
        self, latency: float = 0.0, token_lifetime: float = 3600.0, failures: Failures | None = None
    ) -> None:
        self.latency, self.token_lifetime, self.wrapped = latency, token_lifetime, True
        self.failures, self.clock_offset = failures or Failures(), 0.0
        self._rules: list[Rule] = []
        self._counts: Counter[str] = Counter()

    def change(self, body: Json) -> None:
        """Set the values that are given; the others stay.

        A new `fail` or `failures` replaces all old ones; `[]` or `{}` ends them.

        Raises:
            Refusal: 400 with everything that is wrong; nothing was changed.
        """
        read = BodyReader(body)
        latency, lifetime, wrapped = (
            read.seconds("latency"),
            read.seconds("token_lifetime"),
            read.flag("wrapped"),
        )
        offset = read.number("clock_offset")
        items, inner = read.items("fail"), read.inner("failures")
        rules = None if items is None else [read_rule(item) for item in items]
        failures = None if inner is None else read_failures(inner)
        read.close()
        self.latency = self.latency if latency is None else latency
        self.token_lifetime = self.token_lifetime if lifetime is None else lifetime
        self.clock_offset = self.clock_offset if offset is None else offset
        self.wrapped = self.wrapped if wrapped is None else wrapped
        self._rules = self._rules if rules is None else rules
        self.failures = self.failures if failures is None else failures

    def rule_for(self, method: str, path: str, kind: CallKind) -> Rule | None:
        """Return the first rule for this call, or else the random failure that strikes it."""
        rule = next((rule for rule in self._rules if rule.takes(method, path)), None)
        return rule or self.failures.strike(kind, path)

    def count(self, name: str) -> None:
        """Count a failure that has struck."""
        self._counts[name] += 1

    def failure_counts(self) -> dict[str, int]:
        """Return how often each failure has struck; `rule` counts those that `fail` asked for."""
        return {name: self._counts[name] for name in (*FAILURES, DELAY, "rule")}

    def shown(self) -> Json:
        """Return all controls as they are now; a used-up rule has `times` 0."""
        rules = [rule.shown() for rule in self._rules]
        numbers = {
            "latency": self.latency,
            "token_lifetime": self.token_lifetime,
            "wrapped": self.wrapped,
        }
        numbers["clock_offset"] = self.clock_offset
        return numbers | {
            "fail": rules,
            "failures": self.failures.shown(),
            "failure_counts": self.failure_counts(),
        }
