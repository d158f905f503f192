"""The controls that a person can change while the sandbox runs."""

from collections import Counter

from sync.sandbox.failures import DELAY, FAILURES, Failures, read_failures
from sync.sandbox.reader import BodyReader
from sync.sandbox.rules import Rule, read_rule
from sync.sandbox.wire import CallKind, Json


class Controls:
    """The behaviour of this Inspera.

    Attributes:
        latency: the seconds by which the answer to every write is delayed, after its commit.
        token_lifetime: the lifetime of new tokens in seconds.
        wrapped: whether the answer to a read of a test is inside a `result`.
        unknown_fields: whether every answer has members that no contract names.
        failures: the random failures.
        fail: the rules for calls that certainly fail. They go before `failures`.
        clock_offset: the seconds by which the `Date` of every answer is ahead of this machine's
            clock; below 0, behind it.
    """

    def __init__(
        self, latency: float = 0.0, token_lifetime: float = 3600.0, failures: Failures | None = None
    ) -> None:
        self.latency, self.token_lifetime, self.wrapped = latency, token_lifetime, True
        self.unknown_fields = False
        self.failures, self.clock_offset = failures or Failures(), 0.0
        self._rules: list[Rule] = []
        self._counts: Counter[str] = Counter()

    def change(self, body: Json) -> None:
        """Set the given values; the others stay.

        A new `fail` or `failures` replaces all old ones; `[]` or `{}` removes them.

        Raises:
            Refusal: 400 with everything that is wrong; nothing was changed.
        """
        read = BodyReader(body)
        latency, lifetime, wrapped = (
            read.seconds("latency"),
            read.seconds("token_lifetime"),
            read.flag("wrapped"),
        )
        offset, unknown = read.number("clock_offset"), read.flag("unknown_fields")
        items, inner = read.items("fail"), read.inner("failures")
        rules = None if items is None else [read_rule(item) for item in items]
        failures = None if inner is None else read_failures(inner)
        read.close()
        self.latency = self.latency if latency is None else latency
        self.token_lifetime = self.token_lifetime if lifetime is None else lifetime
        self.clock_offset = self.clock_offset if offset is None else offset
        self.wrapped = self.wrapped if wrapped is None else wrapped
        self.unknown_fields = self.unknown_fields if unknown is None else unknown
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
        """Return how often each failure has occurred; `rule` counts those of `fail`."""
        return {name: self._counts[name] for name in (*FAILURES, DELAY, "rule")}

    def shown(self) -> Json:
        """Return all controls as they are now; a used-up rule has `times` 0."""
        rules = [rule.shown() for rule in self._rules]
        numbers = {
            "latency": self.latency,
            "token_lifetime": self.token_lifetime,
            "wrapped": self.wrapped,
            "unknown_fields": self.unknown_fields,
        }
        numbers["clock_offset"] = self.clock_offset
        return numbers | {
            "fail": rules,
            "failures": self.failures.shown(),
            "failure_counts": self.failure_counts(),
        }
