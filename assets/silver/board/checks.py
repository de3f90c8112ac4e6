"""The copies of what people decide against expectations; that no row was lost on the way is checked by the copy itself."""

from assets.checks import expectations
from assets.silver.board.assets import benefits_and_costs, exchange_rates, kpi_baseline, segment_names, service_levels

baseline_expectations = expectations(
    kpi_baseline, "silver.kpi_baseline", "SELECT uniqExact(kpi) FROM silver.kpi_baseline", by_day=False
)
benefits_and_costs_expectations = expectations(
    benefits_and_costs,
    "silver.benefits_and_costs",
    "SELECT uniqExact(entry_id) FROM silver.benefits_and_costs",
    by_day=False,
)
rates_expectations = expectations(
    exchange_rates,
    "silver.exchange_rates",
    "SELECT uniqExact(currency, valid_from) FROM silver.exchange_rates",
    by_day=False,
)
levels_expectations = expectations(
    service_levels, "silver.service_levels", "SELECT uniqExact(hour) FROM silver.service_levels", by_day=False
)
segments_expectations = expectations(
    segment_names, "silver.segments", "SELECT uniqExact(segment_id) FROM silver.segments", by_day=False
)
