-- Sites, their visitors, and what a visitor sees.

-- name: list_sites  -- $1 id of the last row before (null: from the first), $2 limit -> sites with their queue by key; by id
SELECT s.*, q.key AS queue, s.secret_encrypted IS NOT NULL AS has_identity_secret
FROM sites s LEFT JOIN queues q ON q.id = s.queue_id
WHERE $1::uuid IS NULL OR s.id > $1 ORDER BY s.id LIMIT $2;

-- name: find_site  -- $1 id -> the same of one
SELECT s.*, q.key AS queue, s.secret_encrypted IS NOT NULL AS has_identity_secret
FROM sites s LEFT JOIN queues q ON q.id = s.queue_id WHERE s.id = $1;

-- name: lock_site  -- $1 id -> version; locked
SELECT version FROM sites WHERE id = $1 FOR NO KEY UPDATE;

-- name: insert_site  -- $1 id, $2 key, $3 name, $4 title, $5 origins, $6 queue, $7 bot, $8 offline_form, $9 color, $10 consent_pt, $11 consent_en, $12 active
INSERT INTO sites (id, key, name, title, origins, queue_id, bot, offline_form, color, consent_pt, consent_en, active)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);

-- name: set_site  -- $1 id, $2 name, $3 title, $4 origins, $5 queue, $6 bot, $7 offline_form, $8 color, $9 consent_pt, $10 consent_en, $11 active
UPDATE sites SET name = $2, title = $3, origins = $4, queue_id = $5, bot = $6, offline_form = $7, color = $8, consent_pt = $9,
    consent_en = $10, active = $11, version = version + 1
WHERE id = $1;

-- name: set_secret  -- $1 id, $2 sealed
UPDATE sites SET secret_encrypted = $2, version = version + 1 WHERE id = $1;

-- name: is_service_text  -- $1 version -> whether a site may ask for consent with it
SELECT EXISTS (SELECT FROM consent_texts WHERE version = $1 AND scope = 'service' AND retired_at IS NULL);

-- name: open_site  -- $1 key -> an active site with the hours of its queue and the words of its texts; no row: none
SELECT s.*, q.key AS queue, q.business_hours, coalesce(q.holidays_closed, true) AS holidays_closed,
    pt.text AS text_pt, en.text AS text_en
FROM sites s
LEFT JOIN queues q ON q.id = coalesce(s.queue_id, (SELECT id FROM queues WHERE is_default AND active LIMIT 1))
JOIN consent_texts pt ON pt.version = s.consent_pt
JOIN consent_texts en ON en.version = s.consent_en
WHERE s.key = $1 AND s.active;

-- name: allowed_origins  -- -> origins of every active site: for the preflight of an upload, which names no site
SELECT origins FROM sites WHERE active;

-- name: find_visitor  -- $1 visitor, $2 site -> id, customer_id, user_id, verified_phone
UPDATE site_visitors SET seen_at = now() WHERE id = $1 AND site_id = $2
RETURNING id, site_id, customer_id, user_id, verified_phone;

-- name: insert_visitor  -- $1 id, $2 site, $3 customer, $4 user_id
INSERT INTO site_visitors (id, site_id, customer_id, user_id) VALUES ($1, $2, $3, $4);

-- name: join_visitor  -- $1 visitor, $2 customer, $3 user_id, $4 phone (null: as it was)
UPDATE site_visitors SET customer_id = $2, user_id = coalesce($3, user_id), verified_phone = coalesce($4, verified_phone)
WHERE id = $1;

-- name: note_consent  -- $1 id, $2 customer, $3 text version, $4 evidence, $5 at
INSERT INTO consent_ledger (id, customer_id, scope, granted, source, channel, text_version, evidence, occurred_at)
VALUES ($1, $2, 'service', true, 'site', 'site', $3, $4, $5);

-- name: lock_writer  -- $1 visitor -> his customer, locked until the transaction ends: what one person writes is stored in turn; merged: look again
SELECT v.customer_id, c.merged_into IS NOT NULL AS merged
FROM site_visitors v JOIN customers c ON c.id = v.customer_id WHERE v.id = $1 FOR NO KEY UPDATE OF c;

-- name: find_key  -- $1 wamid -> message_id, created_at, conversation_id of a message that came before
SELECT k.message_id, k.created_at, m.conversation_id
FROM message_key k JOIN messages m ON m.id = k.message_id AND m.created_at = k.created_at WHERE k.wamid = $1;

-- name: insert_message  -- $1 id, $2 at, $3 conversation, $4 customer, $5 type, $6 content, $7 payload, $8 wamid, $9 reply_to
INSERT INTO messages (id, created_at, conversation_id, customer_id, direction, author, type, content, payload, wamid, reply_to, state)
VALUES ($1, $2, $3, $4, 'in', 'customer', $5, $6, $7, $8, $9, 'received');

-- name: insert_talk  -- $1 visitor, $2 conversation, $3 since: what another browser wrote there before is not his
INSERT INTO site_talks (visitor_id, conversation_id, since) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING;

-- name: insert_turn  -- $1 conversation, $2 message, $3 at
INSERT INTO bot_turn (conversation_id, message_id, message_created_at) VALUES ($1, $2, $3);

-- name: find_file  -- $1 media, $2 its author -> id, kind, mime_type, filename, size_bytes of a file that this visitor uploaded
SELECT id, kind, mime_type, filename, size_bytes FROM media
WHERE id = $1 AND author = $2 AND state IN ('stored', 'scanning');

-- name: attach_file  -- $1 message, $2 media, $3 conversation
INSERT INTO message_media (message_id, media_id, conversation_id) VALUES ($1, $2, $3);

-- name: may_read  -- $1 visitor, $2 media, $3 how an uploader is named -> whether a conversation that he sees shows the file, or he sent it
SELECT EXISTS (
    SELECT FROM message_media u JOIN site_seen t ON t.conversation_id = u.conversation_id
    JOIN messages m ON m.id = u.message_id AND m.revoked_at IS NULL AND m.created_at >= t.since
    WHERE u.media_id = $2 AND t.visitor_id = $1
) OR EXISTS (SELECT FROM media WHERE id = $2 AND author = $3);

-- name: watched  -- $1 conversations, $2 visitors -> which of these visitors see which of these conversations
SELECT visitor_id, conversation_id FROM site_talks WHERE conversation_id = ANY($1::uuid[]) AND visitor_id = ANY($2::uuid[]);

-- name: talk  -- $1 visitor -> the conversation that he is in, or was last, with the agent's name and his place in line (null: he waits in none)
SELECT c.id, c.protocol, c.state, c.version, u.name AS agent_name, CASE WHEN c.state = 'queued' AND c.queue_id IS NOT NULL THEN 1 + (
    SELECT count(*) FROM conversations o
    WHERE o.state = 'queued' AND o.queue_id = c.queue_id AND (-o.priority, o.line_at, o.id) < (-c.priority, c.line_at, c.id)
) END AS position
FROM site_talks t JOIN conversations c ON c.id = t.conversation_id LEFT JOIN users u ON u.id = c.agent_id
WHERE t.visitor_id = $1 AND NOT EXISTS (
    SELECT FROM site_talks into_one WHERE into_one.visitor_id = $1 AND into_one.conversation_id = c.merged_into
)
ORDER BY c.state IN ('resolved', 'closed'), c.last_message_at DESC NULLS LAST, c.id DESC LIMIT 1;

-- name: history  -- $1 visitor, $2 not before, $3 limit -> the newest messages of his conversations since then, oldest first
-- One-time codes are never shown, nor what a colleague or a campaign says elsewhere: these conversations are the website's.
SELECT * FROM (
    SELECT m.id, m.created_at, m.conversation_id, m.direction, m.author, m.type, m.content, m.payload, m.wamid, m.state,
        m.revoked_at, u.name AS agent_name, (
            SELECT jsonb_agg(jsonb_build_object('id', f.id, 'kind', f.kind, 'state', f.state, 'mime_type', f.mime_type,
                'size', f.size_bytes, 'name', f.filename) ORDER BY f.id)
            FROM message_media x JOIN media f ON f.id = x.media_id WHERE x.message_id = m.id) AS files
    FROM site_seen t
    JOIN conversations c ON c.id = t.conversation_id AND c.channel = 'site'
    JOIN messages m ON m.conversation_id = c.id AND m.created_at >= $2 AND m.created_at >= t.since
    LEFT JOIN users u ON u.id = m.author_id
    WHERE t.visitor_id = $1 AND m.category IS DISTINCT FROM 'authentication'
    ORDER BY m.created_at DESC, m.id DESC LIMIT $3
) AS newest ORDER BY created_at, id;

-- name: shown  -- $1 conversation, $2 messages, $3 none older, $4 visitor -> these messages, as `history` gives them
SELECT m.id, m.created_at, m.conversation_id, m.direction, m.author, m.type, m.content, m.payload, m.wamid, m.state,
    m.revoked_at, u.name AS agent_name, (
        SELECT jsonb_agg(jsonb_build_object('id', f.id, 'kind', f.kind, 'state', f.state, 'mime_type', f.mime_type,
            'size', f.size_bytes, 'name', f.filename) ORDER BY f.id)
        FROM message_media x JOIN media f ON f.id = x.media_id WHERE x.message_id = m.id) AS files
FROM messages m JOIN site_seen t ON t.conversation_id = m.conversation_id AND t.visitor_id = $4 AND m.created_at >= t.since
LEFT JOIN users u ON u.id = m.author_id
WHERE m.conversation_id = $1 AND m.id = ANY($2::uuid[]) AND m.created_at >= $3 AND m.category IS DISTINCT FROM 'authentication'
ORDER BY m.created_at, m.id;

-- name: to_acknowledge  -- $1 visitor, $2 up to this message, $3 states -> wamids of ours that the visitor's browser has now
SELECT m.wamid FROM site_seen t JOIN messages m ON m.conversation_id = t.conversation_id AND m.created_at >= t.since
WHERE t.visitor_id = $1 AND m.direction = 'out' AND m.created_at > now() - interval '30 days' AND m.id <= $2
    AND m.state = ANY($3::text[]) AND m.wamid IS NOT NULL
ORDER BY m.id LIMIT 200;

-- name: put_code  -- $1 visitor, $2 hash, $3 expires_at
INSERT INTO site_codes (visitor_id, code_sha256, expires_at) VALUES ($1, $2, $3)
ON CONFLICT (visitor_id) DO UPDATE SET code_sha256 = excluded.code_sha256, expires_at = excluded.expires_at, tries = 0, created_at = now();

-- name: try_code  -- $1 visitor, $2 most tries -> code_sha256; a try is counted; no row: none is on its way, or it was tried too often
UPDATE site_codes SET tries = tries + 1 WHERE visitor_id = $1 AND expires_at > now() AND tries < $2 RETURNING code_sha256;

-- name: delete_code  -- $1 visitor
DELETE FROM site_codes WHERE visitor_id = $1;

-- name: first_key  -- -> key of the oldest active site: what the demonstration's page embeds
SELECT key FROM sites WHERE active ORDER BY id LIMIT 1;
