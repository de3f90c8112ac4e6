"""Training the churn model when it is due: examples from the warehouse, a test of time, a version in the registry."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from assets.gold.churn.features import FEATURES, columns_sql
from assets.warehouse import Warehouse, load_sql
from models_ml.registry import Manifest, ModelError, Registry, models_folder

if TYPE_CHECKING:
    import pandas as pd

NAME = "churn"
HORIZON_DAYS = 30
MEMORY_DAYS = 400  # examples older than this tell of another business
TEST_DAYS = 14  # the newest labelled snapshots, kept for the test of time
MAX_EXAMPLES = 30_000
WHOLE = 1_000_000  # shares of a sample are in millionths
TRAIN_AGAIN_DAYS = 7
FOLDS = 3
MIN_CHURNED = 30  # with fewer nothing but the base rate can be learned
# A version is put in use when, on days after those it was fitted on, it ranks better than chance, is better than the base
# rate, and not clearly worse than the version in use on the same customers.
FLOORS = {"auc": 0.55, "brier_skill": 0.0, "auc_against_current": -0.02}


@dataclass(frozen=True)
class Training:
    """What a look at training did: a version and its metrics, or why there is none."""

    version: str | None
    reason: str
    metrics: dict[str, Any]


def registry_of(warehouse: Warehouse) -> Registry:
    """The models of this hub."""
    return Registry(models_folder(warehouse.settings.home))


def train_when_due(warehouse: Warehouse, upto: date) -> Training:
    """Train on all that was known at the end of `upto`, unless the version in use is younger than a week.

    The version is written and not yet in use: the check of the asset decides.
    """
    registry = registry_of(warehouse)
    current = current_manifest(registry)
    if current and upto < trained_upto(current) + timedelta(days=TRAIN_AGAIN_DAYS):
        return Training(None, f"version {current.version} knows all until {trained_upto(current)}", {})
    frame, kept = read_examples(warehouse, upto)
    churned = int(frame["churned"].sum()) if len(frame) else 0
    if churned < MIN_CHURNED or churned == len(frame):
        return Training(
            None, f"{churned} customers of {len(frame)} examples left within {HORIZON_DAYS} days; {MIN_CHURNED} are needed", {}
        )  # fmt: skip
    return _train(registry, current, frame, kept, upto)


def read_examples(warehouse: Warehouse, upto: date) -> "tuple[pd.DataFrame, float]":
    """Features at the end of past Sundays with `churned`, the `snapshot` and the `customer`, at most about MAX_EXAMPLES rows;
    and how many of those who stayed are among them for each of those who left, against all rows (1: as they are).

    Who left is rare and tells most, so all of them are taken (up to half of the rows) and a share of who stayed: a sample by
    the answer (Prentice and Pyke 1979; King and Zeng 2001).
    """
    sql = load_sql(__package__, "examples.sql")
    around: dict[str, Any] = {"upto": upto, "horizon": HORIZON_DAYS, "memory": MEMORY_DAYS}
    counted = f"SELECT countIf(churned), count() FROM ({sql.replace('{columns}', 'features.draw AS one')})"  # noqa: S608
    churned, rows = map(int, warehouse.rows(counted, left=WHOLE, stayed=WHOLE, **around)[0])
    left = _share(MAX_EXAMPLES // 2, churned)
    stayed = _share(MAX_EXAMPLES - churned * left // WHOLE, rows - churned)
    columns = ", ".join(f"features.{name} AS {name}" for name in FEATURES)
    columns = columns.replace("features.consent_marketing", "toFloat64(features.consent_marketing)")
    parameters = warehouse.parameters((), left=left, stayed=stayed, **around)
    return warehouse.client.query_df(sql.replace("{columns}", columns), parameters=parameters), stayed / left


def _share(wanted: int, rows: int) -> int:
    return min(WHOLE, max(1, WHOLE * wanted // max(1, rows)))


def read_features(warehouse: Warehouse, day: str) -> "pd.DataFrame":
    """The features of customers with an active contract at the end of `day`, with `customer`, in the order of their ids."""
    sql = (
        f"SELECT toString(customer_id) AS customer, {columns_sql()} FROM gold.customer_features "  # noqa: S608 - our own columns
        "WHERE day IN {days:Array(Date)} AND contracts_active > 0 ORDER BY customer"
    )
    return warehouse.client.query_df(sql, parameters=warehouse.parameters([day]))


def current_manifest(registry: Registry) -> Manifest | None:
    """The version in use, None before there is one."""
    try:
        return registry.manifest(NAME)
    except ModelError:
        return None


def trained_upto(manifest: Manifest) -> date:
    """The last day of which a version knows anything."""
    return date.fromisoformat(manifest.metrics["trained_upto"])


def _train(registry: Registry, current: Manifest | None, frame: "pd.DataFrame", kept: float, upto: date) -> Training:
    import numpy as np

    from models_ml.churn import load_model, save_model, train
    from models_ml.churn.evaluate import auc_interval, evaluate, split_by_time

    columns, answers, people = frame[list(FEATURES)], frame["churned"].to_numpy(), frame["customer"].to_numpy()
    stands_for = np.where(answers == 1, 1.0, 1 / kept)
    days = [moment.date() for moment in frame["snapshot"]]
    test_from = max(days) - timedelta(days=TEST_DAYS - 1)
    before, after = split_by_time(days, HORIZON_DAYS, test_from)
    metrics: dict[str, Any] = {
        "trained_upto": upto.isoformat(), "examples": len(frame), "churned": int(answers.sum()), "stayed_kept": kept,
        "base_rate": float(np.average(answers, weights=stands_for)), "horizon_days": HORIZON_DAYS, "tested_on_later_days": False,
    }  # fmt: skip
    model, report = train(columns, answers, groups=people, folds=FOLDS, kept=kept)
    metrics |= report.metrics
    metrics["auc_logistic"] = report.baseline["auc"]
    if min(answers[before].sum(), answers[after].sum()) >= MIN_CHURNED // 2:
        earlier, _ = train(columns[before], answers[before], groups=people[before], folds=FOLDS, kept=kept)
        score = earlier.predict(columns[after])
        metrics |= evaluate(answers[after], score, stands_for[after])
        metrics["auc_low"], metrics["auc_high"] = auc_interval(answers[after], score)
        metrics["tested_on_later_days"] = True
    metrics["auc_against_current"] = 0.0
    if current and metrics["tested_on_later_days"] and trained_upto(current) < test_from:
        model_in_use = load_model(registry, NAME, current.version)[0]
        theirs = evaluate(answers[after], model_in_use.predict(columns[after]), stands_for[after])
        metrics["auc_against_current"] = metrics["auc"] - theirs["auc"]
    digest = hashlib.sha256(frame.to_csv(index=False).encode()).hexdigest()
    manifest = save_model(registry, NAME, model, data_hash=digest, metrics=metrics, floors=FLOORS)
    return Training(manifest.version, f"trained at {datetime.now(UTC):%Y-%m-%d %H:%M} UTC", manifest.metrics)
