"""What is built together. Each run is one process for all its steps, and one run for all its days."""

import dagster as dg

from assets.daily import CUSTOMERS
from assets.silver.board.assets import BOARD
from pipelines import tables

# Runs that build the same tables wait for each other (tag_concurrency_limits of the instance).
TAGS = {"hub/builds": "tables"}
# Of a run in this process: its events are in its event log, the console repeats none of them but trouble.
QUIET = {"loggers": {"console": {"config": {"log_level": "WARNING"}}}}

# Comparing events with PostgreSQL goes by the day they were recorded, and asks another engine: once a night.
_DAILY = dg.AssetSelection.assets(*tables.daily_keys())
_INGEST = dg.AssetSelection.groups("ingest")

refresh = dg.define_asset_job(
    "refresh",
    selection=_DAILY - _INGEST,
    executor_def=dg.in_process_executor,
    tags=TAGS,
    description="Every daily table from bronze to gold with its checks, for one day or a range of days.",
)
reconcile_and_refresh = dg.define_asset_job(
    "reconcile_and_refresh",
    selection=_DAILY,
    executor_def=dg.in_process_executor,
    tags=TAGS,
    description="`refresh` after the day's events were compared with PostgreSQL and completed.",
)
retrain = dg.define_asset_job(
    "retrain",
    selection=dg.AssetSelection.groups("models"),
    executor_def=dg.in_process_executor,
    description="The models of messages from our corpus and the newest labels of teachers; promoted when they reach their floors.",
)
customers = dg.define_asset_job(
    "customers",
    selection=dg.AssetSelection.groups(CUSTOMERS),
    executor_def=dg.in_process_executor,
    tags=TAGS,
    description="Customers and business data as PostgreSQL has them, what each customer did, features and what is made of them.",
)
board = dg.define_asset_job(
    "board",
    selection=dg.AssetSelection.assets(*BOARD),
    executor_def=dg.in_process_executor,
    description="What people decide (baselines, benefits and costs, exchange rates) as PostgreSQL has it; `customers` copies it too.",
)
