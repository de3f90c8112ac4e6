SELECT day, assumeNotNull(agent) AS agent_id, min(at) AS first_at, max(at) AS last_at, count() AS acts
FROM
(
    SELECT day, author_id AS agent, sent_at AS at FROM silver.messages WHERE day IN {days:Array(Date)} AND author = 'agent' AND author_id IS NOT NULL
    UNION ALL
    SELECT day, holder_id AS agent, at FROM silver.conversation_states
    WHERE day IN {days:Array(Date)} AND state = 'assigned' AND previous_state IN ('bot', 'queued', 'resolved') AND holder_id IS NOT NULL
    UNION ALL
    SELECT day, previous_holder_id AS agent, at FROM silver.conversation_states
    WHERE day IN {days:Array(Date)} AND state = 'resolved' AND previous_holder_id IS NOT NULL
)
GROUP BY day, agent_id
ORDER BY day
