"""A reader of reasons that tells the limit on requests from all other limits.

The vendor's words for "too many requests in progress" are not published (vendor contract,
Conventions), and neither is the status that they come with. So they are recognised by their
meaning: a limit, and what it limits. "The limit of 1500 candidates is reached" is a refusal of
these candidates, and must not slow all calls down. Neither must a title or a room that the response
repeats.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from sync.inspera.responses.wording import MOST_TEXTS, READ, plain, without_quoted, without_sent

_AT_ONCE = r"(?:concurrent|simultaneous|parallel)"
_KIND = rf"(?:(?:api|http|rest|client|open|active|outstanding|running|ongoing|{_AT_ONCE})\s)*"
_REACHED = r"(?:reached|exceed\w*|hit|violat\w*|used up|full)"
_BETWEEN = (
    rf"(?:\s|[:(\d]|of|on|for|the|your|a|total|number|maximum|allowed|permitted|max|{_REACHED}"
    r"|has|have|been|is|was|to)*"
)
_A_LIMIT = rf"(?:limit\w*|max(?:imum)?|quota|allow\w*|only|more than|at most|too many|{_REACHED})"
_A_RATE = (
    r"(?:requests|calls) (?:in (?:progress|flight|parallel)|at once|at (?:a|the same) time"
    r"|simultaneously|concurrently|(?:per|a) (?:second|minute|hour|day))\b"
)


def _clear(requests: str) -> str:
    """Return the pattern of words that no other limit has."""
    return (
        rf"\btoo many (?:\w+ )?{_AT_ONCE} {requests}"
        rf"|\b(?:rate|concurrency) ?limit\b{_BETWEEN}(?:quota )?{_REACHED}"
        rf"|\b{_AT_ONCE} {requests}[^.;]*\b{_A_LIMIT}"
        rf"|\b{_A_LIMIT}[^.;]*\b{_AT_ONCE} {requests}"
        rf"|\b{_A_RATE}[^.;]*\b{_A_LIMIT}"
        rf"|\b{_A_LIMIT}[^.;]*\b{_A_RATE}"
    )


def _usual(requests: str) -> str:
    """Return the pattern of words that also tell of the size of one request, next to other words."""
    return (
        rf"\btoo many {requests}"
        r"|\b(?:are|is|be|being|been) rate limited\b"
        r"|\brequests? (?:is |was |are |were |has been |have been )(?:being )?throttled\b"
        r"|\bthrottling (?:exception|error)\b"
        r"|\b(?:reduce|lower) (?:your |the )?request rate\b"
        # A limit, and at once what it limits: "the limit of 10 concurrent requests".
        rf"|\b(?:limits?|max(?:imum)?|quota){_BETWEEN}\s{requests}"
        rf"|\bnumber of {requests}[^.;]*\b{_A_LIMIT}"
        # What is limited, and at once its limit: "API request limit exceeded", "requests exceed".
        rf"|\b(?:requests?|calls?|api) (?:limit|quota)s? {_BETWEEN}\b{_REACHED}"
        rf"|\b{requests} (?:are |is |have been |has been )?"
        rf"(?:limited|exceed\w* (?:the |your |our )?(?:rate |api )?(?:limit|quota|maximum|allow))"
        r"|\b(?:made|sent|have) (?:more|too many) (?:requests|calls)\b"
    )


@dataclass(frozen=True, slots=True)
class _Patterns:
    """The words of the limit: `clear` ones, and `usual` ones that other limits may have, too."""

    clear: re.Pattern[str]
    usual: re.Pattern[str]


_REFUSAL: Final = _Patterns(
    *(
        re.compile(pattern(rf"{_KIND}(?:requests|calls|connections)\b"))
        for pattern in (_clear, _usual)
    )
)
_FAULT: Final = _Patterns(
    # Not "connections": those of the vendor's own database may be meant.
    *(re.compile(pattern(rf"{_KIND}(?:requests|calls)\b")) for pattern in (_clear, _usual))
)
_WEAK: Final = re.compile(
    r"\bthrottl|\bslow down\b|\bback(?:ing)? ?off\b|\brequest rate\b|\b(?:rate|concurrency) ?limit"
)
_WEAK_WITH: Final = re.compile(rf"\b(?:limit|quota|too many|{_REACHED})\b")
_ALONE: Final = re.compile(
    r"(?:the |an? |your )?(?:usage |api |customer )*(?:limit|quota) (?:is |was |has been )*"
    r"(?:reached|exceeded)\W*(?:(?:please )?try again later\W*)?"
)
_OF_ONE_REQUEST: Final = re.compile(
    r"\b(?:candidates?|contributors?|committees?|learners?|students?|participants?|persons?|people"
    r"|items?|entries|records?|rows?|elements?|characters|bytes|size|[km]b|batch"
    r"|per (?:call|request)|in (?:one|a|an|the|this|each|every|a single|one single) (?:call|request)"
    r"|(?:this|the) (?:test|assessment|exam))\b"
)


def speaks_of_requests(
    reasons: Iterable[str],
    *,
    at_fault: bool,
    sent: frozenset[str] = frozenset(),
    asks_to_wait: bool = False,
) -> bool:
    """Tell whether one of the vendor's reasons is the limit on requests.

    With `at_fault` (5xx), "limit reached" alone counts too: no record is the cause of such a
    response. In a refusal it may be a limit of that record. Likewise "slow down" alone, which a
    refusal may have in a title; there it counts if the response also `asks_to_wait`. `sent` are the
    values of the request, whose words do not count.
    """
    weak = at_fault or asks_to_wait
    return any(
        _is_of_requests(reason, sent, _FAULT if at_fault else _REFUSAL, weak=weak)
        or (at_fault and _ALONE.fullmatch(plain(reason)))
        for reason in _bounded(reasons)
    )


def _bounded(reasons: Iterable[str]) -> Iterator[str]:
    """Yield different reasons, a bounded number and length of them: the search takes its time."""
    left = READ
    for reason in dict.fromkeys(islice(reasons, MOST_TEXTS)):
        yield reason[:left]
        left -= len(reason)
        if left <= 0:
            return


def _is_of_requests(reason: str, sent: frozenset[str], words: _Patterns, *, weak: bool) -> bool:
    if not _tells_limit(plain(reason), words, "", weak=weak):
        return False
    text = plain(without_quoted(without_sent(reason, sent)))
    # A response may also repeat a part of what was sent.
    return _tells_limit(text, words, "\n".join(map(plain, sent)), weak=weak)


def _tells_limit(text: str, words: _Patterns, sent: str, *, weak: bool) -> bool:
    def occurs(pattern: re.Pattern[str]) -> bool:
        return any(found[0] not in sent for found in pattern.finditer(text))

    if occurs(words.clear):
        return True
    if _OF_ONE_REQUEST.search(text):
        return False
    return occurs(words.usual) or (
        occurs(_WEAK) and bool(weak or _WEAK_WITH.search(_WEAK.sub(" ", text)))
    )
