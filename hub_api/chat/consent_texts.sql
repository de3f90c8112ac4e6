-- Texts of consent and the proofs that name them (migrations 0004, 0033).

-- name: insert  -- $1 version, $2 scope, $3 text, $4 sha256, $5 author -> version; no row when it is there
INSERT INTO consent_texts (version, scope, text, sha256, author) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (version) DO NOTHING RETURNING version;

-- name: find  -- $1 version
SELECT version, scope, text, sha256, author, retired_at, created_at FROM consent_texts WHERE version = $1;

-- name: list_texts
SELECT version, scope, text, author, retired_at, created_at FROM consent_texts ORDER BY created_at DESC, version;

-- name: retire  -- $1 version -> version; no row when it is retired already
UPDATE consent_texts SET retired_at = now() WHERE version = $1 AND retired_at IS NULL RETURNING version;

-- name: history  -- $1 customer -> proofs, newest first
SELECT l.id, l.scope, l.granted, l.source, l.channel, l.text_version, t.text, l.evidence, l.actor_id, l.occurred_at
FROM consent_ledger l LEFT JOIN consent_texts t ON t.version = l.text_version
WHERE l.customer_id = $1 ORDER BY l.occurred_at DESC, l.id DESC;
