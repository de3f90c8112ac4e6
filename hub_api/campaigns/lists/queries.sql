-- Frozen lists of recipients, and audiences that come as files.

-- name: find_run  -- $1 id -> it with what its campaign asks
SELECT r.id, r.campaign_id, r.occurrence, r.state, c.audience, c.schedule, c.pacing, c.experiment, c.lane, c.kind, c.state AS campaign_state
FROM campaign_runs r JOIN campaigns c ON c.id = r.campaign_id WHERE r.id = $1;

-- name: take_lease  -- $1 run, $2 now -> true: whoever froze it is silent for a minute, or nobody did yet
UPDATE campaign_runs SET last_turn_at = $2::timestamptz, read_so_far = 0
WHERE id = $1 AND state = 'freezing' AND (last_turn_at IS NULL OR last_turn_at < $2::timestamptz - interval '60 seconds') RETURNING true;

-- name: drop_recipients  -- $1 campaign, $2 run: what a dead freeze left; nothing was sent by it
DELETE FROM campaign_recipients WHERE campaign_id = $1 AND run_id = $2;

-- name: describe_run  -- $1 run, $2 definition, $3 as_of, $4 asset_version
UPDATE campaign_runs SET definition = $2, as_of = $3, asset_version = $4 WHERE id = $1;

-- name: add_recipients  -- $1 campaign, $2 run, $3 lane, $4 cap's messages, $5 cap's days, $6 customers, $7 habits (hour UTC or -1), $8 variables, $9 reasons known already, $10 states, $11 habits and $12 moments of the table of turns -> rows added
-- Positions are a hash of run and customer: the first ones are a sample by chance, and a repetition gives the same order.
WITH added AS (
    INSERT INTO campaign_recipients (campaign_id, run_id, customer_id, variant, position, state, excluded_for, send_after, state_code, variables)
    SELECT $1, $2, e.customer_id, '', (hashtextextended($2::uuid::text || e.customer_id::text, 0) >> 33)::int,
        CASE WHEN why.reason IS NULL THEN 'pending' ELSE 'excluded' END, why.reason, turn.at, e.state_code, given.variables
    FROM unnest($6::uuid[], $7::int[], $8::jsonb[], $9::text[]) AS given (customer_id, habit, variables, held)
    JOIN campaign_exclusions_of($6, $2, $3, $4, $5) AS e ON e.customer_id = given.customer_id
    LEFT JOIN unnest($10::text[], $11::int[], $12::timestamptz[]) AS turn (state, habit, at)
        ON turn.state = CASE WHEN e.state_code = ANY ($10::text[]) THEN e.state_code ELSE '' END AND turn.habit = given.habit
    CROSS JOIN LATERAL (SELECT coalesce(e.reason, given.held, CASE WHEN turn.at IS NULL THEN 'no_time' END) AS reason) AS why
    ON CONFLICT DO NOTHING RETURNING 1
)
SELECT count(*)::int FROM added;

-- name: progress  -- $1 run, $2 the lease held, $3 now, $4 read so far -> true: the lease is still ours
UPDATE campaign_runs SET last_turn_at = $3, read_so_far = $4, waits_for = NULL WHERE id = $1 AND state = 'freezing' AND last_turn_at = $2 RETURNING true;

-- name: freeze_run  -- $1 campaign, $2 run, $3 the lease held -> members, excluded
UPDATE campaign_runs r SET state = 'frozen', frozen_at = now(), members = found.members, members_sha256 = found.hash,
    excluded = found.excluded, last_turn_at = NULL, waits_for = NULL
FROM (
    SELECT count(*)::int AS members,
        sha256(coalesce(string_agg(uuid_send(customer_id), ''::bytea ORDER BY customer_id), ''::bytea)) AS hash,
        (
            SELECT coalesce(jsonb_object_agg(e.excluded_for, e.n), '{}') FROM (
                SELECT excluded_for, count(*) AS n FROM campaign_recipients
                WHERE campaign_id = $1 AND run_id = $2 AND excluded_for IS NOT NULL GROUP BY excluded_for
            ) AS e
        ) AS excluded
    FROM campaign_recipients WHERE campaign_id = $1 AND run_id = $2 AND step = 0
) AS found
WHERE r.id = $2 AND r.state = 'freezing' AND r.last_turn_at = $3 RETURNING r.members, r.excluded;

-- name: freeze_waits  -- $1 run, $2 what its freeze waits for
UPDATE campaign_runs SET waits_for = $2 WHERE id = $1 AND state = 'freezing';

-- name: fail_run  -- $1 run, $2 why
UPDATE campaign_runs SET state = 'failed', failure = $2, waits_for = NULL, finished_at = now() WHERE id = $1 AND state = 'freezing';

-- name: find_snapshot  -- $1 id -> as_of, asset_version, definition of a frozen one
SELECT as_of, asset_version, definition FROM segment_snapshots WHERE id = $1 AND state = 'frozen';

-- name: snapshot_members  -- $1 snapshot, $2 the last customer before or null, $3 limit
SELECT customer_id FROM segment_snapshot_members WHERE snapshot_id = $1 AND ($2::uuid IS NULL OR customer_id > $2)
ORDER BY customer_id LIMIT $3;

-- name: upload_members  -- $1 upload, $2 the last line before, $3 limit -> line, customer_id, variables
SELECT line, customer_id, variables FROM campaign_upload_rows
WHERE upload_id = $1 AND line > $2 AND customer_id IS NOT NULL ORDER BY line LIMIT $3;

-- name: trigger_members  -- $1 run, $2 the last customer before or null, $3 limit -> customer_id, key (the first of his), and what it names: amount_micros, due_on of an invoice; region_code, expected_end_at of an outage
SELECT t.customer_id, t.key, i.amount_micros, i.due_on, o.region_code, o.expected_end_at
FROM (
    SELECT customer_id, min(key) AS key FROM campaign_trigger_keys
    WHERE run_id = $1 AND ($2::uuid IS NULL OR customer_id > $2) GROUP BY customer_id ORDER BY customer_id LIMIT $3
) AS t
LEFT JOIN invoices i ON t.key LIKE 'invoice:%' AND i.external_id = substr(t.key, length('invoice:') + 1)
LEFT JOIN outages o ON t.key LIKE 'outage:%' AND o.external_id = substr(t.key, length('outage:') + 1)
ORDER BY t.customer_id;

-- name: in_upload  -- $1 upload, $2 customers -> customer_id, variables of those whom the file names
SELECT customer_id, variables FROM campaign_upload_rows WHERE upload_id = $1 AND customer_id = ANY ($2::uuid[]);

-- name: in_snapshot  -- $1 snapshot, $2 customers -> customer_id of those on the list
SELECT customer_id FROM segment_snapshot_members WHERE snapshot_id = $1 AND customer_id = ANY ($2::uuid[]);

-- name: insert_upload  -- $1 id, $2 name, $3 columns, $4 rows, $5 accepted, $6 actor
INSERT INTO campaign_uploads (id, name, columns, rows, accepted, created_by) VALUES ($1, $2, $3, $4, $5, $6);

-- name: insert_upload_rows  -- $1 upload, $2 lines, $3 customers, $4 problems, $5 variables
INSERT INTO campaign_upload_rows (upload_id, line, customer_id, problem, variables)
SELECT $1, * FROM unnest($2::int[], $3::uuid[], $4::text[], $5::jsonb[]);

-- name: find_upload  -- $1 id
SELECT id, name, columns, rows, accepted, created_by, created_at FROM campaign_uploads WHERE id = $1;

-- name: upload_problems  -- $1 upload, $2 the last line before, $3 limit -> line, problem of rows that nobody gets a message for
SELECT line, problem FROM campaign_upload_rows WHERE upload_id = $1 AND line > $2 AND problem IS NOT NULL ORDER BY line LIMIT $3;

-- name: customers_by_phone  -- $1 canonical phones -> phone, customer_id
SELECT DISTINCT ON (i.value) i.value AS phone, coalesce(c.merged_into, c.id) AS customer_id
FROM customer_identities i JOIN customers c ON c.id = i.customer_id
WHERE i.kind = 'phone' AND i.value = ANY ($1::text[]) AND i.valid_to IS NULL AND i.portfolio_id = ''
UNION
SELECT DISTINCT ON (c.phone) c.phone, c.id FROM customers c
WHERE c.phone = ANY ($1::text[]) AND c.status NOT IN ('merged', 'erased');

-- name: known_customers  -- $1 ids -> id of whoever each one is now
SELECT c.id AS asked, coalesce(c.merged_into, c.id) AS customer_id FROM customers c WHERE c.id = ANY ($1::uuid[]) AND c.status <> 'erased';

-- name: exclusions  -- $1 customers, $2 run (null: one still to come), $3 lane, $4 cap's messages, $5 cap's days -> state_code, reason, how many
SELECT state_code, reason, count(*)::int AS customers FROM campaign_exclusions_of($1, $2, $3, $4, $5) GROUP BY state_code, reason;

-- name: sources  -- $1 customers -> what may stand in a message: name, plan, city, price_micros, invoice_micros, invoice_due_on (the oldest open one)
SELECT c.id, c.name, main.plan, main.city, main.price_micros, owed.amount_micros AS invoice_micros, owed.due_on AS invoice_due_on
FROM customers c
LEFT JOIN LATERAL (
    SELECT p.name AS plan, k.city, p.price_micros FROM contracts k JOIN plans p ON p.external_id = k.plan_id
    WHERE k.customer_id = c.id ORDER BY (k.status = 'active') DESC, k.started_on DESC, k.external_id LIMIT 1
) AS main ON true
LEFT JOIN LATERAL (
    SELECT i.amount_micros, i.due_on FROM invoices i JOIN contracts k ON k.external_id = i.contract_id
    WHERE k.customer_id = c.id AND i.status IN ('open', 'overdue') ORDER BY i.due_on, i.external_id LIMIT 1
) AS owed ON true
WHERE c.id = ANY ($1::uuid[]);
