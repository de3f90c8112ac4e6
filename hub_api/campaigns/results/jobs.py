"""Campaigns as Prometheus sees them, and the daily look for messages that an opt-out should have stopped."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import structlog
from prometheus_client import Gauge

from hub_api.platform import metrics, sqlfile
from hub_api.platform.queue import job
from hub_api.platform.services import Services

log = structlog.get_logger(__name__)
queries = sqlfile.load(__package__)

LOOK_BACK = timedelta(days=8)  # a week's outage of this clock is made good


@job("maintenance", timeout_s=60)
async def watch_opt_outs(services: Services) -> None:
    """Count messages that were claimed after an opt-out of their customer was committed: none, or somebody is told at once.

    The sender forbids it (design §4.5); this looks at what was done, from outside. The gauge `campaign_opt_out_violations` and an
    error in the log name the messages; `gold/opt_outs: respected` is the same question to the warehouse, whose failure is an alert.
    """
    rows = await services.db.fetch(queries.opt_out_violations, datetime.now(UTC) - LOOK_BACK)
    metrics.opt_out_violations.set(len(rows))
    if rows:
        log.error(
            "sent_after_opt_out",
            messages=[str(row["id"]) for row in rows],
            remedy="see GET /api/v1/messages/{id}/lineage of each, and pause the campaigns they belong to",
        )


@job("maintenance", timeout_s=60)
async def measure(services: Services) -> None:
    """Set the gauges of running campaigns: what waits, is queued, sent, failed by code, opted out, and how late the first is."""
    states = await services.db.fetch(queries.campaign_states)
    lags = await services.db.fetch(queries.campaign_lags)
    by_state: Counter[tuple[str, ...]] = Counter()
    by_code: Counter[tuple[str, ...]] = Counter()
    for row in states:
        by_state[str(row["campaign_id"]), row["state"]] += row["recipients"]
        if row["state"] == "failed":
            by_code[str(row["campaign_id"]), str(row["error_code"] or "none")] += row["recipients"]
    _show(metrics.campaign_recipients, by_state)
    _show(metrics.campaign_failures, by_code)
    _show(metrics.campaign_lag_seconds, {(str(row["campaign_id"]),): row["lag_s"] for row in lags})
    _show(metrics.campaign_opt_outs, {(str(row["campaign_id"]),): row["opt_outs"] for row in lags})


_shown: dict[Gauge, set[tuple[str, ...]]] = {}


def _show(gauge: Gauge, values: Mapping[tuple[str, ...], float]) -> None:
    """Set these, and what was shown before and is over to 0: a label that several processes share cannot be taken away."""
    for gone in _shown.get(gauge, set()) - values.keys():
        gauge.labels(*gone).set(0)
    for labels, value in values.items():
        gauge.labels(*labels).set(value)
    _shown[gauge] = set(values)
