"""What is built together. Each run is one process for all its steps, and one run for all its days."""

import dagster as dg

# Runs that build the same tables wait for each other (tag_concurrency_limits of the instance).
TAGS = {"hub/builds": "tables"}
# Of a run in this process: its events are in its event log, the console repeats none of them but trouble.
QUIET = {"loggers": {"console": {"config": {"log_level": "WARNING"}}}}

refresh = dg.define_asset_job(
    "refresh",
    selection=dg.AssetSelection.groups("events", "service", "cost"),
    executor_def=dg.in_process_executor,
    tags=TAGS,
    description="Every table from bronze to gold with its checks, for one day or a range of days.",
)
reconcile_and_refresh = dg.define_asset_job(
    "reconcile_and_refresh",
    selection=dg.AssetSelection.groups("ingest", "events", "service", "cost"),
    executor_def=dg.in_process_executor,
    tags=TAGS,
    description="`refresh` after the day's events were compared with PostgreSQL and completed.",
)
