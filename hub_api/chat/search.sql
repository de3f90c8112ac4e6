-- name: search  -- $1 teams (null: all), $2 caller, $3 words as people type them, $4 before (null: from the newest), $5 limit, $6 since, $7 author, $8 key of a queue (null: any) -> newest matches
-- Month by month in migration 0090, each with a plan made for these words.
SELECT * FROM search_messages($1::uuid[], $2::uuid, $3, $4::timestamptz, $5::int, $6::timestamptz, $7, $8);

-- name: people  -- $1 ids of messages, $2 their times -> id of each, author_id, customer_name, customer_phone
-- Of the page that is shown, after the search has ended: by the keys of its rows, each in its own month.
SELECT found.id, m.author_id, customer.name AS customer_name, customer.phone AS customer_phone
FROM unnest($1::uuid[], $2::timestamptz[]) AS found (id, created_at)
LEFT JOIN messages m ON m.id = found.id AND m.created_at = found.created_at
LEFT JOIN customers customer ON customer.id = m.customer_id;
