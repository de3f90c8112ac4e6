-- The steps before the days are read too: a queue once named stays until another one is.
WITH steps AS
(
    SELECT
        day, conversation_id, aggregate_version, event_time, to_state, reason, agent_id,
        ifNull(last_value(nullIf(toString(queue), '')) IGNORE NULLS OVER by_version, '') AS queue_after,
        if(to_state IN ('assigned', 'waiting_customer'), last_value(agent_id) IGNORE NULLS OVER by_version, NULL) AS holder_after
    FROM bronze.events
    WHERE type IN ('conversation.opened', 'conversation.state_changed')
        AND conversation_id IN (
            SELECT conversation_id FROM bronze.events
            WHERE day IN {days:Array(Date)} AND type IN ('conversation.opened', 'conversation.state_changed'))
    WINDOW by_version AS (PARTITION BY conversation_id ORDER BY aggregate_version ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
)
SELECT * FROM
(
    SELECT
        day,
        conversation_id,
        aggregate_version AS version,
        event_time AS at,
        to_state AS state,
        toString(lagInFrame(to_state, 1, '') OVER by_version) AS previous_state,
        queue_after AS queue,
        lagInFrame(queue_after, 1, '') OVER by_version AS previous_queue,
        agent_id,
        holder_after AS holder_id,
        lagInFrame(holder_after, 1, NULL) OVER by_version AS previous_holder_id,
        reason
    FROM steps
    WINDOW by_version AS (PARTITION BY conversation_id ORDER BY aggregate_version ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
)
WHERE day IN {days:Array(Date)}
ORDER BY day, conversation_id
