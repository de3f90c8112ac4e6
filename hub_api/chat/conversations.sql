-- name: lock_conversation  -- $1 conversation -> the row; locked
SELECT * FROM conversations WHERE id = $1 FOR NO KEY UPDATE;

-- name: move  -- $1 conversation, $2 state, $3 at, $4 queue, $5 agent -> the row; no row: no such transition
-- Each clock says when its state was last entered; leaving `resolved` for work again counts as a reopening.
UPDATE conversations SET
    state = $2,
    version = version + 1,
    queue_id = $4,
    agent_id = $5,
    queued_at = CASE WHEN $2 = 'queued' THEN $3 ELSE queued_at END,
    assigned_at = CASE WHEN $2 = 'assigned' AND (assigned_at IS NULL OR agent_id IS DISTINCT FROM $5) THEN $3 ELSE assigned_at END,
    resolved_at = CASE WHEN $2 = 'resolved' THEN $3 WHEN $2 = 'closed' THEN resolved_at END,
    closed_at = CASE WHEN $2 = 'closed' THEN $3 END,
    reopened_count = reopened_count + (state = 'resolved' AND $2 NOT IN ('resolved', 'closed'))::int
WHERE id = $1
    AND (state = $2 OR EXISTS (SELECT FROM conversation_transition t WHERE t.from_state = state AND t.to_state = $2))
RETURNING *;

-- name: want  -- $1 conversation, $2 priority, $3 skills, $4 language; null: as it was
UPDATE conversations SET priority = coalesce($2, priority), wanted_skills = coalesce($3, wanted_skills),
    wanted_language = coalesce($4, wanted_language)
WHERE id = $1;

-- name: find_queue  -- $1 key -> id, key; no row: unknown or not active
SELECT id, key FROM queues WHERE key = $1 AND active;

-- name: find_agent  -- $1 user -> id; no row: unknown or not active
SELECT id FROM users WHERE id = $1 AND active;

-- name: lock_agent  -- $1 user -> true; locked, so that nobody else counts his load meanwhile; no row: he never was present
SELECT true FROM agents WHERE user_id = $1 FOR NO KEY UPDATE;

-- name: note_assigned  -- $1 user, $2 at
UPDATE agents SET last_assigned_at = $2 WHERE user_id = $1;

-- name: begin_assignment  -- $1 assignment, $2 conversation, $3 agent, $4 reason, $5 at, $6 queue, $7 strategy, $8 waited_s, $9 candidates jsonb
INSERT INTO assignments (id, conversation_id, agent_id, reason, assigned_at, queue_id, strategy, waited_s, candidates)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: end_assignment  -- $1 conversation, $2 at
UPDATE assignments SET released_at = $2 WHERE conversation_id = $1 AND released_at IS NULL;

-- name: ask_bot  -- $1 conversation, $2 trigger; the bot looks at it after the commit
INSERT INTO bot_turn (conversation_id, trigger) VALUES ($1, $2);

-- name: rate  -- $1 conversation, $2 satisfaction 1..5, $3 at -> customer_id, version
UPDATE conversations SET satisfaction = $2, rated_at = $3, version = version + 1 WHERE id = $1 RETURNING customer_id, version;

-- name: recommend  -- $1 conversation, $2 score 0..10, $3 at -> customer_id, version
UPDATE conversations SET nps = $2, recommended_at = $3, version = version + 1 WHERE id = $1 RETURNING customer_id, version;

-- name: note_survey  -- $1 conversation, $2 outcome or null -> customer_id, version; no row: it says so already
UPDATE conversations SET survey = $2, version = version + 1 WHERE id = $1 AND survey IS DISTINCT FROM $2 RETURNING customer_id, version;

-- name: load_threads  -- $1 customers uuid[] -> the newest conversation of each on each number, an open one first; locked in id order
SELECT * FROM conversations WHERE id IN (
    SELECT DISTINCT ON (customer_id, number_id) id FROM conversations
    WHERE customer_id = ANY($1) AND coalesce(metadata ->> 'source', '') <> 'history'
    ORDER BY customer_id, number_id, (state NOT IN ('resolved', 'closed')) DESC, opened_at DESC, id DESC
) ORDER BY id FOR NO KEY UPDATE;

-- name: load_histories  -- $1 customers uuid[] -> id, customer_id, number_id of the conversations that hold what was before us
SELECT id, customer_id, number_id FROM conversations
WHERE customer_id = ANY($1) AND metadata ->> 'source' = 'history';

-- name: open_threads  -- $1 zone, then one array a column -> id, protocol
INSERT INTO conversations (id, customer_id, number_id, state, protocol, previous_id, opened_at, queued_at, closed_at,
                           last_customer_message_at, last_message_at, last_ad_at, unanswered_since, first_response_at,
                           version, metadata, channel)
SELECT id, customer_id, number_id, state, next_protocol(opened_at, $1), previous_id, opened_at, queued_at, closed_at,
       last_customer_message_at, last_message_at, last_ad_at, unanswered_since, first_response_at, version, metadata,
       channel
FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::uuid[], $7::timestamptz[], $8::timestamptz[],
            $9::timestamptz[], $10::timestamptz[], $11::timestamptz[], $12::timestamptz[], $13::timestamptz[],
            $14::timestamptz[], $15::bigint[], $16::jsonb[], $17::text[])
    AS row (id, customer_id, number_id, state, previous_id, opened_at, queued_at, closed_at, last_customer_message_at,
            last_message_at, last_ad_at, unanswered_since, first_response_at, version, metadata, channel)
RETURNING id, protocol;

-- name: begin_threads  -- $1 zone, $2 ids, $3 states, $4 opened_at, $5 queued_at -> id, protocol
-- What we had begun is a demand from the customer's first words on: opened then, under a protocol of that day.
UPDATE conversations c SET
    is_demand = true, state = row.state, protocol = next_protocol(row.opened_at, $1), opened_at = row.opened_at,
    queued_at = row.queued_at, resolved_at = NULL
FROM unnest($2::uuid[], $3::text[], $4::timestamptz[], $5::timestamptz[]) AS row (id, state, opened_at, queued_at)
WHERE c.id = row.id
RETURNING c.id, c.protocol;

-- name: save_threads  -- one array a column; the rows are locked by load_threads
UPDATE conversations c SET
    state = row.state,
    agent_id = row.agent_id,
    queued_at = row.queued_at,
    resolved_at = row.resolved_at,
    last_customer_message_at = row.last_customer_message_at,
    last_message_at = row.last_message_at,
    last_ad_at = row.last_ad_at,
    unanswered_since = row.unanswered_since,
    first_response_at = row.first_response_at,
    reopened_count = row.reopened_count,
    version = row.version
FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[],
            $7::timestamptz[], $8::timestamptz[], $9::timestamptz[], $10::timestamptz[], $11::int[], $12::bigint[])
    AS row (id, state, agent_id, queued_at, resolved_at, last_customer_message_at, last_message_at, last_ad_at,
            unanswered_since, first_response_at, reopened_count, version)
WHERE c.id = row.id;
