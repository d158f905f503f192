"""What the sandbox was told to do wrong: how slow it is, how long its tokens live, and which calls fail, and how."""

import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal

from sync.sandbox.wire import Answer, Json, Reader, Refusal, Status

_HEADER_NAME = re.compile(r"[A-Za-z0-9-]+")
_HEADER_VALUE = re.compile(r"[ -~]*")


@dataclass(slots=True)
class Rule:
    """Calls that do not go as they should.

    `method` and `path` are matched with `*` and `?`; the query is not looked at. The first `skip` calls that match
    pass unharmed; then the rule holds for `times` calls, or for ever when that is `None`. `delay` seconds go by before
    anything is carried out, and `latency` seconds after that, before the answer. Without a `status` the call is carried
    out and answered as usual; with one it is answered with that (or dropped), and `when` says whether it is carried out
    all the same.
    """

    method: str = "*"
    path: str = "*"
    status: Status | None = None
    when: Literal["before", "after"] = "before"
    times: int | None = None
    skip: int = 0
    delay: float = 0.0
    latency: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)
    body: Json = None

    def takes(self, method: str, path: str) -> bool:
        """Whether the rule holds for this call; counts it."""
        if self.times == 0 or not (fnmatchcase(method, self.method) and fnmatchcase(path, self.path)):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def answer(self) -> Answer | None:
        """What is answered instead, if anything is."""
        if self.status is None:
            return None
        if self.body is not None or self.status == "reset" or self.status < 400:
            return Answer(self.status, "" if self.body is None else self.body, self.headers)
        refusal = Refusal(self.status, f"the sandbox was told to answer {self.status}")
        return Answer.no(refusal, self.headers)

    def shown(self) -> Json:
        """The rule as it stands now, in the words in which it was given."""
        words = {"method": self.method, "path": self.path, "status": self.status, "when": self.when}
        counts = {"times": self.times, "skip": self.skip, "delay": self.delay, "latency": self.latency}
        return words | counts | {"headers": self.headers, "body": self.body}


class Controls:
    """What a person can change while the sandbox runs.

    `latency` is in seconds: every write's answer waits that long, after its commit. `token_lifetime` is in seconds and
    holds for tokens given from now on.
    """

    def __init__(self, latency: float, token_lifetime: float) -> None:
        self.latency, self.token_lifetime = latency, token_lifetime
        self._rules: list[Rule] = []

    def change(self, body: Json) -> None:
        """Takes new values for `latency`, `token_lifetime` and `fail`; a new `fail` replaces all rules, `[]` ends them.

        Raises:
            Refusal: 400 with everything that is wrong; nothing was changed.
        """
        read = Reader(body)
        latency, lifetime = read.seconds("latency"), read.seconds("token_lifetime")
        items = read.items("fail")
        rules = None if items is None else [_rule(item) for item in items]
        read.close()
        self.latency = self.latency if latency is None else latency
        self.token_lifetime = self.token_lifetime if lifetime is None else lifetime
        self._rules = self._rules if rules is None else rules

    def rule_for(self, method: str, path: str) -> Rule | None:
        """The first rule that holds for this call."""
        return next((rule for rule in self._rules if rule.takes(method, path)), None)

    def shown(self) -> Json:
        """Everything as it stands now; a used-up rule has `times` 0."""
        rules = [rule.shown() for rule in self._rules]
        return {"latency": self.latency, "token_lifetime": self.token_lifetime, "fail": rules}


def _rule(read: Reader) -> Rule:
    status = _status(read)
    when = read.text("when")
    if when not in (None, "before", "after"):
        read.complain("when", "must be before or after")
    rule = Rule(
        method=(read.text("method") or "*").upper(),
        path=read.text("path") or "*",
        status=status,
        when="after" if when == "after" else "before",
        times=read.whole("times", least=0),
        skip=read.whole("skip", least=0) or 0,
        delay=read.seconds("delay") or 0.0,
        latency=read.seconds("latency") or 0.0,
        headers=_headers(read),
        body=read.any("body"),
    )
    read.done()
    return rule


def _status(read: Reader) -> Status | None:
    value = read.any("status")
    if value is None or value == "reset":
        return "reset" if value else None
    if isinstance(value, int) and 200 <= value <= 599:
        return value
    read.complain("status", 'must be a number from 200 to 599, or "reset"')
    return None


def _headers(read: Reader) -> dict[str, str]:
    value = read.any("headers")
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(_fit(name, text) for name, text in value.items()):
        read.complain("headers", 'must be names with text in ASCII, such as {"Retry-After": "2"}')
        return {}
    return value


def _fit(name: str, text: Json) -> bool:
    return bool(_HEADER_NAME.fullmatch(name)) and isinstance(text, str) and bool(_HEADER_VALUE.fullmatch(text))
