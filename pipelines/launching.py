"""Which runs are underway, and which runs a set of days needs."""

from collections.abc import Iterable
from datetime import date, timedelta

import dagster as dg
from dagster import DagsterRunStatus

from assets.daily import END_TAG, START_TAG
from pipelines.jobs import TAGS

UNDERWAY = (
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
)
# Days in between are built along with their neighbours: that costs less than the start of another run.
MAX_GAP = timedelta(days=31)
MAX_RANGES = 4


def underway(instance: dg.DagsterInstance) -> str | None:
    """Id of a run that builds tables or waits to, None when there is none."""
    records = instance.get_run_records(dg.RunsFilter(statuses=list(UNDERWAY), tags=TAGS), limit=1)
    return records[0].dagster_run.run_id if records else None


def ranges(days: Iterable[str]) -> list[tuple[str, str]]:
    """The days as few ranges (first, last), each one run: a gap of more than a month begins another, and of more than
    four the nearest are joined."""
    found: list[tuple[date, date]] = []
    for day in sorted(map(date.fromisoformat, days)):
        if found and day - found[-1][1] <= MAX_GAP:
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    while len(found) > MAX_RANGES:
        left = min(range(len(found) - 1), key=lambda n: found[n + 1][0] - found[n][1])
        found[left : left + 2] = [(found[left][0], found[left + 1][1])]
    return [(first.isoformat(), last.isoformat()) for first, last in found]


def range_tags(first: str, last: str) -> dict[str, str]:
    """The tags that make a run cover a range of partitions."""
    return {START_TAG: first, END_TAG: last}
