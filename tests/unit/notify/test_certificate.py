"""When a certificate ends, as read from its file."""

from datetime import UTC, datetime

import pytest
import trustme
from sync.concerns.certificate import Ending, certificate_end

ENDS = datetime(2027, 3, 1, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize("end", [ENDS, datetime(2051, 3, 1, 12, 30, tzinfo=UTC)])
def test_the_end_is_read_before_and_after_2050(end: datetime) -> None:
    chain = trustme.CA().issue_cert("exams.example.edu", not_after=end).cert_chain_pems
    pem = b"".join(one.bytes() for one in chain).decode()
    assert certificate_end(pem) == end


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no certificate",
        "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----",
        "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----",
    ],
)
def test_anything_else_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of any text
        certificate_end(text)


def test_it_is_near_two_weeks_before() -> None:
    ending = Ending("certificate", "It", ENDS, "Renew it.")
    assert not ending.is_near(datetime(2027, 2, 14, tzinfo=UTC))
    assert ending.is_near(datetime(2027, 2, 16, tzinfo=UTC))
