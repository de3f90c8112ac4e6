-- name: lock_targets  -- $1 wamids -> wamid, and the message it names, locked in id order
SELECT k.wamid, m.id, m.created_at, m.conversation_id, m.customer_id, m.version, m.type, m.content, m.payload,
       m.reactions, m.edited_at, m.revoked_at
FROM message_key k JOIN messages m ON m.id = k.message_id AND m.created_at = k.created_at
WHERE k.wamid = ANY($1::text[])
ORDER BY m.id FOR NO KEY UPDATE OF m;

-- name: save_altered  -- one array a column of lock_targets; conversation and customer only keep the order
UPDATE messages m SET
    updated_at = now(),
    version = row.version, type = row.type, content = row.content, payload = row.payload, reactions = row.reactions,
    edited_at = row.edited_at, revoked_at = row.revoked_at
FROM unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::uuid[], $5::bigint[], $6::text[], $7::text[], $8::jsonb[],
            $9::jsonb[], $10::timestamptz[], $11::timestamptz[])
    AS row (id, created_at, conversation_id, customer_id, version, type, content, payload, reactions, edited_at, revoked_at)
WHERE m.id = row.id AND m.created_at = row.created_at;
