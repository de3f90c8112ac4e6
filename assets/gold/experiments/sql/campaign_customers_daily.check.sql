-- The same steps summed without customers, which has its own check; and who was written to, from silver.
SELECT figure, in_the_table, recomputed FROM
(
    SELECT
        ['sent', 'delivered', 'read', 'failed', 'clicked', 'clicks', 'replied', 'converted', 'goals', 'value in millionths', 'opted out', 'cost in millionths',
            'customers and variants written to'] AS figures,
        (SELECT [toFloat64(sum(sent)), toFloat64(sum(delivered)), toFloat64(sum(read)), toFloat64(sum(failed)), toFloat64(sum(clicked)), toFloat64(sum(clicks)), toFloat64(sum(replied)),
            toFloat64(sum(converted)), toFloat64(sum(goals)), toFloat64(sum(value_micros)), toFloat64(sum(opted_out)), toFloat64(sum(cost_micros)),
            toFloat64(uniqExactIf((day, campaign_id, variant, customer_id), sent > 0))]
            FROM gold.campaign_customers_daily WHERE day IN {days:Array(Date)}) AS ours,
        (SELECT [toFloat64(sum(sent)), toFloat64(sum(delivered)), toFloat64(sum(read)), toFloat64(sum(failed)), toFloat64(sum(clicked)), toFloat64(sum(clicks)), toFloat64(sum(replied)),
            toFloat64(sum(converted)), toFloat64(sum(goals)), toFloat64(sum(value_micros)), toFloat64(sum(opted_out)), toFloat64(sum(cost_micros)),
            (SELECT toFloat64(uniqExact(day, campaign_id, variant, customer_id)) FROM silver.messages
                WHERE campaign_id IS NOT NULL AND day IN {days:Array(Date)})]
            FROM gold.campaign_funnel WHERE day IN {days:Array(Date)}) AS theirs
)
ARRAY JOIN figures AS figure, ours AS in_the_table, theirs AS recomputed
