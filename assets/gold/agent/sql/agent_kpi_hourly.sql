SELECT
    day, hour, agent_id,
    countIf(conversation_id != toUUID('00000000-0000-0000-0000-000000000000')) AS conversations,
    sum(work.taken) AS taken,
    sum(work.resolved) AS resolved,
    sum(work.messages) AS messages,
    sum(attended_micros) / 1e6 AS attended_seconds,
    sum(handling_micros) / 1e6 AS handling_seconds,
    sum(busy_micros) / 1e6 AS busy_seconds,
    if(attended_seconds = 0, NULL, busy_seconds / attended_seconds) AS occupancy
FROM gold.agent_work_hourly AS work
WHERE day IN {days:Array(Date)}
GROUP BY day, hour, agent_id
ORDER BY day
