-- name: search  -- $1 teams (null: all), $2 caller, $3 words as people type them, $4 before (null: from the newest), $5 limit, $6 since, $7 author, $8 key of a queue (null: any) -> newest matches
-- Month by month in migration 0090, each with a plan made for these words.
SELECT * FROM search_messages($1::uuid[], $2::uuid, $3, $4::timestamptz, $5::int, $6::timestamptz, $7, $8);
