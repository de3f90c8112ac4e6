"""The data platform on one screen: every table, its checks, and when they run. No logic lives here."""

import dagster as dg

from assets.bronze import assets as bronze
from assets.bronze import checks as bronze_checks
from assets.gold import assets as gold
from assets.gold.cost import assets as cost
from assets.gold.cost import checks as cost_checks
from assets.gold.service import assets as service
from assets.gold.service import checks as service_checks
from assets.raw import assets as raw
from assets.silver import assets as silver
from assets.silver import checks as silver_checks
from hub_api.settings import Settings
from pipelines import bindings, jobs, schedules, sensors


def build(settings: Settings | None = None) -> dg.Definitions:
    """The definitions on `settings`, or on those of the environment of each run."""
    return dg.Definitions(
        assets=dg.load_assets_from_modules([raw, bronze, silver, service, cost, gold]),
        asset_checks=dg.load_asset_checks_from_modules([bronze_checks, silver_checks, service_checks, cost_checks]),
        jobs=[jobs.refresh, jobs.reconcile_and_refresh],
        schedules=[schedules.hourly, schedules.daily],
        sensors=[sensors.late_events],
        resources=bindings.resources(settings),
        executor=dg.in_process_executor,
    )


defs = build()
