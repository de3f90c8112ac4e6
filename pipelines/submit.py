"""Have the running Dagster build days: `python -m pipelines.submit FIRST LAST [TABLE...]`, the second half of `hub warehouse build`.

Unlike `pipelines.materialize`, which builds in its own process, this waits in the stack's queue, so that it never builds the same
tables beside the clocks and sensors.
"""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from urllib.parse import urlsplit

import dagster as dg
from dagster import DagsterRunStatus
from dagster_graphql import DagsterGraphQLClient, DagsterGraphQLClientError

from hub_api.errors import HubError, Invalid, Unavailable
from hub_api.settings import Settings, load_settings
from pipelines.definitions import build
from pipelines.jobs import QUIET, TAGS, customers, refresh
from pipelines.launching import range_tags

PATH = "/apps/dagster"  # as HUB_DAGSTER_URL says
ANY_JOB = "__ASSET_JOB"  # Dagster's own, which has every table
LOOK_EVERY_S = 1.0
OVER = (DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED)


def submit(
    settings: Settings, first: date, last: date, only: Sequence[str] = (), say: Callable[[str], None] = print
) -> None:
    """Build the business days `first` to `last` as runs of Dagster at HUB_DAGSTER_URL, and wait for their end; `say` hears of
    each step. With `only` (`gold/campaign_funnel`) these tables and all that they are made of, else every table.

    Raises Invalid for a name that is no table of days, Unavailable when Dagster cannot be asked, and HubError naming the run that
    did not succeed: what would have followed is not begun then. A run that was submitted goes on when this ends before it.
    """
    if not settings.dagster_url:
        raise Unavailable("HUB_DAGSTER_URL names no web server of Dagster: nobody is there to build tables")
    address = urlsplit(settings.dagster_url)
    client = DagsterGraphQLClient(
        address.hostname or "", port_number=address.port, use_https=address.scheme == "https", path_prefix=PATH, timeout=60
    )  # fmt: skip
    # Somebody waits for it: it goes before what clocks and sensors have queued. He hears of a failure and decides: no second try.
    tags = {
        "dagster/priority": "10",
        **TAGS,
        **range_tags(first.isoformat(), last.isoformat()),
        "hub/reason": "command",
        "dagster/max_retries": "0",
    }
    for job, keys in work(build(settings), only):
        try:
            run = client.submit_job_execution(job, run_config=QUIET, tags=tags, asset_selection=keys)
            say(f"{job}: {len(keys)} tables, {first} to {last}: {settings.public_url}{PATH}/runs/{run}")
            ended = _wait(client, run, say)
        except DagsterGraphQLClientError as error:
            raise Unavailable(f"Dagster at {settings.dagster_url}{PATH} could not be asked: {error}") from error
        if ended != DagsterRunStatus.SUCCESS:
            raise HubError(f"the run {run} of {job} ended as {ended.value}: see {settings.public_url}{PATH}/runs/{run}")


def work(definitions: dg.Definitions, only: Sequence[str]) -> Iterator[tuple[str, list[dg.AssetKey]]]:
    """The jobs with the tables of each that are to be built: those of events before those of customers, who are made of them too;
    or one run of what was named, whichever they belong to, so that nothing slips in between. Raises Invalid for other names."""
    of_job = {
        job.name: definitions.resolve_job_def(job.name).asset_layer.selected_asset_keys for job in (refresh, customers)
    }
    if not only:
        return ((job, sorted(keys)) for job, keys in of_job.items())
    known = set[dg.AssetKey]().union(*of_job.values())
    asked = {dg.AssetKey(name.split("/")) for name in only}
    if strangers := sorted(key.to_user_string() for key in asked - known):
        raise Invalid(f"these are no tables of days or of customers: {strangers}")
    chosen = dg.AssetSelection.assets(*asked).upstream().resolve(definitions.resolve_asset_graph())
    return iter([(ANY_JOB, sorted(chosen & known))])


def _wait(client: DagsterGraphQLClient, run: str, say: Callable[[str], None]) -> DagsterRunStatus:
    before = None
    while (status := client.get_run_status(run)) not in OVER:
        if status != before:
            say(status.value.lower())
        before = status
        time.sleep(LOOK_EVERY_S)
    say(status.value.lower())
    return status


def main(arguments: Sequence[str]) -> int:
    """Build what the command line says; the exit code is 1, and the reason told, when it was not built."""
    try:
        submit(load_settings(), date.fromisoformat(arguments[0]), date.fromisoformat(arguments[1]), arguments[2:], _say)
    except HubError as error:
        print(error, file=sys.stderr, flush=True)  # noqa: T201 - a command
        return 1
    return 0


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - a command


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
