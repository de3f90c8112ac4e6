-- From the events alone: each message's newest state by a window; replies as pairs of messages.
WITH
    sent AS
    (
        SELECT aggregate_id, conversation_id, event_time AS at FROM bronze.events
        WHERE day IN {days:Array(Date)} AND type IN ('message.queued', 'message.echoed')
    ),
    newest AS
    (
        SELECT aggregate_id, to_state, error_code FROM
        (
            SELECT aggregate_id, to_state, row_number() OVER (PARTITION BY aggregate_id ORDER BY aggregate_version DESC) AS n,
                last_value(error_code) IGNORE NULLS OVER (PARTITION BY aggregate_id ORDER BY aggregate_version ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS error_code
            FROM bronze.events WHERE type = 'message.state_changed' AND aggregate_id IN (SELECT aggregate_id FROM sent)
        )
        WHERE n = 1
    ),
    arrived AS (SELECT aggregate_id FROM newest WHERE to_state IN ('delivered', 'read', 'played')),
    replied AS
    (
        SELECT DISTINCT sent.aggregate_id AS aggregate_id FROM sent
        INNER JOIN (SELECT conversation_id, event_time FROM bronze.events WHERE type = 'message.received') AS came ON came.conversation_id = sent.conversation_id
        WHERE came.event_time > sent.at AND came.event_time <= sent.at + INTERVAL 24 HOUR AND sent.aggregate_id IN (SELECT aggregate_id FROM arrived)
    )
SELECT figure, in_the_table, recomputed FROM
(
    SELECT
        ['messages out', 'delivered', 'read', 'failed', 'refused by the user', 'replied', 'messages in'] AS figures,
        (SELECT [toFloat64(sum(messages_out)), toFloat64(sum(delivered)), toFloat64(sum(read)), toFloat64(sum(failed)), toFloat64(sum(refused_by_user)),
            toFloat64(sum(replied)), toFloat64(sum(messages_in))] FROM gold.number_health_hourly WHERE day IN {days:Array(Date)}) AS ours,
        [
            (SELECT toFloat64(uniqExact(aggregate_id)) FROM sent),
            (SELECT toFloat64(count()) FROM arrived),
            (SELECT toFloat64(countIf(to_state IN ('read', 'played'))) FROM newest),
            (SELECT toFloat64(countIf(to_state = 'failed')) FROM newest),
            (SELECT toFloat64(countIf(to_state = 'failed' AND error_code IN (131026, 131050))) FROM newest),
            (SELECT toFloat64(count()) FROM replied),
            (SELECT toFloat64(uniqExact(aggregate_id)) FROM bronze.events WHERE day IN {days:Array(Date)} AND type = 'message.received')
        ] AS theirs
)
ARRAY JOIN figures AS figure, ours AS in_the_table, theirs AS recomputed
