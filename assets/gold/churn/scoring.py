"""Scoring: each customer with an active contract, by the version that scored the day before, or the one in use."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from assets.gold.churn.features import FEATURES, tell
from assets.gold.churn.training import (
    HORIZON_DAYS,
    NAME,
    current_manifest,
    read_features,
    registry_of,
    trained_upto,
)
from assets.warehouse import Warehouse
from models_ml.registry import ModelError, Registry

HIGH, MEDIUM = 3.0, 1.5  # times the base rate of the training
TOP = 3
Row = dict[str, Any]


def versions_of(warehouse: Warehouse, days: Sequence[str]) -> dict[str, str]:
    """The version by which each of these days is scored; days that nobody scores are left out.

    A day that was scored keeps its version as long as that is on disk, so that a rerun gives the same rows. A new day is
    scored by the version in use, unless that was trained on what happened after the day.
    """
    kept = {
        day.isoformat()
        for (day,) in warehouse.rows(
            "SELECT DISTINCT day FROM gold.customer_features WHERE day IN {days:Array(Date)}", days
        )
    }
    scored = {
        day.isoformat(): str(version)
        for day, version in warehouse.rows(
            "SELECT day, any(model_version) FROM gold.churn_risk WHERE day IN {days:Array(Date)} GROUP BY day", days
        )
    }
    registry = registry_of(warehouse)
    current = current_manifest(registry)
    found = {}
    for day in sorted(kept):
        if day in scored and _is_there(registry, scored[day]):
            found[day] = scored[day]
        elif current and date.fromisoformat(day) >= trained_upto(current):
            found[day] = current.version
    return found


def score_day(warehouse: Warehouse, day: str, version: str) -> list[Row]:
    """The rows of gold.churn_risk for one day."""
    import numpy as np

    from models_ml.churn import load_model

    model, manifest = load_model(registry_of(warehouse), NAME, version)
    frame = read_features(warehouse, day)
    probability = model.predict(frame[list(FEATURES)])
    rate = float(manifest.metrics["base_rate"])
    bands = np.select([probability >= HIGH * rate, probability >= MEDIUM * rate], ["high", "medium"], "low")
    raised = np.flatnonzero(bands != "low")
    reasons = (
        dict(zip(raised, model.reasons(frame[list(FEATURES)].iloc[raised], TOP), strict=True)) if len(raised) else {}
    )
    return [
        {
            "day": date.fromisoformat(day),
            "customer_id": UUID(customer),
            "probability": float(probability[row]),
            "band": str(bands[row]),
            "reasons": [tell(feature, value) for feature, value, _ in reasons.get(row, [])],
            "reason_features": [feature for feature, _, _ in reasons.get(row, [])],
            "reason_log_odds": [added for _, _, added in reasons.get(row, [])],
            "horizon_days": HORIZON_DAYS,
            "model_version": version,
        }
        for row, customer in enumerate(frame["customer"])
    ]


def drift_of_day(warehouse: Warehouse, day: str, version: str) -> list[Row]:
    """The rows of gold.churn_drift for one day that was scored by `version`."""
    from models_ml.churn import load_model
    from models_ml.churn.drift import measure_drift

    model, _ = load_model(registry_of(warehouse), NAME, version)
    frame = read_features(warehouse, day)[list(FEATURES)]
    if not len(frame):
        return []
    return [
        {
            "day": date.fromisoformat(day), "feature": drift.feature, "psi": drift.psi, "by_chance": drift.by_chance,
            "verdict": drift.verdict, "model_version": version,
        }
        for drift in measure_drift(model.columns, model.reference, frame, model.predict(frame))
    ]  # fmt: skip


def _is_there(registry: Registry, version: str) -> bool:
    try:
        registry.files(registry.manifest(NAME, version))
    except ModelError:
        return False
    return True
