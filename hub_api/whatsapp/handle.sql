-- name: try_lock_lane  -- $1 lane -> whether it is ours until the transaction ends: one worker at a time keeps a lane's order
SELECT pg_try_advisory_xact_lock(7215003, $1);

-- name: take_items  -- $1 lane, $2 limit -> the oldest items of the lane, one with attempts by itself; gone when the transaction commits
DELETE FROM inbox_item WHERE id IN (
    SELECT id FROM (
        SELECT id, sum(attempts) OVER up_to AS suspected, row_number() OVER up_to AS position FROM (
            SELECT id, attempts FROM inbox_item
            WHERE lane = $1 AND (retry_at IS NULL OR retry_at <= now()) ORDER BY id LIMIT $2
        ) AS oldest WINDOW up_to AS (ORDER BY id)
    ) AS ranked WHERE suspected = 0 OR position = 1
) RETURNING id, webhook_id, received_at, lane, kind, phone_number_id, waba_id, contact_key, payload, attempts;

-- name: count_attempt  -- $1 lane, $2 first, $3 last item that a worker had in hand when it died
UPDATE inbox_item SET attempts = attempts + 1 WHERE lane = $1 AND id BETWEEN $2 AND $3;

-- name: take_item  -- $1 item -> it, when it is still there
DELETE FROM inbox_item WHERE id = $1
RETURNING id, webhook_id, received_at, lane, kind, phone_number_id, waba_id, contact_key, payload;

-- name: has_items  -- $1 lane -> whether something waits
SELECT EXISTS (SELECT FROM inbox_item WHERE lane = $1 AND (retry_at IS NULL OR retry_at <= now()));

-- name: find_numbers  -- $1 phone_number_ids -> id, phone_number_id, portfolio_id, and how the number is billed
SELECT n.id, n.phone_number_id, a.portfolio_id, b.currency, b.timezone, b.volume_tiers
FROM whatsapp_numbers n JOIN whatsapp_accounts a ON a.id = n.account_id JOIN number_billing b ON b.number_id = n.id
WHERE n.phone_number_id = ANY($1::text[]);

-- name: month_exists  -- $1 name of a partition
SELECT to_regclass($1) IS NOT NULL;

-- name: make_month  -- $1 first day
SELECT ensure_partitions('messages', $1, $1);

-- name: insert_turns  -- $1 conversations, $2 messages, $3 times, $4 lanes
INSERT INTO bot_turn (conversation_id, message_id, message_created_at, lane)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::smallint[]);

-- name: insert_updates  -- $1 ids, $2 webhooks, $3 fields, $4 numbers, $5 accounts, $6 values, $7 applied_at
INSERT INTO channel_update (id, webhook_id, field, phone_number_id, waba_id, value, applied_at)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::jsonb[], $7::timestamptz[]);

-- name: insert_dead  -- one array a column
INSERT INTO dead_letter (id, source, webhook_id, received_at, kind, phone_number_id, waba_id, contact_key, reason, detail, payload)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::text[],
                     $9::text[], $10::text[], $11::bytea[]);

-- name: list_updates  -- $1 field or null for all, $2 created_at and $3 id of the last row before (null: from the newest), $4 limit -> what the channel told beside messages, newest first
SELECT id, webhook_id, field, phone_number_id, waba_id, value, applied_at, created_at
FROM channel_update
WHERE ($1::text IS NULL OR field = $1) AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3::uuid))
ORDER BY created_at DESC, id DESC LIMIT $4;

-- name: list_dead  -- $1 created_at and $2 id of the last row before (null: from the newest), $3 limit -> open dead letters, newest first
SELECT id, source, kind, reason, detail, webhook_id, received_at, phone_number_id, waba_id, contact_key, created_at,
       octet_length(payload) AS payload_bytes
FROM dead_letter WHERE replayed_at IS NULL AND ($1::timestamptz IS NULL OR (created_at, id) < ($1, $2::uuid))
ORDER BY created_at DESC, id DESC LIMIT $3;

-- name: clock  -- -> now, as the database has it
SELECT now();

-- name: take_dead  -- $1 ids or null for all, $2 limit, $3 made before -> open dead letters in the order they were received, marked as replayed
-- What a letter holds of a person goes back with it and does not stay here as well.
WITH taken AS (
    SELECT * FROM dead_letter
    WHERE replayed_at IS NULL AND ($1::uuid[] IS NULL OR id = ANY($1)) AND created_at < $3
    ORDER BY received_at, id LIMIT $2 FOR UPDATE SKIP LOCKED
)
UPDATE dead_letter d SET replayed_at = now(), payload = '', contact_key = NULL, detail = NULL FROM taken t WHERE d.id = t.id
RETURNING t.id, t.source, t.webhook_id, t.received_at, t.kind, t.phone_number_id, t.waba_id, t.contact_key, t.payload;

-- name: restore_webhook  -- $1 id, $2 body
INSERT INTO webhook_event (id, body) VALUES ($1, $2);

-- name: restore_item  -- $1 webhook, $2 received_at, $3 lane, $4 kind, $5 phone_number_id, $6 waba_id, $7 contact_key, $8 payload
INSERT INTO inbox_item (webhook_id, received_at, lane, kind, phone_number_id, waba_id, contact_key, payload)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: forget_webhooks  -- $1 webhooks, $2 received_at: bodies about people who are erased
DELETE FROM webhook_event w USING unnest($1::uuid[], $2::timestamptz[]) AS gone (id, received_at)
WHERE w.id = gone.id AND w.received_at = gone.received_at AND w.split_at IS NOT NULL;
