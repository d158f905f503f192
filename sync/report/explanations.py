"""Why changes do not go ahead, in plain words for people who do not run this program."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from sync.records.changes import Cause


class CauseWords(NamedTuple):
    """A cause as a short heading, in plain words, and the number of its rule."""

    title: str
    text: str
    rule: int | None = None


EXPLANATIONS: Final[Mapping[Cause, CauseWords]] = {
    Cause.SOURCE: CauseWords(
        "A source is incomplete or doubtful",
        "A file or table was missing, shorter than usual, or had rows that nobody could assign. "
        "Who is missing in it has perhaps not left, so nothing is removed because of it. "
        "Deliver the source again, complete.",
        5,
    ),
    Cause.NEEDS: CauseWords(
        "Something else comes first",
        "The person or the test that this needs is not in Inspera yet. It follows by itself once "
        "the other one is there.",
        9,
    ),
    Cause.BEGUN: CauseWords(
        "The test has begun",
        "Nobody is taken off a test that has begun, and what is fixed at its start stays. "
        "Nothing needs to be done.",
        8,
    ),
    Cause.STARTED: CauseWords(
        "The candidate has started the test",
        "Inspera keeps a candidate who has started, and so does this program. It is tried again "
        "only when the source or the test changes. Nothing needs to be done.",
        8,
    ),
    Cause.FREEZE: CauseWords(
        "The test starts soon or is under way",
        "Close to its start a test is left alone, except for additions and for more time. "
        "A change of graders or committees follows by itself after the end; what concerns "
        "candidates stays as it is, unless somebody allows it.",
        16,
    ),
    Cause.ENDED: CauseWords(
        "The test has ended",
        "After its end a test and its candidates stay as they were when it was sat; only graders, "
        "committees and options still change. Nothing needs to be done.",
        16,
    ),
    Cause.CLOSED: CauseWords(
        "The test ended long ago",
        "Nothing on it changes any more. If something must, the time after which this is so can be "
        "made longer in the configuration.",
        16,
    ),
    Cause.TIMES: CauseWords(
        "Unlikely or dangerous times",
        "The new times would move, shorten or end a test that people are about to sit, or they "
        "can't be right. Compare them with the exam plan, and correct the source or approve them.",
        35,
    ),
    Cause.CLOCK: CauseWords(
        "The clock is wrong",
        "The clock of this machine and that of Inspera differ, so it is not known which tests "
        "have begun. Set the clock.",
        38,
    ),
    Cause.FULL: CauseWords(
        "The test is full",
        "The test has as many candidates as Inspera accepts. Divide it, or remove somebody.",
        13,
    ),
    Cause.NUMBER: CauseWords(
        "The candidate number is in use",
        "Another candidate who stays on the test has this number. Correct the numbers in the "
        "source.",
        36,
    ),
    Cause.REFUSED: CauseWords(
        "Refused by Inspera",
        "Inspera has refused exactly this before. It is tried again later, and at once when the "
        "row changes. The reason is in Inspera's words.",
        22,
    ),
    Cause.ARCHIVED: CauseWords(
        "The test is archived in Inspera",
        "Inspera takes no change of an archived test. Restore it in Inspera, or leave it out of "
        "the source.",
        22,
    ),
    Cause.FRESH: CauseWords(
        "Too new to be judged",
        "This was changed moments ago, so Inspera may not show it yet. The next run decides.",
    ),
    Cause.OUTDATED: CauseWords(
        "Inspera was read too long ago",
        "Calls had to wait so long that Inspera must be read again before this is sent. The next "
        "run does so.",
        17,
    ),
    Cause.LIMIT: CauseWords(
        "More changes than usual",
        "There are more changes of one kind than the limits allow at once. That is typical of an "
        "incomplete file. Check the source first. Approve the changes only if they are right.",
        15,
    ),
    Cause.ZEROS: CauseWords(
        "Leading zeros are lost",
        "A number has only lost the zeros at its beginning, as happens in a spreadsheet. Correct "
        "the file.",
        2,
    ),
    Cause.LAST: CauseWords(
        "The only committee of its test",
        "No source names this committee any more, but without it nobody could grade the test. It "
        "leaves by itself once the test has another grading committee in Inspera.",
        8,
    ),
    Cause.GRACE: CauseWords(
        "Missing only since a short time",
        "Who is missing in one delivery may be back in the next. So a removal waits until a record "
        "has been missing for long enough. It follows by itself.",
        5,
    ),
    Cause.PROTECTED: CauseWords(
        "Protected for now",
        "Somebody has protected this record from changes, for the reason and until the day that "
        "are named.",
        11,
    ),
    Cause.PILOT: CauseWords(
        "Outside the pilot group",
        "Only a pilot group is kept in step so far. Everything else is left alone.",
        11,
    ),
    Cause.IDENTITY_CHANGE: CauseWords(
        "Perhaps the same person or test under another identifier",
        "An identifier has changed, or a new record looks like one that has vanished. A mistake "
        "would make a second account or test. Decide whether it is the same one.",
        2,
    ),
    Cause.DRIFT: CauseWords(
        "Changed by hand in Inspera",
        "Somebody has changed this in Inspera. Decide whether Inspera or the source is right.",
        17,
    ),
    Cause.DOUBTFUL: CauseWords(
        "No certain match in Inspera",
        "Several accounts in Inspera match, or one matches only in part. Decide which one it is.",
        32,
    ),
    Cause.FOUND: CauseWords(
        "Was in Inspera before",
        "This program did not put it there, so it does not remove it.",
        10,
    ),
    Cause.SHARED: CauseWords(
        "Two people have one account",
        "Somebody else has, or claims, the same account in Inspera. Correct the source, or "
        "Inspera.",
        31,
    ),
    Cause.TAKEN: CauseWords(
        "The username exists in Inspera",
        "Inspera refused to create the account, because its username exists, and no account could "
        "be matched. An administrator must look for it in Inspera.",
        32,
    ),
    Cause.UPDATES: CauseWords(
        "Inspera takes no updates of people",
        "This tenant refuses a username that exists, also for a change of its own account. So "
        "changed names and addresses do not reach Inspera. An administrator must set the call "
        "that updates people, or correct these accounts in Inspera.",
        21,
    ),
    Cause.PARENT: CauseWords(
        "The test is a parent of other tests",
        "Such a test consists of other tests, and these have the candidates. Register people for "
        "the other tests, or approve the changes if they are meant.",
        7,
    ),
    Cause.NAMED: CauseWords(
        "Other sources still name it",
        "One source does not contain it any more, while others still do. Correct one of them.",
        7,
    ),
    Cause.CONFIGURATION: CauseWords(
        "Made by a new configuration",
        "The sources are the same, but the configuration has changed, and so it makes many "
        "changes. An administrator must say whether that is meant.",
        15,
    ),
    Cause.UNDONE: CauseWords(
        "Taken back by a person",
        "A person has taken exactly this change back. It is not sent again as long as the sources "
        "say the same, unless it is approved.",
    ),
    Cause.ONE_WAY: CauseWords(
        "An option that acts one way",
        "Switching this option off takes back nothing that it has done since it was switched on. "
        "Allow it if it is meant for what is still to come.",
        12,
    ),
    Cause.REJECTED: CauseWords(
        "Rejected by a person",
        "A person has said no to exactly this change. It is not sent as long as it is the same. "
        "Correct the source.",
    ),
    Cause.LOST: CauseWords(
        "The state seems to be lost",
        "Inspera has records of this program, but the program does not remember them. "
        "An administrator must recover the state.",
        18,
    ),
}


def explanation_of(cause: str) -> CauseWords:
    """Return what to tell people about a cause, also one that has no words of its own."""
    try:
        known = EXPLANATIONS.get(Cause(cause))
    except ValueError:
        known = None
    title = cause.replace("_", " ").capitalize() or "Other reasons"
    return known or CauseWords(title, "")
