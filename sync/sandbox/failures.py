"""Random failures: their kinds, their rates, and the choice of the calls that fail.

The same seed and the same sequence of calls always give the same failures.

They are described in a file (YAML or JSON) or a mapping; each part can be left out:

    seed: 7
    rates: {throttle_with_wait: 0.02, commit_then_reset: 0.01}
    seconds: {throttle_with_wait: 1, delayed_visibility: 2}
    only: ["/api/v1/test*"]
    except: ["*/fileExport/*"]

A rate is the share, from 0 to 1, of those calls that the failure can strike; `FAILURES` describes
each. `only` and `except` are patterns of paths with `*` and `?`. They apply to all failures except
`delayed_visibility`, which holds for every write.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import accumulate
from math import ceil
from typing import get_args

from sync.sandbox.reader import BodyReader
from sync.sandbox.rules import Rule
from sync.sandbox.wire import CallKind, Json

DELAY = "delayed_visibility"

_ALL: tuple[CallKind, ...] = get_args(CallKind)
_WRITES: tuple[CallKind, ...] = ("write", "committee")


@dataclass(frozen=True, slots=True)
class Failure:
    """One kind of failure.

    Attributes:
        meaning: what it does, in one line.
        strikes: the kinds of call that it can strike.
        rule: makes its rule, given a number of seconds.
    """

    meaning: str
    strikes: tuple[CallKind, ...]
    rule: Callable[[float], Rule]


def _status(status: int) -> Callable[[float], Rule]:
    return lambda _: Rule(status=status)


FAILURES: Mapping[str, Failure] = {
    "throttle": Failure("not carried out: 429 without a Retry-After", _ALL, _status(429)),
    "throttle_with_wait": Failure(
        "not carried out: 429 with a Retry-After of `seconds`",
        _ALL,
        lambda seconds: Rule(status=429, headers={"Retry-After": str(ceil(seconds))}),
    ),
    "error_500": Failure("not carried out: 500", _ALL, _status(500)),
    "error_502": Failure("not carried out: 502", _ALL, _status(502)),
    "error_503": Failure("not carried out: 503", _ALL, _status(503)),
    "reset": Failure(
        "not carried out: the connection is reset", _ALL, lambda _: Rule(status="reset")
    ),
    "slow": Failure(
        "carried out and answered only after `seconds`", _ALL, lambda seconds: Rule(delay=seconds)
    ),
    "commit_then_reset": Failure(
        "carried out, then the connection is reset",
        _WRITES,
        lambda _: Rule(status="reset", when="after"),
    ),
    "commit_then_time_out": Failure(
        "carried out at once, and answered only after `seconds`",
        _WRITES,
        lambda seconds: Rule(latency=seconds),
    ),
    "committed_500": Failure(
        "carried out, then 500", _WRITES, lambda _: Rule(status=500, when="after")
    ),
    "errors_in_200": Failure(
        "not carried out: 200 with errors",
        _WRITES,
        lambda _: Rule(
            status=200,
            body={
                "success": True,
                "errors": ["the sandbox refuses this call, as its failures ask"],
            },
        ),
    ),
    "duplicate_name_lies": Failure(
        "committees are made, and the answer says that they are not",
        ("committee",),
        lambda _: Rule(
            status=400, when="after", body={"success": False, "errors": ["Wrong committee type"]}
        ),
    ),
    "token_expiry": Failure(
        "not carried out: 401, and the token becomes invalid; never at a token's first call",
        ("read", *_WRITES),
        lambda _: Rule(
            status=401,
            voids_token=True,
            body={
                "success": False,
                "errors": ["Authorization: the token is unknown or has expired"],
            },
        ),
    ),
    "token_409": Failure(
        "no token is given: 409, multiple tokens for user",
        ("token",),
        lambda _: Rule(
            status=409,
            body={
                "error": "Multiple tokens for user",
                "description": "Please contact inspera support",
            },
        ),
    ),
}
"""Every failure that has a rate, by name (vendor contract: Conventions, Token, Test API)."""

SECONDS: Mapping[str, float] = {
    "throttle_with_wait": 1,
    "slow": 1,
    "commit_then_time_out": 90,
    DELAY: 0,
}
"""All times that can be set, with their defaults. `delayed_visibility` applies to every write."""


class Failures:
    """Random failures (see this module's description); `strike` draws the one for a call."""

    def __init__(
        self,
        seed: int = 0,
        rates: Mapping[str, float] | None = None,
        seconds: Mapping[str, float] | None = None,
        only: Sequence[str] = (),
        spared: Sequence[str] = (),
    ) -> None:
        self.rates = dict(rates or {})
        self._seed, self._seconds = seed, dict(SECONDS) | dict(seconds or {})
        self._only, self._spared = only, spared
        self._random = random.Random(seed)  # noqa: S311  (it is to be repeatable, not secret)
        self._steps = {kind: _steps(kind, self.rates) for kind in _ALL}

    @property
    def delay(self) -> float:
        """Return the seconds until a write is readable."""
        return self._seconds[DELAY]

    def strike(self, kind: CallKind, path: str) -> Rule | None:
        """Return the failure for this call, if any; draw one number for each matching call."""
        if not self.rates or not self._takes(path):
            return None
        drawn = self._random.random()
        name = next((name for step, name in self._steps[kind] if drawn < step), None)
        if name is None:
            return None
        rule = FAILURES[name].rule(self._seconds.get(name, 0))
        rule.name = name
        return rule

    def shown(self) -> Json:
        """Return the failures in the form in which they are given."""
        words = {"seed": self._seed, "rates": self.rates, "seconds": self._seconds}
        return words | {"only": list(self._only), "except": list(self._spared)}

    def _takes(self, path: str) -> bool:
        taken = not self._only or any(fnmatchcase(path, pattern) for pattern in self._only)
        return taken and not any(fnmatchcase(path, pattern) for pattern in self._spared)


def read_failures(read: BodyReader) -> Failures:
    """Read failures in the form of `Failures.shown`; add what is wrong to its errors."""
    rates, seconds = read.inner("rates"), read.inner("seconds")
    failures = Failures(
        seed=read.whole("seed", least=0) or 0,
        rates=None if rates is None else _rates(rates),
        seconds=None if seconds is None else _seconds(seconds),
        only=read.texts("only") or (),
        spared=read.texts("except") or (),
    )
    read.done(["seed", "rates", "seconds", "only", "except"])
    return failures


def failures_of(values: Mapping[str, Json]) -> Failures:
    """Return the failures that a mapping describes.

    Raises:
        Refusal: 400 with everything that is wrong in it.
    """
    read = BodyReader(values)
    failures = read_failures(read)
    read.close()
    return failures


def _rates(read: BodyReader) -> dict[str, float]:
    values = {name: read.rate(name) for name in FAILURES}
    read.done(list(FAILURES))
    rates = {name: rate for name, rate in values.items() if rate}
    heaviest = max(
        sum(rate for name, rate in rates.items() if kind in FAILURES[name].strikes) for kind in _ALL
    )
    if round(heaviest, 9) > 1:
        many = f"those that can strike one call add up to {heaviest:g}"
        read.errors.append(f"{read.where}: {many}; lower some, so that they add up to 1 at most")
    return rates


def _seconds(read: BodyReader) -> dict[str, float]:
    values = {name: read.seconds(name) for name in SECONDS}
    read.done(list(SECONDS))
    return {name: value for name, value in values.items() if value is not None}


def _steps(kind: CallKind, rates: Mapping[str, float]) -> list[tuple[float, str]]:
    """Return the failures for a kind of call, each with the number below which a draw means it."""
    names = [
        name for name, failure in FAILURES.items() if kind in failure.strikes and name in rates
    ]
    return list(zip(accumulate(rates[name] for name in names), names, strict=True))
