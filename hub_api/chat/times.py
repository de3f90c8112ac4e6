"""Payload times: what the channel says about when, judged against when we received it.

A time that cannot be true is stored as one of two fixed sentinels and not as the time of arrival, so that the same
payload delivered twice makes the same row; the clocks of a conversation then run by the arrival.

The channel says whole seconds and our own messages have fractions, so within one second an answer would stand above its
question. What arrives live stands where it arrived within its second, and what came later at that second's end.
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

TOO_OLD = datetime(1970, 1, 1, tzinfo=UTC)
TOO_NEW = datetime(2100, 1, 1, tzinfo=UTC)
_FIRST_YEAR = datetime(2009, 1, 1, tzinfo=UTC)  # WhatsApp's first: nothing on the channel is older
_CLOCK_ERROR = timedelta(days=1)
_END_OF_SECOND = timedelta(microseconds=999_999)


class PayloadTime(NamedTuple):
    """`stored` goes into the row and orders it among others, `at` runs the clocks, `flag` is 'clamped' where `stored` is none
    that can be true."""

    stored: datetime
    at: datetime
    flag: str | None


def payload_time(timestamp: int | None, received_at: datetime, *, live: bool = True) -> PayloadTime:
    """The time of a payload from its Unix seconds; None (missing or unreadable) counts as too old. Not `live` is what tells
    of the past, and has no arrival that means anything."""
    if timestamp is None or timestamp < _FIRST_YEAR.timestamp():
        return PayloadTime(TOO_OLD, received_at, "clamped")
    if timestamp > (received_at + _CLOCK_ERROR).timestamp():
        return PayloadTime(TOO_NEW, received_at, "clamped")
    at = datetime.fromtimestamp(timestamp, UTC)
    return PayloadTime(max(at, min(received_at, at + _END_OF_SECOND)) if live else at, at, None)
