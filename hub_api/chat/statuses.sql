-- name: find_keys  -- $1 wamids -> wamid, message_id, created_at
SELECT wamid, message_id, created_at FROM message_key WHERE wamid = ANY($1::text[]);

-- name: insert_keys  -- $1 wamids, $2 messages, $3 times -> the wamids that were new
INSERT INTO message_key (wamid, message_id, created_at)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::timestamptz[])
ON CONFLICT (wamid) DO NOTHING
RETURNING wamid;

-- name: find_messages  -- $1 ids, $2 the times inside the ids -> id, created_at of those that are ours
-- A UUIDv7 tells when it was made, so only the partitions of that day are looked at.
SELECT m.id, m.created_at
FROM unnest($1::uuid[], $2::timestamptz[]) AS wanted (id, made_at)
JOIN messages m ON m.id = wanted.id
    AND m.created_at BETWEEN wanted.made_at - interval '1 day' AND wanted.made_at + interval '1 day'
WHERE m.direction = 'out';

-- name: lock_messages  -- $1 ids, $2 times -> rows, locked in id order
SELECT m.id, m.created_at, m.conversation_id, m.customer_id, m.type, m.state, m.version, m.wamid, m.sent_at,
       m.delivered_at, m.read_at, m.failed_at, m.error_code, m.error_title, m.pricing
FROM unnest($1::uuid[], $2::timestamptz[]) AS wanted (id, created_at)
JOIN messages m ON m.id = wanted.id AND m.created_at = wanted.created_at
WHERE m.direction = 'out'
ORDER BY m.id FOR NO KEY UPDATE OF m;

-- name: claim_accepted  -- $1 ids, $2 times: claims given back although the channel had taken the message
UPDATE messages m SET updated_at = now(), state = 'claimed'
FROM unnest($1::uuid[], $2::timestamptz[]) AS row (id, created_at)
WHERE m.id = row.id AND m.created_at = row.created_at AND m.state = 'queued';

-- name: save_statuses  -- one array a column; the rows are locked
UPDATE messages m SET
    updated_at = now(),
    state = row.state, version = row.version, wamid = row.wamid, sent_at = row.sent_at, delivered_at = row.delivered_at,
    read_at = row.read_at, failed_at = row.failed_at, error_code = row.error_code, error_title = row.error_title,
    pricing = row.pricing
FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::bigint[], $5::text[], $6::timestamptz[], $7::timestamptz[],
            $8::timestamptz[], $9::timestamptz[], $10::int[], $11::text[], $12::jsonb[])
    AS row (id, created_at, state, version, wamid, sent_at, delivered_at, read_at, failed_at, error_code, error_title, pricing)
WHERE m.id = row.id AND m.created_at = row.created_at;

-- name: park  -- $1 ids, $2 wamids, $3 words, $4 times, $5 payloads
INSERT INTO parked_status (id, wamid, status, occurred_at, payload)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::jsonb[]);

-- name: take_parked  -- $1 wamids -> id, wamid, status, occurred_at, payload; gone from the table
DELETE FROM parked_status WHERE wamid = ANY($1::text[]) RETURNING id, wamid, status, occurred_at, payload;

-- name: find_matched  -- $1 since, $2 limit -> wamids that are parked although their message is known
SELECT DISTINCT wamid FROM parked_status p
WHERE created_at > $1 AND EXISTS (SELECT FROM message_key k WHERE k.wamid = p.wamid)
LIMIT $2;
