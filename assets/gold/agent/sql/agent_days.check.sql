-- Each agent's day from the events: messages, and steps with the agent who had the conversation by then.
WITH
    steps AS
    (
        SELECT day, conversation_id, event_time AS at, from_state, to_state,
            last_value(agent_id) IGNORE NULLS OVER (PARTITION BY conversation_id ORDER BY aggregate_version) AS agent,
            last_value(agent_id) IGNORE NULLS OVER (PARTITION BY conversation_id ORDER BY aggregate_version ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS agent_before,
            lagInFrame(to_state, 1, '') OVER (PARTITION BY conversation_id ORDER BY aggregate_version ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS before
        FROM bronze.events WHERE type IN ('conversation.opened', 'conversation.state_changed')
    ),
    acts AS
    (
        SELECT day, author_id AS agent, event_time AS at FROM bronze.events WHERE day IN {days:Array(Date)} AND type = 'message.queued' AND author = 'agent'
        UNION ALL SELECT day, agent, at FROM steps WHERE day IN {days:Array(Date)} AND to_state = 'assigned' AND before IN ('bot', 'queued', 'resolved')
        UNION ALL SELECT day, agent_before, at FROM steps WHERE day IN {days:Array(Date)} AND to_state = 'resolved' AND before IN ('assigned', 'waiting_customer')
    ),
    spans AS (SELECT day, agent, min(at) AS since, max(at) AS until FROM acts WHERE agent IS NOT NULL GROUP BY day, agent)
SELECT figure, in_the_table, recomputed FROM
(
    SELECT
        ['agent days', 'acts', 'seconds from first to last'] AS figures,
        (SELECT [toFloat64(count()), toFloat64(sum(acts)), sum(toUnixTimestamp64Micro(last_at) - toUnixTimestamp64Micro(first_at)) / 1e6]
            FROM gold.agent_days WHERE day IN {days:Array(Date)}) AS ours,
        [
            (SELECT toFloat64(count()) FROM spans),
            (SELECT toFloat64(count(agent)) FROM acts),
            (SELECT sum(dateDiff('microsecond', since, until)) / 1e6 FROM spans)
        ] AS theirs
)
ARRAY JOIN figures AS figure, ours AS in_the_table, theirs AS recomputed
