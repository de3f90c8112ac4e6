-- What the hub knows of a person, for the person. $1 are his ids (merged customers too) unless it says else.

-- name: person  -- $1 one id -> the customer and those merged into him, the survivor first
SELECT id, name, username, phone, cpf_hash IS NOT NULL AS has_cpf, status, state_code, language, tags, metadata, created_at, updated_at
FROM customers WHERE id = $1 OR merged_into = $1 ORDER BY merged_into IS NOT NULL, id;

-- name: identities
SELECT kind, value, portfolio_id, valid_from, valid_to FROM customer_identities WHERE customer_id = ANY($1::uuid[])
ORDER BY valid_from, kind;

-- name: consents
SELECT l.scope, l.granted, l.source, l.channel, l.text_version, t.text, l.evidence, l.occurred_at
FROM consent_ledger l LEFT JOIN consent_texts t ON t.version = l.text_version
WHERE l.customer_id = ANY($1::uuid[]) ORDER BY l.occurred_at, l.id;

-- name: suppressions
SELECT scope, reason, until, created_at FROM suppressions WHERE customer_id = ANY($1::uuid[]) ORDER BY scope;

-- name: conversations
SELECT c.id, c.protocol, c.channel, c.state, c.priority, q.name AS queue, c.tags, c.ai_summary, c.satisfaction, c.nps, c.opened_at,
    c.resolved_at, c.closed_at, c.metadata
FROM conversations c LEFT JOIN queues q ON q.id = c.queue_id
WHERE c.customer_id = ANY($1::uuid[]) ORDER BY c.opened_at, c.id;

-- name: messages  -- $1 conversations -> their messages in order, with the names of their files
SELECT m.conversation_id, m.id, m.created_at, m.direction, m.author, m.type, m.content, m.payload, m.state, m.reactions,
    m.sent_at, m.delivered_at, m.read_at, m.edited_at, m.revoked_at,
    (
        SELECT coalesce(jsonb_agg(jsonb_build_object('kind', f.kind, 'filename', f.filename, 'mime_type', f.mime_type,
            'size_bytes', f.size_bytes, 'state', f.state) ORDER BY f.id), '[]')
        FROM message_media u JOIN media f ON f.id = u.media_id WHERE u.message_id = m.id
    ) AS files
FROM messages m WHERE m.conversation_id = ANY($1::uuid[]) ORDER BY m.created_at, m.id;

-- name: notes  -- $1 conversations -> what we noted on them, in order
SELECT conversation_id, created_at, text FROM notes WHERE conversation_id = ANY($1::uuid[]) ORDER BY id;

-- name: contracts
SELECT c.external_id, p.name AS plan, c.phone, c.status, c.city, c.state_code, c.started_on, c.ended_on
FROM contracts c JOIN plans p ON p.external_id = c.plan_id WHERE c.customer_id = ANY($1::uuid[]) ORDER BY c.started_on, c.external_id;

-- name: invoices
SELECT i.external_id, i.contract_id, i.reference_month, i.amount_micros, i.currency, i.due_on, i.status
FROM invoices i JOIN contracts c ON c.external_id = i.contract_id WHERE c.customer_id = ANY($1::uuid[]) ORDER BY i.due_on, i.external_id;

-- name: payments
SELECT p.external_id, p.invoice_id, p.amount_micros, p.currency, p.method, p.paid_at
FROM payments p JOIN invoices i ON i.external_id = p.invoice_id JOIN contracts c ON c.external_id = i.contract_id
WHERE c.customer_id = ANY($1::uuid[]) ORDER BY p.paid_at, p.external_id;

-- name: tickets
SELECT t.external_id, t.contract_id, t.kind, t.status, t.opened_at, t.scheduled_for, t.closed_at, t.summary
FROM service_tickets t JOIN contracts c ON c.external_id = t.contract_id
WHERE c.customer_id = ANY($1::uuid[]) ORDER BY t.opened_at, t.external_id;
