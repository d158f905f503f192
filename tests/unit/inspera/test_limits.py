"""Words of the limit on requests, and words of all the other limits."""

from collections.abc import Sequence

import pytest
from sync.inspera.responses.limits import speaks_of_requests

OF_REQUESTS = [
    "Too many requests",
    "TOO_MANY_REQUESTS",
    "TooManyRequests",
    "Too many concurrent requests, please try again later.",
    "Too many simultaneous API calls",
    "Too many open connections",
    "Rate limit exceeded",
    "You are being rate-limited",
    "API rate limit quota violation. Quota limit exceeded.",
    "RateLimitExceeded",
    "Request was throttled. Expected available in 3 seconds.",
    "ThrottlingException",
    "Please reduce your request rate",
    "The limit is reached. Back off.",
    "The limit on the number of requests has been reached",
    "The limit of 10 concurrent requests has been reached",
    "The limit of concurrent requests (10) is reached for this customer",
    "Maximum number of concurrent requests exceeded",
    "Maximum concurrent requests reached",
    "Max number of requests in progress exceeded",
    "Limit reached: 10 requests in progress",
    "There are already 10 requests in progress, which is the limit",
    "At most 10 requests may be in progress: 10 requests at the same time are allowed",
    "Only 10 simultaneous requests are allowed per customer",
    "You can only have 10 requests in parallel",
    "Request limit reached",
    "API request limit exceeded",
    "API limit has been reached",
    "api_limit_exceeded",
    "The number of requests exceeds the limit",
    "The number of concurrent requests is more than allowed",
    "Requests are limited to 10 at a time",
    "Your requests exceed the limit",
    "10 calls per second exceeded",
    "Quota of requests per minute used up",
    "ConcurrentRequestsLimitExceeded",
    "The concurrency limit is reached",
    "You have made too many requests",
    "You have sent more requests than allowed",
]

OF_SOMETHING_ELSE = [
    "The limit of 1500 candidates is reached",
    "the maximum number of candidates is 1500",
    "At most 100 candidates per request",
    "The maximum number of candidates in one request is 100",
    "Too many candidates in the request",
    "Too many contributors",
    "request has a time limit",
    "The requested time limit is too long",
    "The request exceeded the time limit of 60 seconds",
    "Request timed out",
    "title is limited to 500 characters",
    "The request body exceeds the maximum size limit of 8 MB",
    "Request size limit exceeded",
    "Requests of more than 8 MB are not accepted",
    "Requests exceeding the size limit are refused",
    "quota reached",
    "no licence left",
    "The limit parameter of the request must be a number",
    "limit: must be from 1 to 100",
    "Maximum extra time exceeded",
    "Request limit of 100 candidates exceeded",
    "The maximum number of attempts is reached",
    "Explanation of grades can be requested until the limit",
    "The number of requested explanations exceeds the limit",
    "Unlimited requests for extra time are not possible",
    "EXPLANATION_OF_GRADES_REQUESTED_FOR_ALL_GRADES cannot be switched off",
    "Another request for this test is in progress",
    "The test is in progress and cannot be changed",
    "Committee A does not exist",
    "Wrong committee type",
    "The user name is taken",
    "Service Unavailable",
    "The service is temporarily unavailable, please try again later",
    "Internal Server Error",
    "Multiple tokens for user",
    "invalid_grant",
    "Maximum number of sessions reached for room A",
    "limit reached",
    "Request limit exceeded: at most 50 candidates per request",
    "API limit exceeded: maximum 50 candidates per call",
    "API limit exceeded. A batch has at most 50 items.",
    "The maximum number of calls to this candidate has been reached",
    "Request quota reached for this test: 1500 candidates",
    "Title 'Rate limiting in networks' contains invalid characters",
    'Title "Too many requests" is in use',
    "Committee 'Back off' does not exist",
    "Room 'Slow down' does not exist",
    "Room «Throttling» finnes ikke",
    "Back off",
    "SlowDown",
    "The test Throttling and back-off is closed",
    "The test Rate limiting in networks is closed",
    "For mange forespørsler",
    "",
]


@pytest.mark.parametrize("words", OF_REQUESTS)
def test_words_of_the_limit_on_requests(words: str) -> None:
    assert speaks_of_requests([words], at_fault=False)


@pytest.mark.parametrize("words", OF_SOMETHING_ELSE)
def test_words_of_another_limit_or_of_none(words: str) -> None:
    assert not speaks_of_requests([words], at_fault=False)


@pytest.mark.parametrize(
    "words", ["Limit reached", "The limit is reached", "LIMIT_EXCEEDED", "API quota exceeded."]
)
def test_a_limit_without_its_object_counts_when_no_record_is_the_cause(words: str) -> None:
    assert speaks_of_requests([words], at_fault=True)
    assert not speaks_of_requests(["The limit of 1500 candidates is reached"], at_fault=True)


@pytest.mark.parametrize("words", ["SlowDown", "Please back off", "Throttled", "Rate limit"])
def test_weak_words_count_at_a_fault_or_with_a_wait_and_never_alone_in_a_refusal(
    words: str,
) -> None:
    assert speaks_of_requests([words], at_fault=True)
    assert speaks_of_requests([words], at_fault=False, asks_to_wait=True)
    assert not speaks_of_requests([words], at_fault=False)


@pytest.mark.parametrize(
    ("words", "sent"),
    [
        ("Title Too many requests is in use", ["Too many requests"]),
        ("Title TOO  MANY REQUESTS is in use", ["Too many requests"]),
        ("Title Too many requests at the s… is in use", ["Too many requests at the same time"]),
        ("INF1 Parallel requests: title is already used: only one", ["INF1 Parallel requests"]),
        ("Rate limit exceeded &amp; solved is too long", ["Rate limit exceeded & solved"]),
        ("Room Slow down: no such room", ["s1001", "Slow down"]),
    ],
)
def test_what_was_sent_does_not_count(words: str, sent: Sequence[str]) -> None:
    for at_fault in (False, True):
        assert not speaks_of_requests([words], at_fault=at_fault, sent=frozenset(sent))
        assert speaks_of_requests(
            [f"{words}. Too many concurrent requests"], at_fault=at_fault, sent=frozenset(sent)
        )


def test_connections_count_in_a_refusal_only_as_the_vendors_database_has_some_too() -> None:
    words = ["PersistenceException: too many connections"]
    assert speaks_of_requests(words, at_fault=False)
    assert not speaks_of_requests(words, at_fault=True)


def test_one_reason_of_several_is_enough_and_a_long_one_takes_no_time() -> None:
    assert speaks_of_requests(["unknown user", "Rate limit exceeded"], at_fault=False)
    for words in ("limit of the number of ", "limit reached ", "exceedaa ", "concurrent requests "):
        sent = frozenset({words.strip()})
        assert not speaks_of_requests([words * 50_000 + "end"], at_fault=True, sent=sent)
