-- name: waiting_work  -- -> lanes smallint[], shards smallint[], webhooks boolean, bot_turns boolean, surveys boolean, media boolean
-- Each part is a look at the index of a queue, hopping from one lane to the next: a long backlog of one hides no other.
-- outbox_ready (migration 0016) leaves out what waits for its turn, a retry or the end of a pause.
WITH RECURSIVE waiting AS (
    SELECT min(lane) AS lane FROM inbox_item
    UNION ALL
    SELECT (SELECT min(lane) FROM inbox_item WHERE lane > waiting.lane) FROM waiting WHERE waiting.lane IS NOT NULL
)
SELECT
    ARRAY(SELECT lane FROM waiting WHERE lane IS NOT NULL) AS lanes,
    ARRAY(SELECT DISTINCT shard FROM outbox_ready) AS shards,
    EXISTS (SELECT FROM webhook_event WHERE split_at IS NULL) AS webhooks,
    EXISTS (SELECT FROM bot_turn) AS bot_turns,
    EXISTS (SELECT FROM conversations WHERE survey = 'due') AS surveys,
    EXISTS (SELECT FROM media WHERE next_at <= now()) AS media;

-- name: gauges  -- -> one row of counts
SELECT
    (SELECT count(*) FROM conversations WHERE state NOT IN ('resolved', 'closed')) AS active_conversations,
    (SELECT count(*) FROM agents WHERE presence = 'online') AS agents_online,
    (SELECT count(*) FROM inbox_item) AS inbox_items,
    (SELECT count(*) FROM outbox WHERE state = 'unknown') AS unknown;

-- name: stray_rows  -- {table} is one of our DEFAULT partitions -> count of rows that are no sentinel (messages only has sentinels)
SELECT count(*) FROM {table}
WHERE coalesce(to_jsonb({table}) ->> 'created_at', to_jsonb({table}) ->> 'received_at')::timestamptz
    NOT IN ('1970-01-01 00:00:00+00', '2100-01-01 00:00:00+00');

-- name: expire_webhooks  -- $1 before timestamptz, $2 limit
DELETE FROM webhook_event WHERE (id, received_at) IN (
    SELECT id, received_at FROM webhook_event WHERE received_at < $1 AND split_at IS NOT NULL ORDER BY id LIMIT $2
);

-- name: expire_dead_letters  -- $1 before timestamptz, $2 limit; only what was replayed: an open one waits for a person
DELETE FROM dead_letter WHERE id IN (SELECT id FROM dead_letter WHERE replayed_at < $1 LIMIT $2);

-- name: expire_idempotency_keys  -- $1 before timestamptz, $2 limit
DELETE FROM idempotency_key WHERE (scope, key) IN (
    SELECT scope, key FROM idempotency_key WHERE created_at < $1 ORDER BY created_at LIMIT $2
);

-- name: expire_parked_statuses  -- $1 before timestamptz, $2 limit; statuses of messages that never were ours
DELETE FROM parked_status WHERE id IN (
    SELECT id FROM parked_status WHERE created_at < $1 ORDER BY created_at LIMIT $2
);
