-- Everything of one customer becomes another's. A test finds every table that names a customer, so that none is forgotten.

-- name: open_pairs  -- $1 survivor, $2 merged, $3 the conversation that goes on or null -> for each number on which both have an open conversation: keep, close (ids)
-- What a person already works on is kept, else the older one.
SELECT (array_agg(id ORDER BY rank, opened_at, id))[1] AS keep, (array_agg(id ORDER BY rank, opened_at, id))[2] AS close
FROM (
    SELECT id, number_id, opened_at,
        CASE WHEN id = $3::uuid THEN -1 WHEN state IN ('assigned', 'waiting_customer') THEN 0 WHEN state = 'queued' THEN 1 ELSE 2 END AS rank
    FROM conversations WHERE customer_id IN ($1, $2) AND state NOT IN ('resolved', 'closed')
) AS open_now
GROUP BY number_id HAVING count(*) > 1;

-- name: move_messages  -- $1 survivor, $2 merged; found by conversation, for which every partition has an index
UPDATE messages SET updated_at = now(), customer_id = $1
WHERE conversation_id IN (SELECT id FROM conversations WHERE customer_id = $2);

-- name: move_conversations  -- $1 survivor, $2 merged
UPDATE conversations SET customer_id = $1 WHERE customer_id = $2;

-- name: move_identities  -- $1 survivor, $2 merged
UPDATE customer_identities SET customer_id = $1 WHERE customer_id = $2;

-- name: move_consents  -- $1 survivor, $2 merged
UPDATE consent_ledger SET customer_id = $1 WHERE customer_id = $2;

-- name: move_erasures  -- $1 survivor, $2 merged; who asked to be erased is, under whichever id he is known by then
UPDATE erasures SET customer_id = $1 WHERE customer_id = $2 AND state <> 'done';

-- name: move_holds  -- $1 survivor, $2 merged
UPDATE legal_holds SET customer_id = $1 WHERE customer_id = $2;

-- name: copy_suppressions  -- $1 survivor, $2 merged; the stricter of two stays
INSERT INTO suppressions (customer_id, scope, reason, until, created_at)
SELECT $1, scope, reason, until, created_at FROM suppressions WHERE customer_id = $2
ON CONFLICT (customer_id, scope) DO UPDATE SET reason = excluded.reason, until = excluded.until
WHERE suppressions.until IS NOT NULL AND (excluded.until IS NULL OR excluded.until > suppressions.until);

-- name: drop_suppressions  -- $1 merged
DELETE FROM suppressions WHERE customer_id = $1;

-- name: move_listed  -- $1 survivor, $2 merged; what the lists stop was copied with the suppressions
UPDATE suppression_entries SET customer_id = $1 WHERE customer_id = $2;

-- name: move_links  -- $1 survivor, $2 merged
UPDATE tracked_links SET customer_id = $1 WHERE customer_id = $2;

-- name: move_visitors  -- $1 survivor, $2 merged
UPDATE site_visitors SET customer_id = $1 WHERE customer_id = $2;

-- name: move_goals  -- $1 survivor, $2 merged; each night they are laid to messages anew
UPDATE goals SET customer_id = $1 WHERE customer_id = $2;

-- name: move_contracts  -- $1 survivor, $2 merged
UPDATE contracts SET customer_id = $1 WHERE customer_id = $2;

-- name: join_paces  -- $1 survivor, $2 merged; Meta's pair limit is about the person: what either got counts
INSERT INTO pair_pace AS pace (customer_id, number_id, burst_at, burst_count)
SELECT $1, number_id, burst_at, burst_count FROM pair_pace WHERE customer_id = $2
ON CONFLICT (customer_id, number_id) DO UPDATE SET
    burst_at = greatest(pace.burst_at, excluded.burst_at),
    burst_count = least(pace.burst_count + excluded.burst_count, 45);

-- name: move_quota  -- $1 survivor, $2 merged; a person who counts twice does so until the day is over
UPDATE quota_ledger q SET customer_id = $1
WHERE customer_id = $2 AND NOT EXISTS (
    SELECT FROM quota_ledger own WHERE own.portfolio_id = q.portfolio_id AND own.customer_id = $1
);

-- name: redirect  -- $1 survivor, $2 merged; chains stay one step long
UPDATE customers SET merged_into = $1 WHERE merged_into = $2;

-- name: end_customer  -- $1 survivor, $2 merged -> version of the merged one
UPDATE customers SET status = 'merged', merged_into = $1, version = version + 1 WHERE id = $2 RETURNING version;

-- name: enrich_survivor  -- $1 survivor, $2 merged; name, username, phone and state are the caller's part
UPDATE customers s SET
    cpf_hash = coalesce(s.cpf_hash, m.cpf_hash),
    tags = ARRAY(SELECT DISTINCT tag FROM unnest(s.tags || m.tags) AS tag ORDER BY tag),
    metadata = m.metadata || s.metadata,
    indexed = s.indexed OR m.indexed
FROM customers m WHERE s.id = $1 AND m.id = $2;

-- name: move_memberships  -- a frozen list has each person once
WITH moved AS (DELETE FROM segment_snapshot_members WHERE customer_id = $2 RETURNING snapshot_id)
INSERT INTO segment_snapshot_members (snapshot_id, customer_id) SELECT snapshot_id, $1 FROM moved ON CONFLICT DO NOTHING;

-- name: move_recipients  -- $1 survivor, $2 merged; whoever is in a campaign's list twice stays once: what was sent to either stays
WITH double AS (
    DELETE FROM campaign_recipients r USING campaign_recipients own
    WHERE r.customer_id = $2 AND own.customer_id = $1 AND (own.campaign_id, own.run_id, own.step) = (r.campaign_id, r.run_id, r.step)
    RETURNING r.campaign_id, r.run_id, r.step, r.state, r.message_id, r.message_created_at, r.queued_at, r.attempt, r.assigned_at
), kept AS (
    UPDATE campaign_recipients own SET state = d.state, message_id = d.message_id, message_created_at = d.message_created_at,
        queued_at = d.queued_at, attempt = d.attempt, assigned_at = d.assigned_at, excluded_for = NULL
    FROM double d
    WHERE own.customer_id = $1 AND (own.campaign_id, own.run_id, own.step) = (d.campaign_id, d.run_id, d.step)
        AND own.message_id IS NULL AND d.message_id IS NOT NULL
)
UPDATE campaign_recipients r SET customer_id = $1
WHERE r.customer_id = $2 AND NOT EXISTS (
    SELECT FROM campaign_recipients own
    WHERE own.customer_id = $1 AND (own.campaign_id, own.run_id, own.step) = (r.campaign_id, r.run_id, r.step)
);

-- name: move_upload_rows  -- $1 survivor, $2 merged
UPDATE campaign_upload_rows SET customer_id = $1 WHERE customer_id = $2;

-- name: move_trigger_keys  -- $1 survivor, $2 merged
WITH moved AS (DELETE FROM campaign_trigger_keys WHERE customer_id = $2 RETURNING campaign_id, key, run_id, created_at)
INSERT INTO campaign_trigger_keys (campaign_id, key, customer_id, run_id, created_at)
SELECT campaign_id, key, $1, run_id, created_at FROM moved ON CONFLICT DO NOTHING;
