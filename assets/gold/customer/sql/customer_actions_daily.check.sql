-- The same sums from silver and bronze, by kind of action, without the mapping of merges.
WITH living AS (SELECT customer_id FROM silver.customers)
SELECT figure, in_the_table, recomputed FROM
(
    SELECT
        ['messages', 'contacts', 'ratings', 'decisions on consent', 'campaign messages received', 'tickets'] AS figures,
        (SELECT [toFloat64(sumIf(actions, action = 'message')), toFloat64(sumIf(actions, action = 'contact')), sumIf(value, action = 'rated'),
            toFloat64(sumIf(actions, action IN ('opt_in', 'opt_out'))), toFloat64(sumIf(actions, action = 'campaign_received')),
            toFloat64(sumIf(actions, action = 'ticket_opened'))]
            FROM gold.customer_actions_daily WHERE day IN {days:Array(Date)}) AS ours,
        [
            (SELECT toFloat64(uniqExact(message_id)) FROM silver.messages
                WHERE day IN {days:Array(Date)} AND direction = 'in' AND customer_id IN (SELECT customer_id FROM living)),
            (SELECT toFloat64(uniqExact(conversation_id)) FROM silver.messages
                WHERE direction = 'in' AND customer_id IN (SELECT customer_id FROM living)
                    AND conversation_id IN (SELECT conversation_id FROM silver.conversations WHERE day IN {days:Array(Date)})),
            (SELECT toFloat64(ifNull(sum(rating), 0)) FROM (
                SELECT argMax(satisfaction, aggregate_version) AS rating, max(event_time) AS at FROM bronze.events
                WHERE type = 'conversation.rated' AND customer_id IN (SELECT customer_id FROM living) GROUP BY aggregate_id)
                WHERE toDate(at, {timezone:String}) IN {days:Array(Date)}),
            (SELECT toFloat64(uniqExact(id)) FROM bronze.events
                WHERE day IN {days:Array(Date)} AND type = 'consent.changed' AND customer_id IN (SELECT customer_id FROM living)),
            (SELECT toFloat64(count()) FROM (
                SELECT aggregate_id, min(event_time) AS at FROM bronze.events
                WHERE type = 'message.state_changed' AND to_state IN ('delivered', 'read')
                    AND aggregate_id IN (SELECT message_id FROM silver.messages WHERE author = 'campaign' AND state IN ('delivered', 'read', 'played')
                        AND day BETWEEN addDays({first:Date}, -30) AND {last:Date} AND customer_id IN (SELECT customer_id FROM living))
                GROUP BY aggregate_id)
                WHERE toDate(at, {timezone:String}) IN {days:Array(Date)}),
            (SELECT toFloat64(count()) FROM silver.service_tickets
                WHERE toDate(opened_at, {timezone:String}) IN {days:Array(Date)} AND customer_id IN (SELECT customer_id FROM living))
        ] AS theirs
)
ARRAY JOIN figures AS figure, ours AS in_the_table, theirs AS recomputed
