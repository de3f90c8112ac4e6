-- The erasure of one person in PostgreSQL. $1 are the ids under which he was known (merged customers too) unless it says else.

-- name: insert_erasure  -- $1 id, $2 customer, $3 reason, $4 requested_by, $5 erased_at
INSERT INTO erasures (id, customer_id, reason, requested_by, erased_at) VALUES ($1, $2, $3, $4, $5);

-- name: find_customer  -- $1 id -> id of the customer it is now, status
SELECT c.id, c.status FROM customers c WHERE c.id = (SELECT coalesce(merged_into, id) FROM customers WHERE id = $1);

-- name: under_way  -- $1 customer -> id of an erasure that is not done
SELECT id FROM erasures WHERE customer_id = $1 AND state <> 'done';

-- name: claim  -- $1 erasure -> it, for half an hour ours; no row when it is done, or not due: another one works on it
UPDATE erasures SET attempts = attempts + 1, next_at = now() + interval '30 minutes'
WHERE id = $1 AND state <> 'done' AND next_at <= now()
RETURNING id, customer_id, reason, state, erased_at, sealed, attempts, counts;

-- name: due  -- -> id, attempts of erasures somebody should work on
SELECT id, attempts FROM erasures WHERE state <> 'done' AND next_at <= now() ORDER BY next_at LIMIT 20;

-- name: started  -- $1 erasure, $2 sealed marks, $3 counts, $4 erased_at
UPDATE erasures SET state = 'running', sealed = $2, counts = $3, erased_at = $4 WHERE id = $1;

-- name: postponed  -- $1 erasure, $2 survivors, $3 counts, $4 seconds: it is looked at again then
UPDATE erasures SET survivors = $2, counts = $3, next_at = now() + make_interval(secs => $4) WHERE id = $1;

-- name: finished  -- $1 erasure, $2 survivors, $3 counts, $4 receipt, $5 finished_at
UPDATE erasures SET state = 'done', sealed = NULL, survivors = $2, counts = $3, receipt = $4, finished_at = $5 WHERE id = $1;

-- name: interrupted  -- $1 erasures, $2 seconds: those that are not done are looked at again then
UPDATE erasures SET next_at = now() + make_interval(secs => $2) WHERE id = ANY ($1::uuid[]) AND state <> 'done';

-- name: find_erasure  -- $1 id
SELECT id, customer_id, reason, requested_by, state, erased_at, attempts, counts, survivors, receipt, created_at, finished_at
FROM erasures WHERE id = $1;

-- name: list_erasures  -- $1 id of the last row before (null: from the newest), $2 limit
SELECT id, customer_id, reason, requested_by, state, erased_at, attempts, counts, survivors, receipt, created_at, finished_at
FROM erasures WHERE $1::uuid IS NULL OR id < $1 ORDER BY id DESC LIMIT $2;

-- name: lock_person  -- $1 one id -> id, name, username, phone of the customer and of those merged into him
SELECT id, name, username, phone FROM customers WHERE id = $1 OR merged_into = $1 ORDER BY id FOR UPDATE;

-- name: identities
SELECT DISTINCT kind, value, portfolio_id FROM customer_identities WHERE customer_id = ANY($1::uuid[]);

-- name: wamids
SELECT wamid FROM messages
WHERE conversation_id IN (SELECT id FROM conversations WHERE customer_id = ANY($1::uuid[])) AND wamid IS NOT NULL
UNION
SELECT k.wamid FROM message_key k JOIN messages m ON m.id = k.message_id AND m.created_at = k.created_at
WHERE m.conversation_id IN (SELECT id FROM conversations WHERE customer_id = ANY($1::uuid[]));

-- name: open_conversations
-- What we began and nobody answered is no demand: it has no end to be told.
SELECT id FROM conversations WHERE customer_id = ANY($1::uuid[]) AND state <> 'closed' AND is_demand ORDER BY id;

-- name: demands  -- $1 ids, $2 before -> demands whose record the law keeps still, with their messages in order
-- Decreto 11.034/2022 art. 12 § 5: two years from the resolution.
SELECT c.id, c.protocol, c.opened_at, c.resolved_at, c.closed_at, c.satisfaction, q.key AS queue,
    coalesce(c.resolved_at, c.closed_at, now()) + interval '2 years' AS keep_until,
    (
        SELECT coalesce(jsonb_agg(jsonb_build_object(
            'at', m.created_at, 'direction', m.direction, 'author', m.author, 'type', m.type, 'content', m.content,
            'state', m.state) ORDER BY m.created_at, m.id), '[]')
        FROM messages m WHERE m.conversation_id = c.id
    ) AS messages
FROM conversations c LEFT JOIN queues q ON q.id = c.queue_id
WHERE c.customer_id = ANY($1::uuid[]) AND c.is_demand
    AND (c.resolved_at IS NULL OR c.resolved_at + interval '2 years' > $2)
    AND NOT EXISTS (SELECT FROM kept_records k WHERE k.conversation_id = c.id);

-- name: keep_record  -- $1 id, $2 erasure, $3 conversation, $4 legal basis, $5 sealed, $6 keep_until
INSERT INTO kept_records (id, erasure_id, conversation_id, legal_basis, sealed, keep_until) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (conversation_id) DO NOTHING;

-- name: kept  -- $1 erasure -> legal_basis, count, keep_until of the last one
SELECT legal_basis, count(*) AS count, max(keep_until) AS keep_until FROM kept_records WHERE erasure_id = $1 GROUP BY legal_basis;

-- name: expire_kept  -- $1 before, $2 limit
DELETE FROM kept_records WHERE id IN (SELECT id FROM kept_records WHERE keep_until < $1 LIMIT $2);

-- name: stop_sending  -- what waits is not sent, what is in doubt is settled: nothing may write of him later
UPDATE messages SET updated_at = now(), state = CASE state WHEN 'queued' THEN 'cancelled' ELSE 'failed' END, version = version + 1
WHERE conversation_id IN (SELECT id FROM conversations WHERE customer_id = ANY($1::uuid[])) AND state IN ('queued', 'unknown');

-- name: erase_messages
UPDATE messages SET updated_at = now(), content = NULL, payload = '{}', wamid = NULL, reply_to = NULL, reactions = '{}', idempotency_key = NULL,
    error_title = NULL
WHERE conversation_id IN (SELECT id FROM conversations WHERE customer_id = ANY($1::uuid[]))
    AND (content IS NOT NULL OR payload <> '{}' OR wamid IS NOT NULL OR reply_to IS NOT NULL OR reactions <> '{}'
        OR idempotency_key IS NOT NULL OR error_title IS NOT NULL);

-- name: erase_keys  -- $1 wamids
DELETE FROM message_key WHERE wamid = ANY($1::text[]);

-- name: erase_turns
DELETE FROM bot_turn WHERE conversation_id IN (SELECT id FROM conversations WHERE customer_id = ANY($1::uuid[]));

-- name: erase_scheduled
DELETE FROM scheduled_replies WHERE conversation_id IN (SELECT id FROM conversations WHERE customer_id = ANY($1::uuid[]));

-- name: erase_notes
DELETE FROM notes WHERE conversation_id IN (SELECT id FROM conversations WHERE customer_id = ANY($1::uuid[]));

-- name: erase_conversations
UPDATE conversations SET tags = '{}', bot_state = '{}', ai_summary = NULL, ai_summary_by = NULL, metadata = '{}' WHERE customer_id = ANY($1::uuid[]);

-- name: erase_events  -- message texts and reactions travel in events of the message and name their customer
UPDATE events e SET payload = e.payload
    || CASE WHEN e.payload ? 'content' THEN '{"content": null}'::jsonb ELSE '{}' END
    || CASE WHEN e.payload ? 'emoji' THEN '{"emoji": null}'::jsonb ELSE '{}' END
WHERE e.aggregate_id IN (
        SELECT m.id FROM messages m JOIN conversations c ON c.id = m.conversation_id WHERE c.customer_id = ANY($1::uuid[])
    )
    AND coalesce(e.payload ->> 'content', e.payload ->> 'emoji') IS NOT NULL;

-- name: erase_identities
DELETE FROM customer_identities WHERE customer_id = ANY($1::uuid[]);

-- name: erase_pace
DELETE FROM pair_pace WHERE customer_id = ANY($1::uuid[]);

-- name: erase_quota
DELETE FROM quota_ledger WHERE customer_id = ANY($1::uuid[]);

-- name: erase_listed  -- the hash stays on its list: who must not be written to is not written to after his erasure either
UPDATE suppression_entries SET customer_id = NULL WHERE customer_id = ANY($1::uuid[]);

-- name: erase_links  -- his codes open nothing any more
DELETE FROM tracked_links WHERE customer_id = ANY($1::uuid[]);

-- name: erase_goals  -- with what they were laid to; the events stay as figures and lead to nobody
DELETE FROM goals WHERE customer_id = ANY($1::uuid[]);

-- name: erase_unsent  -- files that a visitor of a website uploaded and put into no message; the others go with their conversation
WITH gone AS (
    UPDATE media SET state = 'erased', reason = 'erased', filename = NULL, author = NULL, next_at = NULL
    WHERE state <> 'erased' AND author IN (SELECT 'visitor:' || id FROM site_visitors WHERE customer_id = ANY($1::uuid[]))
        AND NOT EXISTS (SELECT FROM message_media u WHERE u.media_id = media.id)
    RETURNING sha256
)
INSERT INTO media_removals (sha256) SELECT DISTINCT sha256 FROM gone WHERE sha256 IS NOT NULL ON CONFLICT DO NOTHING;

-- name: erase_visitors  -- with what they took part in and codes on their way: a token of theirs leads to nobody
DELETE FROM site_visitors WHERE customer_id = ANY($1::uuid[]);

-- name: erase_evidence  -- the proof of a consent stays, and names no more than the message it was in
UPDATE consent_ledger SET evidence = jsonb_strip_nulls(jsonb_build_object('message_id', evidence -> 'message_id'))
WHERE customer_id = ANY($1::uuid[]);

-- name: erase_tickets  -- $2 phones
UPDATE service_tickets SET summary = NULL WHERE summary IS NOT NULL AND contract_id IN (
    SELECT external_id FROM contracts WHERE customer_id = ANY($1::uuid[]) OR phone = ANY($2::text[])
);

-- name: erase_invoices  -- $2 phones
UPDATE invoices SET barcode = NULL, pix_code = NULL, pdf_url = NULL WHERE contract_id IN (
    SELECT external_id FROM contracts WHERE customer_id = ANY($1::uuid[]) OR phone = ANY($2::text[])
);

-- name: erase_contracts  -- $2 phones; the time makes sure that an older load does not bring them back
UPDATE contracts SET phone = NULL, cpf_hash = NULL, customer_id = NULL, city = NULL, state_code = NULL, updated_at = now()
WHERE customer_id = ANY($1::uuid[]) OR phone = ANY($2::text[]);

-- name: erase_customers  -- the shell stays: figures of the past still count a customer
UPDATE customers SET name = NULL, username = NULL, phone = NULL, cpf_hash = NULL, state_code = NULL, language = 'pt_BR',
    tags = '{}', metadata = '{}', corrected = '{}', version = version + 1,
    status = CASE WHEN merged_into IS NULL THEN 'erased' ELSE status END
WHERE id = ANY($1::uuid[]);

-- Sweeps: $1 words, $2 before when, one per word: what came later is a new person's, and handling itself drops what is old
-- and comes again.

-- name: sweep_webhooks  -- $1 words as bytea[]; handling deletes the body of one that is not split yet
DELETE FROM webhook_event w
WHERE w.split_at IS NOT NULL AND EXISTS (
    SELECT FROM unnest($1::bytea[], $2::timestamptz[]) AS his (word, before)
    WHERE w.received_at <= before AND position(word IN w.body) > 0
);

-- name: sweep_items  -- $1 words as bytea[]
DELETE FROM inbox_item i
WHERE EXISTS (
    SELECT FROM unnest($1::bytea[], $2::timestamptz[]) AS his (word, before)
    WHERE i.received_at <= before AND position(word IN i.payload) > 0
);

-- name: sweep_letters  -- $1 words as bytea[]
DELETE FROM dead_letter d
WHERE EXISTS (
    SELECT FROM unnest($1::bytea[], $2::timestamptz[]) AS his (word, before)
    WHERE coalesce(d.received_at, d.created_at) <= before AND (
        position(word IN d.payload) > 0 OR position(word IN convert_to(concat(d.contact_key, ' ', d.detail), 'UTF8')) > 0
    )
);

-- name: sweep_updates
DELETE FROM channel_update u
WHERE EXISTS (
    SELECT FROM unnest($1::text[], $2::timestamptz[]) AS his (word, before)
    WHERE u.created_at <= before AND position(word IN u.value::text) > 0
);

-- name: sweep_parked  -- $3 wamids
DELETE FROM parked_status p
WHERE p.wamid = ANY($3::text[]) OR EXISTS (
    SELECT FROM unnest($1::text[], $2::timestamptz[]) AS his (word, before)
    WHERE p.created_at <= before AND position(word IN concat(p.wamid, ' ', p.payload)) > 0
);

-- name: sweep_answers
DELETE FROM idempotency_key i
WHERE EXISTS (
    SELECT FROM unnest($1::text[], $2::timestamptz[]) AS his (word, before)
    WHERE i.created_at <= before AND position(word IN concat(i.key, ' ', i.response)) > 0
);

-- name: in_flight  -- messages of his that the sender has in hand: their answer is still to come
SELECT count(*) FROM messages
WHERE conversation_id IN (SELECT id FROM conversations WHERE customer_id = ANY($1::uuid[])) AND state = 'claimed';

-- name: relay_position  -- -> number of the batch, and whether it is being sent
SELECT batch, pending_xid IS NOT NULL AS in_flight FROM relay_cursor WHERE name = 'raw.events';

-- name: person_ids  -- $1 one id -> his ids
SELECT id FROM customers WHERE id = $1 OR merged_into = $1 ORDER BY id;

-- name: all_erasures  -- -> id of every erasure
SELECT id FROM erasures;

-- name: hurry  -- $1 erasure: somebody waits for it, so it is looked at again now
UPDATE erasures SET next_at = now() WHERE id = $1 AND state <> 'done';

-- name: erase_memberships  -- he leaves the frozen lists; their count and hash stay as they were proved
DELETE FROM segment_snapshot_members WHERE customer_id = ANY($1::uuid[]);

-- name: erase_recipients  -- nor is he on a campaign's list
DELETE FROM campaign_recipients WHERE customer_id = ANY($1::uuid[]);

-- name: erase_upload_rows
DELETE FROM campaign_upload_rows WHERE customer_id = ANY($1::uuid[]);

-- name: erase_trigger_keys
DELETE FROM campaign_trigger_keys WHERE customer_id = ANY($1::uuid[]);

-- name: erase_score_marks  -- the day is read again from its beginning: the keys tell whom it set the campaign off for
UPDATE campaign_score_marks SET after = NULL WHERE after = ANY($1::uuid[]);
