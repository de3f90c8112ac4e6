-- Files of messages: found by `next_at`, claimed by pushing it on, so that what a dead process held comes up again.

-- name: note_media  -- $1 ids, $2 wamids, $3 kinds, $4 meta_ids (null: none), $5 types, $6 sha256, $7 filenames, $8 states, $9 reasons, $10 expires_at
-- Nothing for a message that is not known, or that has the same file already (an edit that changed the caption).
WITH file AS (
    SELECT row.*, m.id AS message_id, m.conversation_id, m.number_id
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::text[], $8::text[],
                $9::text[], $10::timestamptz[])
        AS row (id, wamid, kind, meta_id, declared_type, declared_sha256, filename, state, reason, expires_at)
    JOIN message_key k USING (wamid)
    JOIN messages m ON m.id = k.message_id AND m.created_at = k.created_at
    WHERE NOT EXISTS (
        SELECT FROM message_media u JOIN media f ON f.id = u.media_id
        WHERE u.message_id = m.id AND f.meta_id IS NOT DISTINCT FROM row.meta_id
    )
), added AS (
    INSERT INTO media (id, direction, kind, number_id, meta_id, declared_type, declared_sha256, filename,
                       state, reason, next_at, expires_at)
    SELECT id, 'in', kind, number_id, meta_id, declared_type, declared_sha256, filename, state, reason,
           CASE WHEN state = 'pending' THEN now() END, expires_at FROM file
    RETURNING id
)
INSERT INTO message_media (message_id, media_id, conversation_id)
SELECT file.message_id, file.id, file.conversation_id FROM file;

-- name: claim_due  -- $1 limit, $2 seconds that one attempt may take -> files to fetch or scan, with number and sealed token
WITH due AS (
    SELECT id FROM media WHERE next_at <= now() ORDER BY next_at LIMIT $1 FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE media f SET attempts = attempts + 1, next_at = now() + make_interval(secs => $2)
    FROM due WHERE f.id = due.id
    RETURNING f.id, f.kind, f.number_id, f.meta_id, f.declared_type, f.declared_sha256, f.state, f.sha256,
              f.size_bytes, f.attempts,
              f.expires_at
)
SELECT c.*, n.phone_number_id, a.token_encrypted
FROM claimed c
LEFT JOIN whatsapp_numbers n ON n.id = c.number_id
LEFT JOIN whatsapp_accounts a ON a.id = n.account_id;

-- name: lock_content  -- $1 sha256: until the transaction ends, this content is neither recorded nor removed by another
SELECT pg_advisory_xact_lock(7215013, ('x' || encode(substring($1::bytea FROM 1 FOR 4), 'hex'))::bit(32)::int);

-- name: record_content  -- $1 id, $2 state, $3 reason, $4 sha256, $5 size_bytes, $6 mime_type, $7 scanned_at, $8 next_at -> id; no row: erased meanwhile
UPDATE media SET state = $2, reason = $3, sha256 = $4, size_bytes = $5, mime_type = $6, scanned_at = $7, next_at = $8
WHERE id = $1 AND state <> 'erased' RETURNING id;

-- name: free_content  -- $1 sha256: nobody may need it any more
INSERT INTO media_removals (sha256) VALUES ($1) ON CONFLICT DO NOTHING;

-- name: forget_removal  -- $1 sha256: somebody needs the content again
DELETE FROM media_removals WHERE sha256 = $1;

-- name: record_failure  -- $1 id, $2 state, $3 reason, $4 next_at
UPDATE media SET state = $2, reason = $3, next_at = $4 WHERE id = $1 AND state <> 'erased';

-- name: record_scan  -- $1 sha256: every file with this content is clean
UPDATE media SET state = 'stored', reason = NULL, scanned_at = now(), next_at = NULL
WHERE sha256 = $1 AND state IN ('scanning', 'stored');

-- name: record_infection  -- $1 sha256, $2 what was found: no file with this content is served from here on
UPDATE media SET state = 'infected', reason = $2, next_at = NULL
WHERE sha256 = $1 AND state IN ('scanning', 'stored', 'infected');

-- name: is_infected  -- $1 sha256 -> whether this content is in quarantine
SELECT EXISTS (SELECT FROM media WHERE sha256 = $1 AND state = 'infected');

-- name: insert_upload  -- $1 id, $2 kind, $3 declared_type, $4 filename, $5 state, $6 reason, $7 sha256, $8 size_bytes, $9 mime_type, $10 scanned_at, $11 next_at, $12 author
INSERT INTO media (id, direction, kind, declared_type, filename, state, reason, sha256, size_bytes, mime_type, scanned_at,
                   next_at, author)
VALUES ($1, 'out', $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);

-- name: find_media  -- $1 id -> the file
SELECT id, direction, kind, filename, state, reason, sha256, size_bytes, mime_type, created_at
FROM media WHERE id = $1;

-- name: find_visible  -- $1 teams (null: all), $2 caller, $3 how an uploader is named, $4 id -> the file, if the caller may see it
-- Who sees a conversation, or the one it was merged into, sees its files; who uploaded one sees it before it is in any.
SELECT f.id, f.direction, f.kind, f.filename, f.state, f.reason, f.sha256, f.size_bytes, f.mime_type, f.created_at
FROM media f
WHERE f.id = $4 AND ($1::uuid[] IS NULL OR f.author = $3 OR EXISTS (
    SELECT FROM message_media u JOIN conversations own ON own.id = u.conversation_id
    JOIN conversations c ON c.id IN (own.id, own.merged_into) LEFT JOIN queues q ON q.id = c.queue_id
    WHERE u.media_id = f.id AND sees($1::uuid[], $2::uuid, q.team_id, c.agent_id)
));

-- name: conversations_of  -- $1 media -> ids of the conversations that show it
SELECT DISTINCT conversation_id FROM message_media WHERE media_id = $1;

-- name: find_upload  -- $1 media, $2 number, $3 seconds that it must still live -> meta_id
SELECT meta_id FROM media_uploads
WHERE media_id = $1 AND number_id = $2 AND expires_at > now() + make_interval(secs => $3);

-- name: save_upload  -- $1 media, $2 number, $3 meta_id, $4 seconds of life
INSERT INTO media_uploads (media_id, number_id, meta_id, expires_at)
VALUES ($1, $2, $3, now() + make_interval(secs => $4))
ON CONFLICT (media_id, number_id) DO UPDATE SET meta_id = excluded.meta_id, expires_at = excluded.expires_at;

-- name: find_number  -- $1 number -> phone_number_id, sealed token
SELECT n.phone_number_id, a.token_encrypted
FROM whatsapp_numbers n JOIN whatsapp_accounts a ON a.id = n.account_id WHERE n.id = $1;

-- name: number_of_conversation  -- $1 conversation -> number_id (null: the conversation has none), channel
SELECT number_id, channel FROM conversations WHERE id = $1;

-- name: attach  -- $1 message, $2 files it shows, $3 conversation
INSERT INTO message_media (message_id, media_id, conversation_id)
SELECT $1, media_id, $3 FROM unnest($2::uuid[]) AS media_id ON CONFLICT DO NOTHING;

-- name: erase  -- $1 ids, $2 reason -> count; names and ids go, the row stays as the record that there was a file
WITH gone AS (
    UPDATE media SET state = 'erased', reason = $2, filename = NULL, meta_id = NULL, declared_sha256 = NULL,
                     author = NULL, next_at = NULL
    WHERE id = ANY($1::uuid[]) AND state <> 'erased' RETURNING id, sha256
), unsent AS (
    DELETE FROM media_uploads WHERE media_id = ANY($1::uuid[])
), freed AS (
    INSERT INTO media_removals (sha256) SELECT DISTINCT sha256 FROM gone WHERE sha256 IS NOT NULL ON CONFLICT DO NOTHING
)
SELECT count(*) FROM gone;

-- name: of_customer  -- $1 customer -> ids of the person's files, and of ours that were sent to nobody else
SELECT DISTINCT f.id
FROM conversations c JOIN message_media u ON u.conversation_id = c.id JOIN media f ON f.id = u.media_id
WHERE c.customer_id = $1 AND f.state <> 'erased' AND NOT EXISTS (
    SELECT FROM message_media o JOIN conversations x ON x.id = o.conversation_id
    WHERE o.media_id = f.id AND x.customer_id <> $1
);

-- name: of_conversations  -- $1 conversations -> ids of files that are in no other
SELECT DISTINCT f.id FROM message_media u JOIN media f ON f.id = u.media_id
WHERE u.conversation_id = ANY($1::uuid[]) AND f.state <> 'erased' AND NOT EXISTS (
    SELECT FROM message_media o WHERE o.media_id = f.id AND o.conversation_id <> ALL($1::uuid[])
);

-- name: older_than  -- $1 before, $2 limit -> ids of files past their retention that no legal hold keeps
SELECT f.id FROM media f
WHERE f.created_at < $1 AND f.state <> 'erased' AND NOT EXISTS (
    SELECT FROM message_media u JOIN conversations c ON c.id = u.conversation_id
    WHERE u.media_id = f.id AND is_held(c.customer_id, c.id)
)
ORDER BY f.created_at LIMIT $2;

-- name: list_removals  -- $1 limit -> contents to remove
SELECT sha256 FROM media_removals ORDER BY created_at LIMIT $1;

-- name: is_needed  -- $1 sha256 -> whether a file still has this content
SELECT EXISTS (SELECT FROM media WHERE sha256 = $1 AND state <> 'erased');

-- name: forget_content  -- $1 sha256: erased files name content no more once it is gone
UPDATE media SET sha256 = NULL, size_bytes = NULL WHERE sha256 = $1 AND state = 'erased';
