-- name: lock_splitter  -- held to the end of the transaction: one splitter at a time keeps items in the order of their webhooks
SELECT pg_advisory_xact_lock(7215002);

-- name: unsplit_webhooks  -- $1 rows int, $2 bytes bigint -> id, received_at, body; always the oldest one, then as many as fit
-- Found by their mark in the partial index, oldest first (ids are time-ordered). octet_length reads no TOAST.
SELECT id, received_at, body
FROM (
    SELECT id, received_at, body, sum(octet_length(body)) OVER (ORDER BY id) - octet_length(body) AS before
    FROM webhook_event
    WHERE split_at IS NULL
    ORDER BY id
    LIMIT $1
) AS oldest
WHERE before < $2
ORDER BY id;

-- name: mark_split  -- $1 ids uuid[], $2 received_at timestamptz[], $3 item counts int[]
UPDATE webhook_event AS w
SET split_at = now(), item_count = s.item_count
FROM unnest($1::uuid[], $2::timestamptz[], $3::int[]) AS s (id, received_at, item_count)
WHERE w.id = s.id AND w.received_at = s.received_at;

-- name: known_places  -- -> numbers text[], accounts text[]: the phone_number_ids and WABA ids that are ours
SELECT
    ARRAY(SELECT phone_number_id FROM whatsapp_numbers) AS numbers,
    ARRAY(SELECT waba_id FROM whatsapp_accounts) AS accounts;

-- name: tests_kept  -- $1 reason, $2 details -> detail of open dead letters with it and one of these
SELECT DISTINCT detail FROM dead_letter WHERE replayed_at IS NULL AND reason = $1 AND detail = ANY ($2::text[]);
