-- What a WebSocket tells of: new events by their number, and what the rows they concern are now.

-- name: begin  -- high, and the numbers below it that may still commit: those missing after the last event that is two minutes old
WITH recent AS MATERIALIZED (
    SELECT seq, created_at FROM events ORDER BY seq DESC LIMIT 2000
), ends AS (
    SELECT coalesce(max(seq), 0) AS high,
        coalesce(max(seq) FILTER (WHERE created_at < now() - interval '2 minutes'), greatest(max(seq) - 2000, 0), 0) AS low
    FROM recent
)
SELECT high, array(
    SELECT number FROM generate_series(low + 1, high) AS number EXCEPT SELECT seq FROM recent
) AS gaps FROM ends;

-- name: since  -- $1 high, $2 gaps, $3 limit -> seq, type, aggregate_type, aggregate_id, conversation_id of what was not seen, in order
-- Imported history has old dates: nobody waits for it.
SELECT seq, type, aggregate_type, aggregate_id, (payload ->> 'conversation_id')::uuid AS conversation_id FROM (
    (SELECT * FROM events WHERE created_at > now() - interval '1 day' AND seq > $1 ORDER BY seq LIMIT $3)
    UNION ALL
    SELECT * FROM events WHERE created_at > now() - interval '1 day' AND seq = ANY($2::bigint[])
) AS new ORDER BY seq;

-- name: between  -- $1 high, $2 gaps, $3 high and $4 gaps of the later position, $5 limit -> what lies between two positions
SELECT seq, type, aggregate_type, aggregate_id, (payload ->> 'conversation_id')::uuid AS conversation_id FROM (
    (SELECT * FROM events WHERE created_at > now() - interval '1 day' AND seq > $1 AND seq <= $3 ORDER BY seq LIMIT $5)
    UNION ALL
    SELECT * FROM events WHERE created_at > now() - interval '1 day' AND seq = ANY($2::bigint[])
) AS new WHERE NOT seq = ANY($4::bigint[]) ORDER BY seq;

-- name: scopes  -- who sees the conversations that are under way
SELECT c.id, q.team_id, c.agent_id FROM conversations c LEFT JOIN queues q ON q.id = c.queue_id
WHERE c.state NOT IN ('resolved', 'closed');

-- name: conversations  -- $1 ids -> as views.sql shows them, with the team of their queue
SELECT c.*, customer.name AS customer_name, q.key AS queue, q.team_id,
    CASE WHEN c.last_ad_at > now() - interval '96 hours' THEN ad_arrivals(c.customer_id, c.number_id) END AS ad_arrivals,
    CASE WHEN c.last_ad_at > now() - interval '96 hours' THEN ad_answers(c.customer_id, c.number_id) END AS ad_answers,
    (SELECT min(s.due_at) FROM sla_clocks s WHERE s.conversation_id = c.id) AS sla_due_at,
    ARRAY(SELECT m.protocol FROM conversations m WHERE m.merged_into = c.id ORDER BY m.protocol) AS merged_protocols
FROM conversations c
JOIN customers customer ON customer.id = c.customer_id
LEFT JOIN queues q ON q.id = c.queue_id
WHERE c.id = ANY($1::uuid[]);

-- name: merged  -- conversations whose messages are read with another's, as far back as a cursor reaches -> id, merged_into
SELECT id, merged_into FROM conversations WHERE merged_into IS NOT NULL AND closed_at > now() - interval '7 days';
