-- name: count  -- $1 number ids, $2 templates (name/language or null), $3 outcomes, $4 codes, $5 counts
INSERT INTO send_tally (number_id, template, outcome, code, count)
SELECT number_id, template, outcome, code, sum(count)
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::int[], $5::int[]) AS given (number_id, template, outcome, code, count)
GROUP BY number_id, template, outcome, code;

-- name: add_up  -- $1 grain of the sums (1 minute, 2 hour), $2 unit, $3 before: rows of the grain below become one a unit
WITH gone AS (
    DELETE FROM send_tally WHERE at < $3 AND grain = $1 - 1
    RETURNING at, number_id, template, outcome, code, count
)
INSERT INTO send_tally (at, grain, number_id, template, outcome, code, count)
SELECT date_trunc($2, at), $1, number_id, template, outcome, code, sum(count) FROM gone
GROUP BY date_trunc($2, at), number_id, template, outcome, code;

-- name: forget  -- $1 before
DELETE FROM send_tally WHERE at < $1;

-- name: windows  -- $1 since -> number_id, hours_ago (0: the last hour), outcome, code, count
SELECT number_id, floor(extract(epoch FROM now() - at) / 3600)::int AS hours_ago, outcome, code, sum(count)::int AS count
FROM send_tally WHERE at >= $1
GROUP BY 1, 2, 3, 4;
