-- The backlog at the end of the last of the days as the number of conversations whose newest step by then left them open.
SELECT
    'conversations open at the end of the last day' AS figure,
    (SELECT toFloat64(sum(toInt64(change))) FROM gold.backlog_changes WHERE day <= {last:Date}) AS in_the_table,
    (
        SELECT toFloat64(countIf(state NOT IN ('resolved', 'closed'))) FROM
        (
            SELECT argMax(to_state, aggregate_version) AS state FROM bronze.events
            WHERE type IN ('conversation.opened', 'conversation.state_changed') AND day <= {last:Date}
            GROUP BY conversation_id
        )
    ) AS recomputed
