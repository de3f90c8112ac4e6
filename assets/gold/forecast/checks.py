"""The forecast's tables against expectations, and against the same figures computed another way."""

from assets.checks import expectations, recomputation
from assets.gold.forecast.assets import kpi_anomalies, volume_forecast
from assets.warehouse import load_sql

forecast_expectations = expectations(
    volume_forecast,
    "gold.volume_forecast",
    "SELECT uniqExact(day, hour, queue) FROM gold.volume_forecast WHERE day IN {days:Array(Date)}",
)
forecast_recomputed = recomputation(
    volume_forecast,
    "recomputed_from_the_calendar",
    load_sql(__package__, "volume_forecast.check.sql"),
    "Hours of fourteen days, intervals in order, people enough for the load",
)
anomalies_expectations = expectations(
    kpi_anomalies,
    "gold.kpi_anomalies",
    "SELECT uniqExact(day, metric, dimension, key, started_at, hours) FROM gold.kpi_anomalies WHERE day IN {days:Array(Date)}",
)
anomalies_recomputed = recomputation(
    kpi_anomalies,
    "recomputed_from_conversations",
    load_sql(__package__, "kpi_anomalies.check.sql"),
    "Contacts of the alarms counted again, and their direction",
)
