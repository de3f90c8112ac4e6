"""The customers' tables against expectations, and against the same figures computed another way."""

from assets.checks import expectations, recomputation
from assets.gold.customer.assets import customer_actions_daily, customer_features
from assets.warehouse import load_sql

actions_expectations = expectations(
    customer_actions_daily,
    "gold.customer_actions_daily",
    "SELECT uniqExact(day, customer_id, action, detail) FROM gold.customer_actions_daily WHERE day IN {days:Array(Date)}",
)
actions_recomputed = recomputation(
    customer_actions_daily,
    "recomputed_from_events",
    load_sql(__package__, "customer_actions_daily.check.sql"),
    "Messages, contacts, ratings, decisions, campaigns and tickets, from the layers below by joins",
)
features_expectations = expectations(
    customer_features,
    "gold.customer_features",
    "SELECT count() FROM silver.customers INNER JOIN (SELECT DISTINCT day FROM gold.customer_features WHERE day IN {days:Array(Date)}) AS days "
    "ON toDate(customers.created_at, {timezone:String}) <= days.day WHERE customers.lives_as = customers.customer_id",
)
features_recomputed = recomputation(
    customer_features,
    "recomputed_from_events",
    load_sql(__package__, "customer_features.check.sql"),
    "Customers, volumes, debts, contracts and refusals of the newest day, from the layers below",
)
