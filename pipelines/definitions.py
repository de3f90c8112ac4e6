"""The data platform on one screen: every table, its checks, and when they run. No logic lives here."""

import dagster as dg

from hub_api.settings import Settings
from pipelines import alerts, bindings, jobs, schedules, sensors, tables


def build(settings: Settings | None = None) -> dg.Definitions:
    """The definitions on `settings`, or on those of the environment of each run."""
    return dg.Definitions(
        assets=tables.assets(),
        asset_checks=tables.checks(),
        jobs=[jobs.refresh, jobs.reconcile_and_refresh, jobs.retrain, jobs.customers, jobs.board],
        schedules=[schedules.hourly, schedules.daily, schedules.weekly, schedules.customers_daily],
        sensors=[sensors.late_events, sensors.edited, sensors.conditions(), alerts.alerts],
        resources=bindings.resources(settings),
        executor=dg.in_process_executor,
    )


defs = build()
