-- The same customers and sums another way: who is scored is whoever has an active contract; bands from the probabilities.
WITH
    scored AS (SELECT DISTINCT day FROM gold.churn_risk WHERE day IN {days:Array(Date)}),
    risk AS (SELECT * FROM gold.churn_risk WHERE day IN (SELECT day FROM scored))
SELECT figure, in_the_table, recomputed FROM
(
    SELECT
        ['customers', 'reasons with a feature and a weight', 'customers in the order of their bands', 'reasons of low risks'] AS figures,
        (SELECT [toFloat64(count()), toFloat64(sum(length(reasons))), toFloat64(count()), toFloat64(sumIf(length(reasons), band = 'low'))] FROM risk) AS ours,
        [
            (SELECT toFloat64(uniqExact(day, customer_id)) FROM gold.customer_features WHERE day IN (SELECT day FROM scored) AND contracts_active > 0),
            (SELECT toFloat64(sum(least(length(reason_features), length(arrayFilter(x -> x > 0, reason_log_odds))))) FROM risk),
            (SELECT toFloat64(countIf(probability >= floor_of_band)) FROM (
                SELECT probability, multiIf(
                    band = 'high', max(if(band = 'medium', probability, 0)) OVER (PARTITION BY day),
                    band = 'medium', max(if(band = 'low', probability, 0)) OVER (PARTITION BY day), 0) AS floor_of_band
                FROM risk)),
            toFloat64(0)
        ] AS theirs
)
ARRAY JOIN figures AS figure, ours AS in_the_table, theirs AS recomputed
