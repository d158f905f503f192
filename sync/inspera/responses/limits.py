"""A reader of reasons that tells the limit on requests from all other limits.

The vendor's words for "too many requests in progress" are not published (vendor contract,
Conventions), and neither is the status that they come with. So they are recognised by their
meaning: a limit, and what it limits. "The limit of 1500 candidates is reached" is a refusal of
these candidates, and must not slow all calls down.
"""

import re
from collections.abc import Iterable
from typing import Final

_READ: Final = 4000  # characters of a reason that are looked at
_WORD_BOUNDARY = re.compile(r"(?<=[a-z])(?=[A-Z])|[_\-\s]+")

_AT_ONCE = r"(?:concurrent|simultaneous|parallel)"
_KIND = rf"(?:(?:api|http|rest|client|open|active|outstanding|running|ongoing|{_AT_ONCE})\s)*"
_REQUESTS = rf"{_KIND}(?:requests|calls|connections)\b"
_REACHED = r"(?:reached|exceed\w*|hit|violat\w*|used up|full)"
_BETWEEN = (
    rf"(?:\s|[:(\d]|of|on|for|the|your|a|total|number|maximum|allowed|permitted|max|{_REACHED}"
    r"|has|have|been|is|was|to)*"
)
_A_LIMIT = rf"(?:limit\w*|max(?:imum)?|quota|allow\w*|only|more than|at most|too many|{_REACHED})"

_ALWAYS: Final = re.compile(
    rf"\btoo many {_REQUESTS}"
    r"|\b(?:rate|concurrency) ?limit"
    r"|\bthrottl"
    r"|\brequest rate\b"
    r"|\bslow down\b"
    r"|\bback(?:ing)? ?off\b"
    # A limit, and at once what it limits: "the limit of 10 concurrent requests".
    rf"|\b(?:limits?|max(?:imum)?|quota){_BETWEEN}\s{_REQUESTS}"
    rf"|\bnumber of {_REQUESTS}[^.;]*\b{_A_LIMIT}"
    # What is limited, and at once its limit: "API request limit exceeded", "requests exceed the".
    rf"|\b(?:requests?|calls?|api) (?:limit|quota)s? {_BETWEEN}\b{_REACHED}"
    rf"|\b{_REQUESTS} (?:are |is |have been |has been )?"
    rf"(?:limited|exceed\w* (?:the |your |our )?(?:rate |api )?(?:limit|quota|maximum|allow))"
    rf"|\b{_AT_ONCE} {_REQUESTS}[^.;]*\b{_A_LIMIT}"
    rf"|\b{_A_LIMIT}[^.;]*\b{_AT_ONCE} {_REQUESTS}"
    r"|\b(?:requests|calls) (?:in (?:progress|flight|parallel)|at once|at (?:a|the same) time"
    rf"|simultaneously|concurrently|(?:per|a) (?:second|minute|hour|day))\b[^.;]*\b{_A_LIMIT}"
    rf"|\b{_A_LIMIT}[^.;]*\b(?:requests|calls) (?:in (?:progress|flight|parallel)|at once"
    r"|at (?:a|the same) time|simultaneously|concurrently|(?:per|a) (?:second|minute|hour|day))\b"
    r"|\b(?:made|sent|have) (?:more|too many) (?:requests|calls)\b"
)
_ALONE: Final = re.compile(
    r"(?:the |an? |your )?(?:usage |api |customer )*(?:limit|quota) (?:is |was |has been )*"
    r"(?:reached|exceeded)\W*(?:(?:please )?try again later\W*)?"
)


def speaks_of_requests(reasons: Iterable[str], *, at_fault: bool) -> bool:
    """Tell whether one of the vendor's reasons is the limit on requests.

    With `at_fault` (5xx), "limit reached" alone counts too: no record is the cause of such a
    response. In a refusal it may be a limit of that record.
    """
    for reason in reasons:
        text = _WORD_BOUNDARY.sub(" ", reason[:_READ]).lower().strip()
        if _ALWAYS.search(text) or (at_fault and _ALONE.fullmatch(text)):
            return True
    return False
