"""Value and learned groups of every customer, from the newest day of gold.customer_features.

Figures of a million customers are some hundred megabytes as arrays; rows are written in portions.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from assets.warehouse import Warehouse
from models_ml.segmentation import clusters, rfm

if TYPE_CHECKING:
    import numpy as np

FEATURES = "gold.customer_features"
ROWS_A_PORTION = 100_000
FEWEST = 500  # customers below which groups would be anecdotes


@dataclass(frozen=True)
class Fit:
    """A fit in force, why it was made (empty: not now), and how it compares with the one before."""

    model: clusters.Model
    name: str
    fitted_on: date
    reason: str
    agreement: float | None
    drift: float | None


def newest_day(warehouse: Warehouse) -> date | None:
    """The newest day of the features; None when there is none."""
    day, rows = warehouse.rows(f"SELECT max(day), count() FROM {FEATURES}")[0]  # noqa: S608 - our own constant
    return day if rows else None


def read(
    warehouse: Warehouse, day: date, columns: Sequence[str]
) -> tuple[list[Any], dict[str, "np.ndarray[Any, Any]"]]:
    """Ids of all customers of a day in their order, and these expressions as float64 arrays (NaN where missing)."""
    import numpy as np

    listed = ", ".join(f"toFloat64({column}) AS c{place}" for place, column in enumerate(columns))
    sql = f"SELECT customer_id, {listed} FROM {FEATURES} WHERE day = {{day:Date}} ORDER BY customer_id"  # noqa: S608
    found = warehouse.client.query(sql, parameters={"day": day}, column_oriented=True).result_columns
    ids = list(found[0]) if found else []
    arrays = found[1:] if found else [[]] * len(columns)
    return ids, {
        column: np.array([np.nan if one is None else one for one in values], dtype=float)
        for column, values in zip(columns, arrays, strict=True)
    }


def build_value(warehouse: Warehouse) -> dict[str, Any]:
    """Rewrite gold.customer_value; customers by tier."""
    day = newest_day(warehouse)
    if day is None:
        return {}
    recency = "if(last_payment_at IS NULL, NULL, dateDiff('day', toDate(last_payment_at), day))"
    paid_in_time = "greatest(toInt64(invoices_365d) - toInt64(invoices_paid_late_365d) - toInt64(invoices_late), 0)"
    late_share = "if(invoices_365d = 0, 0, invoices_paid_late_365d / invoices_365d)"
    plain = ("monthly_micros", "tenure_days", "billed_micros_365d", "paid_micros_365d", "late_days")
    more = ("contacts_90d", "speed_mbps", "data_gb", "tickets_90d")
    ids, figures = read(warehouse, day, (recency, paid_in_time, late_share, *plain, *more))
    scores = rfm.rfm(figures[recency].clip(min=0), figures[paid_in_time], figures["paid_micros_365d"])
    value = rfm.telecom_value(
        monthly=figures["monthly_micros"], tenure_days=figures["tenure_days"], billed=figures["billed_micros_365d"],
        paid=figures["paid_micros_365d"], paid_late_share=figures[late_share], late_days=figures["late_days"],
        contacts=figures["contacts_90d"], speed_mbps=figures["speed_mbps"], data_gb=figures["data_gb"],
        tickets=figures["tickets_90d"],
    )  # fmt: skip
    parts = [value.parts[name].tolist() for name in ("plan", "tenure", "payment", "usage", "tickets")]
    rows = [
        ids, [day] * len(ids), scores.recency.tolist(), scores.frequency.tolist(), scores.money.tolist(), scores.group,
        value.score.tolist(), value.tier, *parts,
    ]  # fmt: skip
    _write(warehouse, "gold.customer_value", rows)
    return {name: value.tier.count(name) for name, _ in rfm.TIERS}


def build_clusters(warehouse: Warehouse) -> Fit | None:
    """Rewrite gold.customer_clusters by the fit in force: a new one in a new week or after a drift, the same otherwise.

    None while there are too few customers, or they do not differ.
    """
    import numpy as np

    day = newest_day(warehouse)
    if day is None:
        return None
    columns = tuple(clusters.COLUMNS)
    ids, by_column = read(warehouse, day, columns)
    if len(ids) < FEWEST:
        return None
    figures = np.column_stack([by_column[column] for column in columns])
    fit = _fit_in_force(warehouse, day, figures, columns)
    if fit is None:
        return None
    labels = clusters.assign(fit.model, figures).tolist()
    names = [fit.model.profiles[label].name for label in labels]
    _write(warehouse, "gold.customer_clusters", [ids, [day] * len(ids), labels, names, [fit.name] * len(ids)])
    return fit


def _fit_in_force(
    warehouse: Warehouse, day: date, figures: "np.ndarray[Any, Any]", columns: tuple[str, ...]
) -> Fit | None:
    """The fit of this day's week. A fit is learned from the newest one of the days before: a rerun of the day learns the same."""
    import numpy as np

    known = warehouse.rows(
        "SELECT fitted_on, model, definition FROM gold.cluster_models FINAL WHERE fitted_on < {day:Date} ORDER BY fitted_on DESC LIMIT 1",
        day=day,
    )
    before = clusters.from_json(json.loads(known[0][2])) if known else None
    reason, drift, old_labels = "first", None, None
    if before is not None and before.columns == columns:
        old_labels = clusters.assign(before, figures)
        shares = np.bincount(old_labels, minlength=before.k) / len(figures)
        drift = clusters.stability_index([one.share for one in before.profiles], shares.tolist())
        if known[0][0].isocalendar()[:2] == day.isocalendar()[:2] and drift < clusters.DRIFTED:
            return Fit(before, known[0][1], known[0][0], "", None, drift)
        reason = "drift" if drift >= clusters.DRIFTED else "weekly"
    model = clusters.fit(figures, columns, previous=before)
    if model is None:
        return None
    agreement = None if old_labels is None else clusters.agreement(old_labels, clusters.assign(model, figures))
    definition = json.dumps(clusters.to_json(model), sort_keys=True)
    name = hashlib.sha256(definition.encode()).hexdigest()[:16]
    row = [day, name, definition, model.k, model.stability[model.k], agreement, drift, reason]
    warehouse.client.insert("gold.cluster_models", [row], column_names=warehouse.columns("gold.cluster_models"))
    return Fit(model, name, day, reason, agreement, drift)


def _write(warehouse: Warehouse, table: str, columns: list[list[Any]]) -> None:
    names = warehouse.columns(table)
    with warehouse.replaced_whole(table) as aside:
        for start in range(0, len(columns[0]), ROWS_A_PORTION):
            portion = [values[start : start + ROWS_A_PORTION] for values in columns]
            warehouse.client.insert(aside, portion, column_names=names, column_oriented=True)
