-- The same figures from the events themselves: each message's newest state and newest price by a window over its events,
-- not by argMax, and without silver.
WITH
    queued AS
    (
        SELECT DISTINCT aggregate_id FROM bronze.events WHERE day IN {days:Array(Date)} AND type = 'message.queued'
    ),
    told AS
    (
        SELECT
            aggregate_id, to_state, cost_micros,
            row_number() OVER (PARTITION BY aggregate_id ORDER BY type = 'message.state_changed' DESC, aggregate_version DESC) AS newest_state,
            row_number() OVER (PARTITION BY aggregate_id ORDER BY cost_micros IS NOT NULL DESC, aggregate_version DESC) AS newest_price
        FROM bronze.events
        WHERE type IN ('message.state_changed', 'message.priced') AND aggregate_id IN (SELECT aggregate_id FROM queued)
    ),
    arrived AS
    (
        SELECT aggregate_id FROM told WHERE newest_state = 1 AND to_state IN ('delivered', 'read', 'played')
    ),
    prices AS
    (
        SELECT aggregate_id, cost_micros FROM told WHERE newest_price = 1 AND aggregate_id IN (SELECT aggregate_id FROM arrived)
    )
SELECT figure, in_the_table, recomputed FROM
(
    SELECT
        ['messages', 'delivered', 'charged', 'without a price', 'cost in millionths'] AS figures,
        (SELECT [toFloat64(sum(messages)), toFloat64(sum(delivered)), toFloat64(sum(charged)), toFloat64(sum(untold)),
            toFloat64(sum(cost_micros))] FROM gold.message_costs_daily WHERE day IN {days:Array(Date)}) AS ours,
        [
            (SELECT toFloat64(count()) FROM queued WHERE aggregate_id NOT IN (
                SELECT aggregate_id FROM told WHERE newest_state = 1 AND to_state IN ('failed', 'cancelled'))),
            (SELECT toFloat64(count()) FROM arrived),
            (SELECT toFloat64(countIf(cost_micros > 0)) FROM prices),
            (SELECT toFloat64(countIf(cost_micros IS NULL)) FROM prices),
            (SELECT toFloat64(sum(ifNull(cost_micros, 0))) FROM prices)
        ] AS theirs
)
ARRAY JOIN figures AS figure, ours AS in_the_table, theirs AS recomputed
