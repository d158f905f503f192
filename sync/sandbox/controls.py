"""The controls that a person can change while the sandbox runs."""

from collections import Counter

from sync.sandbox.failures import DELAY, FAILURES, Failures, read_failures
from sync.sandbox.reader import BodyReader
from sync.sandbox.request_limit import LIMIT, RequestLimit, read_limit
from sync.sandbox.rules import Rule, read_rule
from sync.sandbox.wire import CallKind, Json


class Controls:
    """The behaviour of this Inspera.

    Attributes:
        latency: the seconds by which the answer to every write is delayed, after its commit.
        token_lifetime: the lifetime of new tokens in seconds.
        wrapped: whether the answer to a read of a test is inside a `result`.
        refuse_existing: whether a post of a username that exists is refused, instead of updating
            its account (vendor contract, Users API).
        unknown_fields: whether every answer has members that no contract names.
        failures: the random failures.
        fail: the rules for calls that certainly fail. They go before `failures`.
        clock_offset: the seconds by which the `Date` of every answer is ahead of this machine's
            clock; below 0, behind it.
        export_details: whether an export of people has external ids, email and status, too.
        limit: the limit on the requests in progress.
    """

    def __init__(
        self,
        latency: float = 0.0,
        token_lifetime: float = 3600.0,
        failures: Failures | None = None,
        *,
        taken: int = 0,
    ) -> None:
        self.limit = RequestLimit(taken)
        self.latency, self.token_lifetime, self.wrapped = latency, token_lifetime, True
        self.refuse_existing = False
        self.unknown_fields = False
        self.failures, self.clock_offset = failures or Failures(), 0.0
        self.export_details = False
        self._rules: list[Rule] = []
        self._counts: Counter[str] = Counter()

    def change(self, body: Json) -> None:
        """Set the given values; the others stay.

        A new `fail`, `failures` or `limit` replaces the old one; `[]` or `{}` removes it, or sets
        its defaults.

        Raises:
            Refusal: 400 with everything that is wrong; nothing was changed.
        """
        read = BodyReader(body)
        latency, lifetime, wrapped = (
            read.seconds("latency"),
            read.seconds("token_lifetime"),
            read.flag("wrapped"),
        )
        offset, details = read.number("clock_offset"), read.flag("export_details")
        refuse_existing, unknown = read.flag("refuse_existing"), read.flag("unknown_fields")
        items, inner, strict = read.items("fail"), read.inner("failures"), read.inner("limit")
        rules = None if items is None else [read_rule(item) for item in items]
        failures = None if inner is None else read_failures(inner)
        limit = None if strict is None else read_limit(strict)
        read.close()
        if limit is not None:
            self.limit.change(limit)
        self.latency = self.latency if latency is None else latency
        self.token_lifetime = self.token_lifetime if lifetime is None else lifetime
        self.clock_offset = self.clock_offset if offset is None else offset
        self.wrapped = self.wrapped if wrapped is None else wrapped
        self.export_details = self.export_details if details is None else details
        if refuse_existing is not None:
            self.refuse_existing = refuse_existing
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
        """Return how often each failure has occurred; `rule` counts those of `fail`.

        `limit` counts the requests that were one too many.
        """
        return {name: self._counts[name] for name in (*FAILURES, DELAY, "rule", LIMIT)}

    def shown(self) -> Json:
        """Return all controls as they are now; a used-up rule has `times` 0."""
        rules = [rule.shown() for rule in self._rules]
        numbers = {
            "latency": self.latency,
            "token_lifetime": self.token_lifetime,
            "wrapped": self.wrapped,
            "refuse_existing": self.refuse_existing,
            "unknown_fields": self.unknown_fields,
        }
        numbers |= {"clock_offset": self.clock_offset, "export_details": self.export_details}
        return numbers | {
            "fail": rules,
            "failures": self.failures.shown(),
            "failure_counts": self.failure_counts(),
            "limit": self.limit.shown(),
            "peak": self.limit.peak,
        }
