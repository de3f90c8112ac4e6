-- A conversation belongs to the day it was opened; its later events are folded in by version, whatever day they came.
SELECT
    anyIf(day, type = 'conversation.opened') AS day,
    conversation_id,
    assumeNotNull(anyIf(customer_id, type = 'conversation.opened')) AS customer_id,
    anyIf(number_id, type = 'conversation.opened') AS number_id,
    anyIf(protocol, type = 'conversation.opened') AS protocol,
    anyIf(channel, type = 'conversation.opened') AS channel,
    ifNull(anyIf(priority, type = 'conversation.opened'), 1) AS priority,
    anyIf(previous_id, type = 'conversation.opened') AS previous_id,
    anyIf(event_time, type = 'conversation.opened') AS opened_at,
    argMaxIf(to_state, aggregate_version, to_state != '') AS state,
    argMaxIf(queue, aggregate_version, queue != '') AS queue,
    argMaxIf(agent_id, aggregate_version, agent_id IS NOT NULL) AS agent_id,
    minOrNullIf(event_time, to_state = 'queued') AS queued_at,
    minOrNullIf(event_time, to_state = 'assigned') AS assigned_at,
    maxOrNullIf(event_time, to_state = 'resolved') AS resolved_at,
    maxOrNullIf(event_time, to_state = 'closed') AS closed_at,
    countIf(from_state = 'resolved' AND to_state IN ('bot', 'queued', 'assigned')) AS reopened_count,
    argMaxIf(satisfaction, aggregate_version, type = 'conversation.rated') AS satisfaction,
    maxOrNullIf(event_time, type = 'conversation.rated') AS rated_at,
    argMaxIf(score, aggregate_version, type = 'conversation.recommended') AS nps,
    maxOrNullIf(event_time, type = 'conversation.recommended') AS recommended_at,
    max(aggregate_version) AS version
FROM bronze.events
WHERE aggregate_type = 'conversation'
    AND conversation_id IN (
        SELECT conversation_id FROM bronze.events WHERE day IN {days:Array(Date)} AND type = 'conversation.opened')
GROUP BY conversation_id
ORDER BY day, conversation_id
