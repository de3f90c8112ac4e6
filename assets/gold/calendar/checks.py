"""The calendar against expectations, and its running sum against a plain one."""

from assets.checks import expectations, recomputation
from assets.gold.calendar.assets import business_calendar
from assets.warehouse import load_sql

calendar_expectations = expectations(
    business_calendar,
    "gold.business_calendar",
    "SELECT count() FROM gold.business_calendar WHERE day IN {days:Array(Date)}",
)
calendar_recomputed = recomputation(
    business_calendar,
    "recomputed_from_days",
    load_sql("assets.gold.calendar", "business_calendar.check.sql"),
    "Days without a gap, and the running sum of their open time",
)
