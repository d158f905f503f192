"""How long a reading of a test decides about what is sent to it, whatever delays the sending.

A call may wait for its turn, for slow answers, and for pauses that Inspera asks for. Meanwhile
somebody may give a candidate more time, or the test may begin.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from sync.engine.protocols import MayGo, Target
from sync.planning.freeze import TimeFacts

LONGEST: Final = timedelta(seconds=60)
"""The age from which a reading decides nothing any more."""


def while_recent(timing: TimeFacts, target: Target) -> MayGo:
    """Return the question whether what was judged now may still be sent.

    It is asked right before each call. `timing` tells when the test runs, as far as that is known.
    """
    judged = replace(timing, moment=target.moment())

    def may_go() -> bool:
        now = replace(timing, moment=target.moment())
        age = now.moment.latest - judged.moment.latest
        return age <= LONGEST and _stage(now) == _stage(judged)

    return may_go


def _stage(timing: TimeFacts) -> tuple[bool, ...]:
    return timing.begun, timing.frozen, timing.ended, timing.closed
