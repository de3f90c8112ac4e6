-- What is past its time, rule by rule of retention.yaml. `due_x`: how many, or with $2 the ids of the next chunk; `end_x` ends those.
-- Rows of ended conversations stay, so a run goes on after the last one it saw; what other rules end is found no more.

-- name: due_conversations  -- $1 before, $2 limit, $3 id after which to look or null -> id of conversations whose texts are past their time
SELECT c.id FROM conversations c
WHERE ($3::uuid IS NULL OR c.id > $3) AND c.state IN ('resolved', 'closed') AND coalesce(c.closed_at, c.resolved_at) < $1 AND NOT is_held(c.customer_id, c.id)
    AND (c.tags <> '{}' OR c.ai_summary IS NOT NULL OR c.metadata <> '{}' OR c.bot_state <> '{}' OR EXISTS (
        SELECT FROM messages m WHERE m.conversation_id = c.id
            AND (m.content IS NOT NULL OR m.payload <> '{}' OR m.wamid IS NOT NULL OR m.reactions <> '{}')
    ) OR EXISTS (SELECT FROM notes n WHERE n.conversation_id = c.id)
        OR EXISTS (SELECT FROM scheduled_replies r WHERE r.conversation_id = c.id))
ORDER BY c.id LIMIT $2;

-- name: end_keys  -- $1 conversations; a wamid holds the phone, so it goes with the message (README, Decisions)
DELETE FROM message_key k USING messages m
WHERE m.conversation_id = ANY($1::uuid[]) AND k.message_id = m.id AND k.created_at = m.created_at;

-- name: end_events  -- $1 conversations
UPDATE events e SET payload = e.payload
    || CASE WHEN e.payload ? 'content' THEN '{"content": null}'::jsonb ELSE '{}' END
    || CASE WHEN e.payload ? 'emoji' THEN '{"emoji": null}'::jsonb ELSE '{}' END
WHERE e.aggregate_id IN (SELECT id FROM messages WHERE conversation_id = ANY($1::uuid[]))
    AND coalesce(e.payload ->> 'content', e.payload ->> 'emoji') IS NOT NULL;

-- name: end_messages  -- $1 conversations
UPDATE messages SET content = NULL, payload = '{}', wamid = NULL, reply_to = NULL, reactions = '{}', idempotency_key = NULL,
    error_title = NULL, updated_at = now()
WHERE conversation_id = ANY($1::uuid[]);

-- name: end_scheduled  -- $1 conversations
DELETE FROM scheduled_replies WHERE conversation_id = ANY($1::uuid[]);

-- name: end_notes  -- $1 conversations
DELETE FROM notes WHERE conversation_id = ANY($1::uuid[]);

-- name: end_conversations  -- $1 conversations; the mark keeps them due until their files are gone too
UPDATE conversations SET tags = '{}', bot_state = '{}', ai_summary = NULL, ai_summary_by = NULL, metadata = '{"ending": true}' WHERE id = ANY($1::uuid[]);

-- name: forget_ending  -- $1 conversations
UPDATE conversations SET metadata = '{}' WHERE id = ANY($1::uuid[]);

-- name: due_people  -- $1 before, $2 limit -> id of people of whom nothing is needed any more
-- A contract that still names him keeps him: how long that is, ended_contracts says.
SELECT c.id FROM customers c
WHERE c.status NOT IN ('merged', 'erased') AND c.updated_at < $1
    AND NOT EXISTS (SELECT FROM legal_holds h WHERE h.customer_id = c.id AND h.released_at IS NULL)
    AND NOT EXISTS (SELECT FROM erasures e WHERE e.customer_id = c.id AND e.state <> 'done')
    AND NOT EXISTS (SELECT FROM contracts k WHERE k.customer_id = c.id OR k.phone = c.phone)
    AND NOT EXISTS (
        SELECT FROM conversations v WHERE v.customer_id = c.id
            AND (v.state NOT IN ('resolved', 'closed') OR greatest(v.last_message_at, v.opened_at, v.resolved_at, v.closed_at) > $1)
    )
ORDER BY c.id LIMIT $2;

-- name: due_ended_contracts  -- $1 before, $2 limit -> external_id of contracts that ended long ago and still name somebody
SELECT k.external_id AS id FROM contracts k
WHERE k.ended_on < $1::date AND (k.phone IS NOT NULL OR k.cpf_hash IS NOT NULL OR k.customer_id IS NOT NULL)
    AND NOT EXISTS (
        SELECT FROM legal_holds h JOIN customers c ON c.id = h.customer_id
        WHERE h.released_at IS NULL AND (c.id = k.customer_id OR c.phone = k.phone)
    )
ORDER BY k.external_id LIMIT $2;

-- name: end_tickets  -- $1 contracts
UPDATE service_tickets SET summary = NULL WHERE contract_id = ANY($1::text[]) AND summary IS NOT NULL;

-- name: end_invoices  -- $1 contracts
UPDATE invoices SET barcode = NULL, pix_code = NULL, pdf_url = NULL WHERE contract_id = ANY($1::text[]);

-- name: end_contracts  -- $1 contracts; the time makes sure that an older load does not bring them back
UPDATE contracts SET phone = NULL, cpf_hash = NULL, customer_id = NULL, city = NULL, state_code = NULL, updated_at = now()
WHERE external_id = ANY($1::text[]);

-- name: due_channel_updates  -- $1 before, $2 limit -> id
SELECT id FROM channel_update WHERE created_at < $1 ORDER BY created_at LIMIT $2;

-- name: end_channel_updates  -- $1 ids
DELETE FROM channel_update WHERE id = ANY($1::uuid[]);

-- name: due_open_dead_letters  -- $1 before, $2 limit -> id
SELECT id FROM dead_letter WHERE replayed_at IS NULL AND created_at < $1 ORDER BY created_at LIMIT $2;

-- name: end_open_dead_letters  -- $1 ids
DELETE FROM dead_letter WHERE id = ANY($1::uuid[]);

-- name: due_ended_identities  -- $1 before, $2 limit -> id
SELECT i.id FROM customer_identities i
WHERE i.valid_to < $1 AND NOT EXISTS (SELECT FROM legal_holds h WHERE h.customer_id = i.customer_id AND h.released_at IS NULL)
ORDER BY i.valid_to LIMIT $2;

-- name: end_ended_identities  -- $1 ids
DELETE FROM customer_identities WHERE id = ANY($1::uuid[]);

-- name: due_segment_lists  -- $1 before, $2 limit -> id of snapshots whose members are past their time
SELECT s.id FROM segment_snapshots s
WHERE s.created_at < $1 AND EXISTS (SELECT FROM segment_snapshot_members m WHERE m.snapshot_id = s.id)
ORDER BY s.created_at LIMIT $2;

-- name: end_segment_lists  -- $1 ids
DELETE FROM segment_snapshot_members WHERE snapshot_id = ANY($1::uuid[]);

-- name: due_campaign_lists  -- $1 before, $2 limit -> id of ended runs whose recipients, or what set them off, are past their time
SELECT r.id FROM campaign_runs r
WHERE r.created_at < $1 AND r.state IN ('completed', 'cancelled', 'failed') AND (
    EXISTS (SELECT FROM campaign_recipients m WHERE m.campaign_id = r.campaign_id AND m.run_id = r.id)
    OR EXISTS (SELECT FROM campaign_trigger_keys k WHERE k.run_id = r.id AND NOT may_set_off_again(k.campaign_id, k.key))
)
ORDER BY r.created_at LIMIT $2;

-- name: end_campaign_recipients  -- $1 runs
DELETE FROM campaign_recipients m USING campaign_runs r
WHERE r.id = ANY($1::uuid[]) AND m.campaign_id = r.campaign_id AND m.run_id = r.id;

-- name: end_campaign_triggers  -- $1 runs; without the key the same event would set its campaign off again
DELETE FROM campaign_trigger_keys k WHERE k.run_id = ANY($1::uuid[]) AND NOT may_set_off_again(k.campaign_id, k.key);

-- name: due_campaign_uploads  -- $1 before, $2 limit -> id of files whose rows are past their time
SELECT u.id FROM campaign_uploads u
WHERE u.created_at < $1 AND EXISTS (SELECT FROM campaign_upload_rows r WHERE r.upload_id = u.id)
ORDER BY u.created_at LIMIT $2;

-- name: end_campaign_uploads  -- $1 ids
DELETE FROM campaign_upload_rows WHERE upload_id = ANY($1::uuid[]);

-- name: lock_people_of  -- $1 conversations: their customers, locked in order, so that a hold is seen or waits
SELECT id FROM customers WHERE id IN (SELECT customer_id FROM conversations WHERE id = ANY($1::uuid[])) ORDER BY id FOR UPDATE;

-- name: still_free  -- $1 conversations -> those that nobody holds, seen under the lock
SELECT id FROM conversations c WHERE id = ANY($1::uuid[]) AND NOT is_held(c.customer_id, c.id);

-- name: due_tracked_links  -- $1 before, $2 limit -> id (the code's hash) of personal links that ended long ago
SELECT l.code_sha256 AS id FROM tracked_links l
WHERE l.expires_at < $1
    AND NOT EXISTS (SELECT FROM legal_holds h WHERE h.customer_id = l.customer_id AND h.released_at IS NULL)
ORDER BY l.expires_at LIMIT $2;

-- name: end_tracked_links  -- $1 hashes
DELETE FROM tracked_links WHERE code_sha256 = ANY($1::bytea[]);

-- name: due_suppression_lists  -- $1 before, $2 limit -> id of entries whose end is long ago
SELECT e.id FROM suppression_entries e
WHERE e.until < $1
    AND NOT EXISTS (SELECT FROM legal_holds h WHERE h.customer_id = e.customer_id AND h.released_at IS NULL)
ORDER BY e.until LIMIT $2;

-- name: end_suppression_lists  -- $1 ids
DELETE FROM suppression_entries WHERE id = ANY($1::uuid[]);

-- name: due_goals  -- $1 before, $2 limit -> id
SELECT g.id FROM goals g
WHERE g.created_at < $1 AND NOT EXISTS (SELECT FROM legal_holds h WHERE h.customer_id = g.customer_id AND h.released_at IS NULL)
ORDER BY g.created_at LIMIT $2;

-- name: end_goals  -- $1 ids
DELETE FROM goals WHERE id = ANY($1::uuid[]);

-- name: due_site_visitors  -- $1 before, $2 limit -> id
SELECT v.id FROM site_visitors v
WHERE v.seen_at < $1 AND NOT EXISTS (SELECT FROM legal_holds h WHERE h.customer_id = v.customer_id AND h.released_at IS NULL)
ORDER BY v.seen_at LIMIT $2;

-- name: end_site_visitors  -- $1 ids
DELETE FROM site_visitors WHERE id = ANY($1::uuid[]);
