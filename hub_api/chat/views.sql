-- What the API shows of conversations, messages and customers.

-- name: list_conversations  -- $1 teams (null: all), $2 caller, $3 state, $4 customer, $5 queue key (null: any), $6 id of the last row before (null: from the newest), $7 limit; newest first
SELECT c.*, customer.name AS customer_name, q.key AS queue,
    CASE WHEN c.last_ad_at > now() - interval '96 hours' THEN ad_arrivals(c.customer_id, c.number_id) END AS ad_arrivals,
    CASE WHEN c.last_ad_at > now() - interval '96 hours' THEN ad_answers(c.customer_id, c.number_id) END AS ad_answers,
    (SELECT min(s.due_at) FROM sla_clocks s WHERE s.conversation_id = c.id) AS sla_due_at,
    ARRAY(SELECT m.protocol FROM conversations m WHERE m.merged_into = c.id ORDER BY m.protocol) AS merged_protocols
FROM conversations c
JOIN customers customer ON customer.id = c.customer_id
LEFT JOIN queues q ON q.id = c.queue_id
WHERE sees($1::uuid[], $2::uuid, q.team_id, c.agent_id)
    AND ($3::text IS NULL OR c.state = $3)
    AND ($4::uuid IS NULL OR c.customer_id = $4)
    AND ($5::text IS NULL OR q.key = $5)
    AND ($6::uuid IS NULL OR c.id < $6)
ORDER BY c.id DESC LIMIT $7;

-- name: list_waiting  -- $1 teams (null: all), $2 caller, $3 queue key or null, $4 priority, $5 line_at, $6 id of the last row before (null: from the first), $7 limit; who waits longest at the highest priority first
SELECT c.*, customer.name AS customer_name, q.key AS queue,
    CASE WHEN c.last_ad_at > now() - interval '96 hours' THEN ad_arrivals(c.customer_id, c.number_id) END AS ad_arrivals,
    CASE WHEN c.last_ad_at > now() - interval '96 hours' THEN ad_answers(c.customer_id, c.number_id) END AS ad_answers,
    (SELECT min(s.due_at) FROM sla_clocks s WHERE s.conversation_id = c.id) AS sla_due_at,
    ARRAY(SELECT m.protocol FROM conversations m WHERE m.merged_into = c.id ORDER BY m.protocol) AS merged_protocols
FROM conversations c
JOIN customers customer ON customer.id = c.customer_id
LEFT JOIN queues q ON q.id = c.queue_id
WHERE c.state = 'queued'
    AND sees($1::uuid[], $2::uuid, q.team_id, c.agent_id)
    AND ($3::text IS NULL OR q.key = $3)
    AND ($6::uuid IS NULL OR (-c.priority, c.line_at, c.id) > (-$4::int, $5::timestamptz, $6))
ORDER BY c.priority DESC, c.line_at, c.id LIMIT $7;

-- name: list_held  -- $1 teams (null: all), $2 caller, $3 agent, $4 state, $5 customer, $6 queue key (null: any), $7 spoke_at and $8 id of the last row before (null: from the first), $9 limit; what an agent has now, the last word first
SELECT c.*, customer.name AS customer_name, q.key AS queue, coalesce(c.last_message_at, c.opened_at) AS spoke_at,
    CASE WHEN c.last_ad_at > now() - interval '96 hours' THEN ad_arrivals(c.customer_id, c.number_id) END AS ad_arrivals,
    CASE WHEN c.last_ad_at > now() - interval '96 hours' THEN ad_answers(c.customer_id, c.number_id) END AS ad_answers,
    (SELECT min(s.due_at) FROM sla_clocks s WHERE s.conversation_id = c.id) AS sla_due_at,
    ARRAY(SELECT m.protocol FROM conversations m WHERE m.merged_into = c.id ORDER BY m.protocol) AS merged_protocols
FROM conversations c
JOIN customers customer ON customer.id = c.customer_id
LEFT JOIN queues q ON q.id = c.queue_id
WHERE c.agent_id = $3 AND c.state IN ('assigned', 'waiting_customer')
    AND sees($1::uuid[], $2::uuid, q.team_id, c.agent_id)
    AND ($4::text IS NULL OR c.state = $4)
    AND ($5::uuid IS NULL OR c.customer_id = $5)
    AND ($6::text IS NULL OR q.key = $6)
    AND ($8::uuid IS NULL OR (coalesce(c.last_message_at, c.opened_at), c.id) < ($7::timestamptz, $8))
ORDER BY spoke_at DESC, c.id DESC LIMIT $9;

-- name: find_conversation  -- $1 teams (null: all), $2 caller, $3 id or null, $4 protocol or null
SELECT c.*, customer.name AS customer_name, q.key AS queue,
    CASE WHEN c.last_ad_at > now() - interval '96 hours' THEN ad_arrivals(c.customer_id, c.number_id) END AS ad_arrivals,
    CASE WHEN c.last_ad_at > now() - interval '96 hours' THEN ad_answers(c.customer_id, c.number_id) END AS ad_answers,
    (SELECT min(s.due_at) FROM sla_clocks s WHERE s.conversation_id = c.id) AS sla_due_at,
    ARRAY(SELECT m.protocol FROM conversations m WHERE m.merged_into = c.id ORDER BY m.protocol) AS merged_protocols
FROM conversations c
JOIN customers customer ON customer.id = c.customer_id
LEFT JOIN queues q ON q.id = c.queue_id
WHERE (c.id = $3 OR c.protocol = $4) AND sees($1::uuid[], $2::uuid, q.team_id, c.agent_id);

-- name: list_messages  -- $1 conversation (with those that were merged into it), $2 created_at and $3 id of the last row before (null: from the newest), $4 limit, $5 only these ids (null: any), $6 none older than (null: all); newest first
-- The newest of each part by its index, then the newest of all. What the customer deleted is not shown again; it stays in the row for the record. Nor is a one-time code ever shown.
SELECT m.id, m.conversation_id, m.created_at, m.direction, m.author, m.author_id, m.type, m.state, m.category, m.error_code, m.error_title,
       m.sent_at, m.delivered_at, m.read_at, m.failed_at, m.edited_at, m.revoked_at, m.reactions, m.time_flag,
       m.estimated_micros, m.estimated_currency, charged_micros(m.pricing) AS charged_micros,
       m.pricing ->> 'currency' AS charged_currency, k.message_id AS reply_to,
       CASE WHEN m.revoked_at IS NULL THEN m.content END AS content,
       CASE WHEN m.revoked_at IS NULL AND m.category IS DISTINCT FROM 'authentication' THEN m.payload ELSE '{}' END AS payload,
       CASE WHEN m.revoked_at IS NULL THEN (
           SELECT jsonb_agg(jsonb_build_object(
               'id', f.id, 'kind', f.kind, 'state', f.state, 'reason', f.reason, 'mime_type', f.mime_type,
               'size_bytes', f.size_bytes, 'filename', f.filename) ORDER BY f.id)
           FROM message_media u JOIN media f ON f.id = u.media_id WHERE u.message_id = m.id) END AS media
FROM (SELECT $1::uuid AS id UNION ALL SELECT id FROM conversations WHERE merged_into = $1) AS part
CROSS JOIN LATERAL (
    SELECT * FROM messages one
    WHERE one.conversation_id = part.id AND ($3::uuid IS NULL OR (one.created_at, one.id) < ($2::timestamptz, $3))
        AND ($5::uuid[] IS NULL OR one.id = ANY($5)) AND one.created_at >= coalesce($6::timestamptz, '-infinity')
    ORDER BY one.created_at DESC, one.id DESC LIMIT $4
) AS m
LEFT JOIN message_key k ON k.wamid = m.reply_to
ORDER BY m.created_at DESC, m.id DESC LIMIT $4;

-- name: find_by_phone  -- $1 teams (null: all), $2 caller, $3 E.164 with the ninth digit -> customers
-- Two look-ups by index; as one condition with OR they would read every customer.
SELECT c.* FROM customers c
WHERE c.merged_into IS NULL AND c.id IN (
    SELECT id FROM customers WHERE phone = $3
    UNION
    SELECT customer_id FROM customer_identities
    WHERE kind = 'phone' AND value = $3 AND portfolio_id = '' AND valid_to IS NULL
) AND ($1::uuid[] IS NULL OR sees_customer($1, $2::uuid, c.id)) ORDER BY c.id LIMIT 20;

-- name: find_by_cpf  -- $1 teams (null: all), $2 caller, $3 keyed hash -> customers, whoever told it: the channel's side or a contract
SELECT c.* FROM customers c
WHERE c.merged_into IS NULL AND c.id IN (
    SELECT id FROM customers WHERE cpf_hash = $3
    UNION
    SELECT customer_id FROM contracts WHERE cpf_hash = $3
) AND ($1::uuid[] IS NULL OR sees_customer($1, $2::uuid, c.id)) ORDER BY c.id LIMIT 20;

-- name: find_by_name  -- $1 teams (null: all), $2 caller, $3 part of a name, % and _ escaped, $4 id of the last row before (null: from the newest), $5 limit
SELECT c.* FROM customers c
WHERE c.merged_into IS NULL AND immutable_unaccent(lower(c.name)) LIKE '%' || immutable_unaccent(lower($3)) || '%'
    AND ($4::uuid IS NULL OR c.id < $4)
    AND ($1::uuid[] IS NULL OR sees_customer($1, $2::uuid, c.id))
ORDER BY c.id DESC LIMIT $5;

-- name: find_customer  -- $1 teams (null: all), $2 caller, $3 id, also of one that was merged -> the customer it is now
SELECT c.* FROM customers c WHERE c.id = (SELECT coalesce(merged_into, id) FROM customers WHERE id = $3)
    AND ($1::uuid[] IS NULL OR sees_customer($1, $2::uuid, c.id));

-- name: seen_customers  -- $1 teams, $2 caller, $3 ids -> those he sees; one that was merged, by the customer it is now
SELECT id FROM customers WHERE id = ANY ($3::uuid[]) AND sees_customer($1::uuid[], $2::uuid, coalesce(merged_into, id));

-- name: last_answers  -- $1 customer -> what (satisfaction, nps), value, at, conversation_id of the newest of each
(SELECT 'satisfaction' AS what, satisfaction AS value, coalesce(rated_at, closed_at, resolved_at, opened_at) AS at, id AS conversation_id
 FROM conversations WHERE customer_id = $1 AND satisfaction IS NOT NULL ORDER BY at DESC, id DESC LIMIT 1)
UNION ALL
(SELECT 'nps', nps, coalesce(recommended_at, closed_at, resolved_at, opened_at) AS at, id
 FROM conversations WHERE customer_id = $1 AND nps IS NOT NULL ORDER BY at DESC, id DESC LIMIT 1);

-- name: list_identities  -- $1 customer -> current ones first
SELECT kind, value, valid_from, valid_to FROM customer_identities WHERE customer_id = $1
ORDER BY valid_to IS NOT NULL, kind, valid_from;
