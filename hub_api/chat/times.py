"""Payload times: what the channel says about when, judged against when we received it.

A time that cannot be true is stored as one of two fixed sentinels and not as the time of arrival, so that the same
payload delivered twice makes the same row; the clocks of a conversation then run by the arrival.
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

TOO_OLD = datetime(1970, 1, 1, tzinfo=UTC)
TOO_NEW = datetime(2100, 1, 1, tzinfo=UTC)
_FIRST_YEAR = datetime(2009, 1, 1, tzinfo=UTC)  # WhatsApp's first: nothing on the channel is older
_CLOCK_ERROR = timedelta(days=1)


class PayloadTime(NamedTuple):
    """`stored` goes into the row, `at` runs the clocks, `flag` is 'clamped' where the two differ."""

    stored: datetime
    at: datetime
    flag: str | None


def payload_time(timestamp: int | None, received_at: datetime) -> PayloadTime:
    """The time of a payload from its Unix seconds; None (missing or unreadable) counts as too old."""
    if timestamp is None or timestamp < _FIRST_YEAR.timestamp():
        return PayloadTime(TOO_OLD, received_at, "clamped")
    if timestamp > (received_at + _CLOCK_ERROR).timestamp():
        return PayloadTime(TOO_NEW, received_at, "clamped")
    at = datetime.fromtimestamp(timestamp, UTC)
    return PayloadTime(at, at, None)
