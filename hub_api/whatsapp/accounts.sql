-- WhatsApp business accounts, and their numbers as we know them.

-- name: upsert_account  -- $1 id, $2 waba_id, $3 portfolio_id, $4 name, $5 token_encrypted -> id
-- A pause without an end is how a refused token stops the account: a new token lifts it.
INSERT INTO whatsapp_accounts (id, waba_id, portfolio_id, name, token_encrypted) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (waba_id) DO UPDATE SET
    portfolio_id = excluded.portfolio_id,
    name = excluded.name,
    token_encrypted = excluded.token_encrypted,
    state = CASE WHEN whatsapp_accounts.state = 'paused' THEN 'active' ELSE whatsapp_accounts.state END,
    state_source = CASE WHEN whatsapp_accounts.state = 'paused' THEN 'new_token' ELSE whatsapp_accounts.state_source END,
    state_reason = CASE WHEN whatsapp_accounts.state = 'paused' THEN NULL ELSE whatsapp_accounts.state_reason END,
    paused_until = NULL
RETURNING id;

-- name: find_account  -- $1 waba_id -> id
SELECT id FROM whatsapp_accounts WHERE waba_id = $1;

-- name: upsert_number  -- $1 id, $2 account_id, $3 phone_number_id, $4 display_phone_number, $5 verified_name, $6 throughput_mps -> id
INSERT INTO whatsapp_numbers (id, account_id, phone_number_id, display_phone_number, verified_name, throughput_mps)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (phone_number_id) DO UPDATE SET
    account_id = excluded.account_id,
    display_phone_number = excluded.display_phone_number,
    verified_name = coalesce(excluded.verified_name, whatsapp_numbers.verified_name),
    throughput_mps = excluded.throughput_mps,
    state = CASE WHEN whatsapp_numbers.state = 'removed' THEN 'connected' ELSE whatsapp_numbers.state END,
    state_source = CASE WHEN whatsapp_numbers.state = 'removed' THEN 'added_again' ELSE whatsapp_numbers.state_source END,
    state_reason = CASE WHEN whatsapp_numbers.state = 'removed' THEN NULL ELSE whatsapp_numbers.state_reason END,
    draining_since = CASE WHEN whatsapp_numbers.state = 'removed' THEN NULL ELSE whatsapp_numbers.draining_since END,
    next_check_at = now()
RETURNING id;

-- name: list_accounts  -- -> every account without its token
SELECT id, waba_id, portfolio_id, name, state, state_reason, paused_until, held_categories, held_until, created_at
FROM whatsapp_accounts ORDER BY waba_id;

-- name: list_numbers  -- $1 after phone_number_id or null, $2 limit -> numbers with their account
SELECT n.id, n.phone_number_id, n.display_phone_number, n.verified_name, n.account_id, a.waba_id,
    n.state, n.state_reason, n.paused_until, n.held_categories, n.held_until, n.quality, n.throughput_mps, n.created_at
FROM whatsapp_numbers n JOIN whatsapp_accounts a ON a.id = n.account_id
WHERE $1::text IS NULL OR n.phone_number_id > $1
ORDER BY n.phone_number_id
LIMIT $2;
