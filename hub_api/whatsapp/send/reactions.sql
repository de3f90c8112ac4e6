-- What a refusal does to everybody else's messages. A pause never replaces a graver state, nor shortens a longer one.

-- name: pause_number  -- $1 number, $2 state, $3 reason, $4 until or null (until a person has repaired it), $5 source -> id
UPDATE whatsapp_numbers SET
    state = $2,
    state_reason = $3,
    state_source = $5,
    paused_until = CASE WHEN state = $2 AND paused_until IS NULL OR $4::timestamptz IS NULL THEN NULL
        ELSE greatest(paused_until, $4) END
WHERE id = $1
    AND array_position(ARRAY['connected', 'limited', 'draining', 'paused', 'restricted', 'offline'], state)
        <= array_position(ARRAY['connected', 'limited', 'draining', 'paused', 'restricted', 'offline'], $2)
RETURNING id;

-- name: pause_account  -- as pause_number
UPDATE whatsapp_accounts SET
    state = $2,
    state_reason = $3,
    state_source = $5,
    paused_until = CASE WHEN state = $2 AND paused_until IS NULL OR $4::timestamptz IS NULL THEN NULL
        ELSE greatest(paused_until, $4) END
WHERE id = $1
    AND array_position(ARRAY['active', 'paused', 'restricted', 'disabled'], state)
        <= array_position(ARRAY['active', 'paused', 'restricted', 'disabled'], $2)
RETURNING id;

-- name: hold_number  -- $1 number, $2 categories, $3 reason, $4 until, $5 source
UPDATE whatsapp_numbers SET
    state = CASE WHEN state = 'connected' THEN 'limited' ELSE state END,
    state_source = CASE WHEN state = 'connected' THEN $5 ELSE state_source END,
    state_reason = CASE WHEN state IN ('connected', 'limited') THEN $3 ELSE state_reason END,
    held_categories = ARRAY(SELECT DISTINCT unnest(held_categories || $2::text[])),
    held_until = greatest(held_until, $4)
WHERE id = $1;

-- name: hold_account  -- $1 account, $2 categories, $3 reason, $4 until; the account stays active
UPDATE whatsapp_accounts SET
    state_reason = CASE WHEN state = 'active' THEN $3 ELSE state_reason END,
    held_categories = ARRAY(SELECT DISTINCT unnest(held_categories || $2::text[])),
    held_until = greatest(held_until, $4)
WHERE id = $1;

-- name: messages_of_wamids  -- $1 wamids -> wamid, and what a Refused needs of its message
SELECT k.wamid, m.id AS message_id, m.customer_id, n.id AS number_id, n.account_id,
    m.payload #>> '{template,name}' AS template_name, m.payload #>> '{template,language,code}' AS template_language
FROM message_key k
JOIN messages m ON m.id = k.message_id AND m.created_at = k.created_at
JOIN whatsapp_numbers n ON n.id = m.number_id
WHERE k.wamid = ANY ($1::text[]);

-- name: account_of_number  -- $1 number -> account_id
SELECT account_id FROM whatsapp_numbers WHERE id = $1;

-- name: set_template  -- $1 account, $2 name, $3 language, $4 status, $5 reason
UPDATE templates SET status = $4, status_reason = $5 WHERE account_id = $1 AND name = $2 AND language = $3;

-- name: strike  -- $1 customer, $2 Unix seconds, $3 how many are kept
UPDATE customers SET metadata = jsonb_set(metadata, '{whatsapp_strikes}', (
    SELECT jsonb_agg(at) FROM (
        SELECT DISTINCT at
        FROM jsonb_array_elements(coalesce(metadata -> 'whatsapp_strikes', '[]') || to_jsonb($2::float8)) AS at
        ORDER BY at DESC LIMIT $3
    ) AS newest
))
WHERE id = $1;

-- name: end_number_holds  -- categories of numbers may go again
UPDATE whatsapp_numbers SET
    state = CASE WHEN state = 'limited' THEN 'connected' ELSE state END,
    state_source = CASE WHEN state = 'limited' THEN 'clock' ELSE state_source END,
    state_reason = CASE WHEN state = 'limited' THEN NULL ELSE state_reason END,
    held_categories = '{}', held_until = NULL
WHERE held_until <= now();

-- name: end_account_holds  -- categories of accounts may go again
UPDATE whatsapp_accounts SET
    state_reason = CASE WHEN state = 'active' THEN NULL ELSE state_reason END, held_categories = '{}', held_until = NULL
WHERE held_until <= now();

-- name: resume_numbers  -- -> id of numbers whose pause is over
UPDATE whatsapp_numbers SET
    state = number_state_without_pause(draining_since, held_until), state_reason = NULL, state_source = 'clock',
    paused_until = NULL
WHERE paused_until <= now() AND state IN ('paused', 'restricted')
RETURNING id;

-- name: resume_accounts  -- -> id of accounts whose pause or restriction is over
UPDATE whatsapp_accounts SET state = 'active', state_reason = NULL, state_source = 'clock', paused_until = NULL
WHERE paused_until <= now() AND state IN ('paused', 'restricted')
RETURNING id;

-- name: resume_number  -- $1 number, $2 source -> id; a person repaired the cause
UPDATE whatsapp_numbers SET
    state = number_state_without_pause(draining_since, NULL), state_reason = NULL, state_source = $2, paused_until = NULL,
    held_categories = '{}', held_until = NULL
WHERE id = $1 AND state <> 'removed' RETURNING id;

-- name: resume_account  -- $1 account, $2 source -> id; a person repaired the cause
UPDATE whatsapp_accounts SET
    state = 'active', state_reason = NULL, state_source = $2, paused_until = NULL, held_categories = '{}', held_until = NULL
WHERE id = $1 RETURNING id;
