"""Value and learned groups from features written straight into the table: sums hold, reruns change nothing, refits are compared."""

import json
from datetime import date

from assets.checks import _agree
from assets.gold.value import checks
from assets.gold.value.learn import build_clusters, build_value
from tests.assets.conftest import Given
from tests.support.data import table_hash

# Three kinds of customers: loyal, with technical trouble, in debt; {kinds} says how many of six are of which.
_FEATURES = """
INSERT INTO gold.customer_features (day, customer_id, contracts, contracts_active, monthly_micros, tenure_days, contacts_90d,
    technical_contacts_90d, campaigns_read_90d, late_micros, late_days, invoices_late, invoices_365d, invoices_paid_late_365d, billed_micros_365d,
    paid_micros_365d, tickets_90d, last_payment_at)
SELECT {day:Date}, toUUID(concat(lower(hex(toUInt64(1800000000000000000 + number))), lpad(lower(hex(sipHash64(number))), 16, '0'))), 1, (number + 1) % {unpaid:UInt32} != 0,
    if((number + 1) % {unpaid:UInt32} = 0, 0, [120, 100, 60][kind] * 1000000 + sipHash64(number, 1) % 9000000), [1500, 400, 120][kind] + sipHash64(number, 2) % 90,
    [1, 12, 2][kind], [0, 8, 0][kind], [6, 1, 0][kind],
    (kind = 3) * (150000000 + sipHash64(number, 5) % 9000000), (kind = 3) * 40, kind = 3, 12, (kind = 3) * 6, 1200000000, [1200, 1200, 700][kind] * 1000000,
    [0, 4, 0][kind], toDateTime64({day:Date}, 6, 'UTC') - toIntervalDay([3, 10, 60][kind] + number % 5)
FROM (SELECT number, {kinds:Array(UInt8)}[1 + number % 6] AS kind FROM numbers(900))
"""


def fill(given: Given, day: str, kinds: list[int], unpaid: int = 10_000) -> None:
    given.warehouse.client.command(
        _FEATURES, parameters={"day": date.fromisoformat(day), "kinds": kinds, "unpaid": unpaid}
    )


def passes(given: Given, sql: str) -> bool:
    rows = given.warehouse.rows(sql)
    return bool(rows) and all(_agree(ours, theirs) for _, ours, theirs in rows)


def test_tiers_are_shares_of_who_pays_and_scores_are_their_parts(given: Given) -> None:
    assert build_value(given.warehouse) == {}, "nothing was built yet"
    fill(given, "2026-03-08", [1, 1, 1, 2, 2, 3], unpaid=50)
    tiers = build_value(given.warehouse)
    assert sum(tiers.values()) == 900 and 38 <= tiers["Diamante"] <= 50 and tiers["Bronze"] > 400
    before = table_hash(given.warehouse.client, "gold.customer_value")
    build_value(given.warehouse)
    assert before == table_hash(given.warehouse.client, "gold.customer_value")
    assert passes(given, checks.VALUE_RECOMPUTED)
    unpaid = given.row(
        "SELECT max(value_score) AS score, any(tier) AS tier FROM gold.customer_value WHERE plan_part = 0 AND usage_part = 0"
    )
    assert unpaid == {"score": 0.0, "tier": "Bronze"}
    groups = given.rows(
        "SELECT rfm_group, avg(monthly_micros) AS monthly FROM gold.customer_value INNER JOIN gold.customer_features USING customer_id GROUP BY rfm_group"
    )
    assert len(groups) > 2
    given.warehouse.client.command(
        "ALTER TABLE gold.customer_value UPDATE value_score = value_score + 1 WHERE true SETTINGS mutations_sync = 1"
    )
    assert not passes(given, checks.VALUE_RECOMPUTED)


def test_groups_are_learned_once_a_week_or_after_a_drift_and_keep_their_numbers(given: Given) -> None:
    fill(given, "2026-03-02", [1, 1, 1, 2, 2, 3])  # a Monday
    first = build_clusters(given.warehouse)
    assert first is not None and (first.reason, first.model.k) == ("first", 3)
    before = [
        table_hash(given.warehouse.client, table) for table in ("gold.customer_clusters", "gold.cluster_models FINAL")
    ]
    again = build_clusters(given.warehouse)
    assert again is not None and again.name == first.name
    assert before == [
        table_hash(given.warehouse.client, table) for table in ("gold.customer_clusters", "gold.cluster_models FINAL")
    ]
    fill(given, "2026-03-05", [1, 1, 1, 2, 2, 3])
    same_week = build_clusters(given.warehouse)
    assert same_week is not None and (same_week.reason, same_week.name) == ("", first.name)
    assert same_week.drift is not None and same_week.drift < 0.01
    numbers = {one.cluster: one.name for one in first.model.profiles}
    fill(given, "2026-03-06", [3, 3, 3, 3, 2, 1])  # most fell into debt overnight
    drifted = build_clusters(given.warehouse)
    assert (
        drifted is not None and drifted.reason == "drift" and drifted.agreement is not None and drifted.agreement > 0.95
    )
    rows = given.rows(
        "SELECT cluster, name, count() AS n FROM gold.customer_clusters GROUP BY cluster, name ORDER BY n DESC"
    )
    debt = next(number for number, name in numbers.items() if "atras" in name.lower())
    assert rows[0]["cluster"] == debt and rows[0]["n"] == 600
    fits = given.rows("SELECT reason, stability, definition FROM gold.cluster_models FINAL ORDER BY fitted_on")
    assert [row["reason"] for row in fits] == ["first", "drift"] and all(row["stability"] > 0.9 for row in fits)
    assert json.loads(fits[0]["definition"])["profiles"][0]["name"]
