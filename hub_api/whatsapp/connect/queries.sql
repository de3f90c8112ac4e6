-- What the steps of connecting look at.

-- name: probe_stored  -- $1 body -> whether our gateway stored it in the last minute
SELECT EXISTS (SELECT FROM webhook_event WHERE received_at > now() - interval '1 minute' AND body = $1);

-- name: account  -- $1 waba_id -> portfolio_id, token_encrypted
SELECT portfolio_id, token_encrypted FROM whatsapp_accounts WHERE waba_id = $1;

-- name: sendable_template  -- $1 account, $2 name -> name, language, category, components, parameter_format; hello_world's languages come first as listed
SELECT name, language, category, components, parameter_format FROM templates
WHERE account_id = $1 AND name = $2 AND template_sending_status(status, quality) = 'APPROVED'
ORDER BY language <> 'pt_BR', language LIMIT 1;

-- name: message  -- $1 id -> state, error_code, error_title, and why its number may not send
SELECT m.state, m.error_code, m.error_title, n.state AS number_state, n.state_reason AS number_reason,
    a.state AS account_state, a.state_reason AS account_reason
FROM messages m JOIN whatsapp_numbers n ON n.id = m.number_id JOIN whatsapp_accounts a ON a.id = n.account_id
WHERE m.id = $1;
