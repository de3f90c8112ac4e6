-- name: search  -- $1 teams (null: all), $2 caller, $3 words as people type them, $4 before (null: from the newest), $5 limit -> newest matches
-- Month by month in migration 0057, each with a plan made for these words.
SELECT * FROM search_messages($1::uuid[], $2::uuid, $3, $4::timestamptz, $5::int);
