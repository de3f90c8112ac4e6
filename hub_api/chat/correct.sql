-- name: lock  -- $1 customer -> what may be corrected, with status and version; locked
SELECT name, state_code, language, tags, metadata, status, version FROM customers WHERE id = $1 FOR NO KEY UPDATE;

-- name: correct  -- $1 customer, $2 name, $3 state_code, $4 language, $5 tags, $6 metadata, $7 changed columns -> version after the change
UPDATE customers SET name = $2, state_code = $3, language = $4, tags = $5, metadata = $6, version = version + 1,
    corrected = ARRAY(SELECT DISTINCT one FROM unnest(corrected || $7::text[]) AS one WHERE one IN ('name', 'state_code') ORDER BY one)
WHERE id = $1 RETURNING version;
