-- name: insert  -- $1 id, $2 actor, $3 action, $4 object_type, $5 object_id, $6 detail, $7 trace_id, $8 address, $9 before, $10 after
INSERT INTO audit_log (id, actor, action, object_type, object_id, detail, trace_id, address, before, after)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- name: list_rows  -- $1 actor, $2 action, $3 object_type, $4 object_id, $8 trace_id, $9 address (null: any), $10 since, $11 until, $5 created_at and $6 id of the last row before, $7 limit; newest first, each with the name of its actor: a key's is followed by that of whom it acts for
WITH rows AS (
    SELECT id, created_at, actor, action, object_type, object_id, before, after, detail, address, trace_id
    FROM audit_log
    WHERE ($1::text IS NULL OR actor = $1)
        AND ($2::text IS NULL OR action = $2)
        AND ($3::text IS NULL OR object_type = $3)
        AND ($4::text IS NULL OR object_id = $4 OR (detail ? 'ids' AND detail -> 'ids' ? $4))
        AND ($8::text IS NULL OR trace_id = $8)
        AND ($9::text IS NULL OR address = $9)
        AND ($10::timestamptz IS NULL OR created_at >= $10)
        AND ($11::timestamptz IS NULL OR created_at < $11)
        AND ($6::uuid IS NULL OR (created_at, id) < ($5::timestamptz, $6))
    ORDER BY created_at DESC, id DESC LIMIT $7
), identified AS (
    -- Others that an actor may be (system, anonymous, customer:<id>) have no name here, and an id that is no uuid is none.
    SELECT *, CASE WHEN actor ~ '^(user|key):[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN split_part(actor, ':', 2)::uuid END AS actor_id
    FROM rows
)
SELECT r.id, r.created_at, r.actor, r.action, r.object_type, r.object_id, r.before, r.after, r.detail, r.address, r.trace_id,
    coalesce(u.name, c.name, nullif(concat_ws(' · ', k.name, owner.name), '')) AS actor_name
FROM identified r
LEFT JOIN users u ON starts_with(r.actor, 'user:') AND u.id = r.actor_id
LEFT JOIN api_keys k ON starts_with(r.actor, 'key:') AND k.id = r.actor_id
LEFT JOIN users owner ON owner.id = k.user_id
LEFT JOIN openid_clients c ON r.actor = 'openid_client:' || c.id
ORDER BY r.created_at DESC, r.id DESC;
