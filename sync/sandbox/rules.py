"""Rules for calls that fail or behave differently on request."""

import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal

from sync.sandbox.reader import BodyReader
from sync.sandbox.wire import Answer, Json, Refusal, Status

_HEADER_NAME = re.compile(r"[A-Za-z0-9-]+")
_HEADER_VALUE = re.compile(r"[ -~]*")


@dataclass(slots=True)
class Rule:
    """A rule for calls that fail or behave differently.

    Attributes:
        method: a pattern with `*` and `?`.
        path: a pattern with `*` and `?`; the query is ignored.
        status: the answer's status, or "reset". Without it the call is answered as usual.
        when: `before`: the answer is sent and the call is not carried out; `after`: both.
        times: for how many calls the rule applies; None for all.
        skip: how many matching calls come first to which the rule does not apply.
        delay: seconds before anything is carried out.
        latency: seconds between that and the answer.
        headers: headers that are added to the answer.
        body: the answer's body.
        voids_token: whether the call's token becomes invalid.
        name: the rule's name in the log.
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
    voids_token: bool = False
    name: str = "rule"

    def takes(self, method: str, path: str) -> bool:
        """Tell whether the rule applies to this call, and count it."""
        if self.times == 0 or not (
            fnmatchcase(method, self.method) and fnmatchcase(path, self.path)
        ):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def answer(self) -> Answer | None:
        """Return the answer that replaces the usual one, if any."""
        if self.status is None:
            return None
        if self.body is not None or self.status == "reset" or self.status < 400:
            return Answer(self.status, "" if self.body is None else self.body, self.headers)
        refusal = Refusal(self.status, f"the sandbox answers {self.status}, as its controls ask")
        return Answer.no(refusal, self.headers)

    def shown(self) -> Json:
        """Return the rule as it is now, in the form in which it was given."""
        words = {"method": self.method, "path": self.path, "status": self.status, "when": self.when}
        counts = {
            "times": self.times,
            "skip": self.skip,
            "delay": self.delay,
            "latency": self.latency,
        }
        return words | counts | {"headers": self.headers, "body": self.body}


def read_rule(read: BodyReader) -> Rule:
    """Read a rule in the form of `Rule.shown`; add what is wrong to the reader's errors."""
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


def _status(read: BodyReader) -> Status | None:
    value = read.any("status")
    if value is None or value == "reset":
        return "reset" if value else None
    if isinstance(value, int) and 200 <= value <= 599:
        return value
    read.complain("status", 'must be a number from 200 to 599, or "reset"')
    return None


def _headers(read: BodyReader) -> dict[str, str]:
    value = read.any("headers")
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(_fit(name, text) for name, text in value.items()):
        read.complain("headers", 'must be names with text in ASCII, such as {"Retry-After": "2"}')
        return {}
    return value


def _fit(name: str, text: Json) -> bool:
    return (
        bool(_HEADER_NAME.fullmatch(name))
        and isinstance(text, str)
        and bool(_HEADER_VALUE.fullmatch(text))
    )
