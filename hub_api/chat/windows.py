"""The times in which a customer may be written to freely, and in which that is free: pure, on payload times.

Rules: channel document §4.1 (customer service window, free entry point). Both belong to a pair of number and customer.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

SERVICE = timedelta(hours=24)
ANSWERED_WITHIN = timedelta(hours=24)
FREE_ENTRY = timedelta(hours=72)


def service_until(spoke_at: datetime | None) -> datetime | None:
    """End of the window that the customer's last message or call at `spoke_at` opened; None: never wrote."""
    return spoke_at + SERVICE if spoke_at is not None else None


def service_open(spoke_at: datetime | None, at: datetime) -> bool:
    """Whether anything but a template may go out at `at`."""
    until = service_until(spoke_at)
    return until is not None and at < until


def free_entry_until(arrivals: Iterable[datetime], answers: Iterable[datetime], at: datetime) -> datetime | None:
    """End of the free entry that runs at `at`; None when none does.

    `arrivals`: when the customer came from an ad; `answers`: when we wrote. The first answer within 24 h of an arrival
    begins 72 h in which nothing is charged. Any order; what lies after `at` counts for nothing yet. The channel tells both in
    whole seconds, and an arrival's row stands somewhere within its own (chat/times.py): an answer of the same second is one.
    """
    told = sorted(answer for answer in answers if answer <= at)
    ends = [
        answer + FREE_ENTRY
        for arrival in (one.replace(microsecond=0) for one in arrivals)
        if (answer := next((one for one in told if one >= arrival), None)) is not None
        and answer < arrival + ANSWERED_WITHIN
    ]
    return max((end for end in ends if at < end), default=None)
