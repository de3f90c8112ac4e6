-- The history of churn scores (gold.churn_risk), a partition a day.

-- name: days  -- -> day, oldest first: those that were scored
SELECT day FROM gold.churn_risk GROUP BY day ORDER BY day;

-- name: crossed  -- {day}, {before} the scored day before it, {level}, {after} customer, {limit} -> customer_id, in order: who was below the level and is not any more
SELECT customer_id FROM gold.churn_risk
WHERE day = {day:Date} AND probability >= {level:Float64} AND customer_id > {after:UUID} AND customer_id IN (
    SELECT customer_id FROM gold.churn_risk
    WHERE day = {before:Date} AND probability < {level:Float64} AND customer_id > {after:UUID}
)
ORDER BY customer_id LIMIT {limit:UInt32};
