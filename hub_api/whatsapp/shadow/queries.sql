-- A shadow is a database of its own with the hub's schema, into which stored webhooks are handled a second time. What is
-- compared is what the webhooks alone decide; what people and clocks decided since (assignments, endings) is not.

-- name: count_webhooks  -- $1 since, $2 until -> how many, and their bytes
SELECT count(*) AS webhooks, coalesce(sum(octet_length(body)), 0)::bigint AS bytes
FROM webhook_event WHERE received_at >= $1 AND received_at < $2;

-- name: webhooks  -- $1 since, $2 until, $3 after received_at or null, $4 after id, $5 limit -> id, received_at, body, trace_id in the order they came
SELECT id, received_at, body, trace_id FROM webhook_event
WHERE received_at >= $1 AND received_at < $2 AND ($3::timestamptz IS NULL OR (received_at, id) > ($3, $4::uuid))
ORDER BY received_at, id
LIMIT $5;

-- name: sent  -- $1 since, $2 until, $3 after created_at or null, $4 after id, $5 limit -> messages of ours that Meta accepted in the range, for their statuses
SELECT m.id, m.created_at, m.conversation_id, m.customer_id, m.number_id, m.author, m.type, m.wamid, m.category, m.accepted_at
FROM messages m
WHERE m.direction = 'out' AND m.wamid IS NOT NULL AND m.accepted_at >= $1 AND m.accepted_at < $2
    AND ($3::timestamptz IS NULL OR (m.created_at, m.id) > ($3, $4::uuid))
ORDER BY m.created_at, m.id
LIMIT $5;

-- name: insert_sent  -- the columns of `sent`: as they were when Meta had just accepted them
INSERT INTO messages (id, created_at, conversation_id, customer_id, number_id, direction, author, type, wamid, category, accepted_at, state)
SELECT id, created_at, conversation_id, customer_id, number_id, 'out', author, type, wamid, category, accepted_at, 'accepted'
FROM unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::text[], $9::text[], $10::timestamptz[])
    AS given (id, created_at, conversation_id, customer_id, number_id, author, type, wamid, category, accepted_at);

-- name: insert_keys  -- $1 wamids, $2 messages, $3 created_at
INSERT INTO message_key (wamid, message_id, created_at) SELECT * FROM unnest($1::text[], $2::uuid[], $3::timestamptz[])
ON CONFLICT DO NOTHING;

-- name: insert_customers  -- $1 ids: whom the sent messages were for, without a word about them
INSERT INTO customers (id) SELECT * FROM unnest($1::uuid[]) ON CONFLICT DO NOTHING;

-- name: columns  -- $1 table -> names of its columns that can be written
SELECT attname FROM pg_attribute
WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum;

-- name: brought_wamids  -- -> wamids of all messages that webhooks brought (received and echoed); asked of the shadow
SELECT wamid FROM messages WHERE (direction = 'in' OR state = 'echoed') AND wamid IS NOT NULL;

-- name: brought_since  -- $1 since, $2 until -> the same of the live tables, by when they were stored
SELECT wamid FROM messages
WHERE (direction = 'in' OR state = 'echoed') AND wamid IS NOT NULL AND inserted_at >= $1 AND inserted_at < $2;

-- name: sent_wamids  -- -> wamids of the messages of ours that were copied; asked of the shadow
SELECT wamid FROM messages WHERE direction = 'out' AND state <> 'echoed' AND wamid IS NOT NULL;

-- name: messages_of  -- $1 wamids -> key, id, customer, updated_at, hash of what webhooks say of a message
SELECT m.wamid AS key, m.id::text AS id, coalesce(c.merged_into, m.customer_id)::text AS customer, m.updated_at,
    md5(row(m.created_at, n.phone_number_id, m.direction, m.author, m.type, m.content, m.payload, m.reply_to, m.state,
        m.reactions, m.edited_at, m.revoked_at, m.time_flag)::text) AS hash
FROM message_key k
JOIN messages m ON m.id = k.message_id AND m.created_at = k.created_at
JOIN customers c ON c.id = m.customer_id
LEFT JOIN whatsapp_numbers n ON n.id = m.number_id
WHERE k.wamid = ANY ($1::text[]);

-- name: files_of  -- $1 wamids -> key, id, hash of the files that webhooks told of: Meta's id, type, name, and the digest of their bytes
-- The live side fetched them, a shadow does not. Bytes that disagree with the digest told are refused when they are
-- fetched, so where there are bytes their digest stands for the one told: a difference shows either way. A file whose
-- webhook told no digest has none here, whatever was fetched; of files that were erased since the hash is null.
SELECT m.wamid AS key, min(m.id::text) AS id,
    CASE WHEN bool_and(f.state <> 'erased') THEN md5(string_agg(md5(row(f.kind, f.meta_id, f.declared_type, f.filename,
        CASE WHEN f.declared_sha256 IS NOT NULL THEN coalesce(f.sha256, f.declared_sha256) END)::text), ','
        ORDER BY f.meta_id, f.kind)) END AS hash
FROM message_key k
JOIN messages m ON m.id = k.message_id AND m.created_at = k.created_at
JOIN message_media u ON u.message_id = m.id
JOIN media f ON f.id = u.media_id
WHERE k.wamid = ANY ($1::text[]) AND f.direction = 'in'
GROUP BY m.wamid;

-- name: statuses_of  -- $1 wamids -> key, id, updated_at, hash of what statuses made of a message of ours
SELECT m.wamid AS key, m.id::text AS id, m.updated_at,
    md5(row(m.state, m.sent_at, m.delivered_at, m.read_at, m.pricing, m.reactions,
        CASE WHEN m.state = 'failed' THEN m.failed_at END, CASE WHEN m.state = 'failed' THEN m.error_code END)::text) AS hash
FROM message_key k
JOIN messages m ON m.id = k.message_id AND m.created_at = k.created_at
WHERE k.wamid = ANY ($1::text[]);

-- name: consents_of  -- $1 wamids -> key, id, hash of the wishes that messages told
SELECT m.wamid AS key, min(l.id::text) AS id,
    string_agg(concat_ws('/', l.source, l.scope, l.granted, l.occurred_at), ' ' ORDER BY l.scope, l.granted) AS hash
FROM message_key k
JOIN messages m ON m.id = k.message_id AND m.created_at = k.created_at
JOIN consent_ledger l ON l.customer_id = m.customer_id AND l.evidence ->> 'message_id' = m.id::text
    AND l.source IN ('customer_message', 'button')
WHERE k.wamid = ANY ($1::text[])
GROUP BY m.wamid;

-- name: preferences  -- $1 since, $2 until, $3 times -> key, id, time, hash of the wishes set in the app, recorded in the range or set at one of the times
SELECT concat_ws('/', occurred_at, scope, granted) AS key, min(id::text) AS id, occurred_at AS time, count(*)::text AS hash
FROM consent_ledger
WHERE source = 'meta_preference' AND ((created_at >= $1 AND created_at < $2) OR occurred_at = ANY ($3::timestamptz[]))
GROUP BY occurred_at, scope, granted;

-- name: updates  -- $1 since, $2 until -> key, id, hash of news of the channel, per webhook and field
SELECT u.webhook_id || '/' || u.field AS key, min(u.id::text) AS id,
    md5(string_agg(md5(u.value::text), ',' ORDER BY md5(u.value::text))) AS hash
FROM webhook_event w JOIN channel_update u ON u.webhook_id = w.id
WHERE w.received_at >= $1 AND w.received_at < $2
GROUP BY u.webhook_id, u.field;

-- name: put_aside  -- $1 since, $2 until -> key, id, hash of dead letters, per webhook, source, kind and reason
SELECT concat_ws('/', webhook_id, source, kind, reason) AS key, min(id::text) AS id, count(*)::text AS hash
FROM dead_letter WHERE received_at >= $1 AND received_at < $2 AND reason <> 'dashboard_test'  -- kept once for all times
GROUP BY webhook_id, source, kind, reason;
