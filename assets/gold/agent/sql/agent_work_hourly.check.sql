-- Sums over the hours against the days and events they are made of; busy time by intervalLengthSum is checked on agent_kpi_hourly.
SELECT figure, in_the_table, recomputed FROM
(
    SELECT
        ['attended seconds', 'messages', 'taken'] AS figures,
        (SELECT [sum(attended_micros) / 1e6, toFloat64(sum(messages)), toFloat64(sum(taken))] FROM gold.agent_work_hourly WHERE day IN {days:Array(Date)}) AS ours,
        [
            (SELECT sum(dateDiff('microsecond', first_at, last_at)) / 1e6 FROM gold.agent_days WHERE day IN {days:Array(Date)}),
            (SELECT toFloat64(countIf(counts)) FROM silver.messages WHERE day IN {days:Array(Date)} AND author = 'agent' AND author_id IS NOT NULL),
            (SELECT toFloat64(count(holder_id)) - toFloat64(countIf(previous_state IN ('assigned', 'waiting_customer') AND previous_holder_id = holder_id))
                FROM silver.conversation_states WHERE day IN {days:Array(Date)} AND state = 'assigned')
        ] AS theirs
)
ARRAY JOIN figures AS figure, ours AS in_the_table, theirs AS recomputed
