"""Build days here and now, in this process: `python -m pipelines.materialize FIRST [LAST]`."""

import os
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta

import dagster as dg

from hub_api.errors import Invalid
from hub_api.settings import Settings, load_settings
from pipelines import tables
from pipelines.definitions import build
from pipelines.jobs import QUIET, customers, reconcile_and_refresh, refresh
from pipelines.launching import range_tags, ranges


def materialize(
    settings: Settings,
    days: Sequence[str],
    *,
    reconcile: bool = False,
    with_customers: bool = False,
    only: Collection[str] = (),
    raise_on_error: bool = True,
) -> list[dg.ExecuteInProcessResult]:
    """Build every table of these business days (ISO dates) with its checks, in one run per range, in this process.

    Recorded in the instance of DAGSTER_HOME when that is set, else in one that ends with the call. With `reconcile`
    the days' events are compared with PostgreSQL first; `with_customers` builds the tables of customers after them, which
    read PostgreSQL too. `only` (`gold/conversation_facts`) leaves out all other tables of events: what these are made of has
    to be there. Raises Invalid for days that the tables do not have and for an `only` that names none of theirs, and the first
    step's error, or returns results that say so.
    """
    today = datetime.now(settings.zone).date()
    if strangers := [day for day in days if not settings.history_start <= date.fromisoformat(day) <= today]:
        raise Invalid(
            f"the tables go from {settings.history_start} (HUB_HISTORY_START) to {today}; asked for {strangers[:3]}"
        )
    events = reconcile_and_refresh if reconcile else refresh
    wanted = [(events, _keys(only)), *([(customers, None)] if with_customers else [])]
    definitions = build(settings)
    with _instance() as instance:
        return [
            definitions.resolve_job_def(job.name).execute_in_process(
                instance=instance,
                tags={**range_tags(first, last), "hub/reason": "command"},
                run_config=QUIET,
                raise_on_error=raise_on_error,
                asset_selection=selected,
            )
            for job, selected in wanted
            for first, last in ranges(days)
        ]


def _keys(only: Collection[str]) -> list[dg.AssetKey] | None:
    """The tables of events by their names, None for all. Raises Invalid naming those that there are not."""
    known = {key.to_user_string(): key for key in tables.daily_keys()}
    if unknown := sorted(set(only) - set(known)):
        raise Invalid(f"these are no tables of events: {unknown}")
    return [known[name] for name in only] or None


@contextmanager
def _instance() -> Iterator[dg.DagsterInstance]:
    if not os.environ.get("DAGSTER_HOME"):
        with dg.DagsterInstance.ephemeral() as instance:
            yield instance
        return
    with dg.DagsterInstance.get() as instance:
        # Its connections are pooled, as the web server's are: by default each event of a run opens a new one.
        instance.optimize_for_webserver(statement_timeout=60_000, pool_recycle=600, max_overflow=10)
        yield instance


def days_between(first: date, last: date) -> list[str]:
    """Every day from the first to the last as partition keys."""
    return [(first + timedelta(days=n)).isoformat() for n in range((last - first).days + 1)]


def main(arguments: Sequence[str]) -> int:
    """Build the days given on the command line; the exit code is 1 when a run failed."""
    os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", "1000")  # one insert for a table's days, not one each
    first, last = date.fromisoformat(arguments[0]), date.fromisoformat(arguments[-1])
    results = materialize(load_settings(), days_between(first, last), with_customers=True, raise_on_error=False)
    return 0 if all(result.success for result in results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
