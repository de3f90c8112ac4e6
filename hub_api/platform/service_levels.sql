-- What the API's processes have counted of themselves (migration 0050).

-- name: add  -- $1 hour, $2 requests, $3 failures, $4 bounds, $5 counts: added to what other processes have said of the hour
-- Another release with other bounds, in the middle of an hour: the newer one's times stand, requests are added all the same.
INSERT INTO service_levels AS known (hour, requests, failures, bounds, counts) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (hour) DO UPDATE SET
    requests = known.requests + excluded.requests, failures = known.failures + excluded.failures, bounds = excluded.bounds,
    counts = CASE WHEN known.bounds = excluded.bounds
        THEN (SELECT array_agg(a + b ORDER BY n) FROM unnest(known.counts, excluded.counts) WITH ORDINALITY AS pairs (a, b, n))
        ELSE excluded.counts END,
    updated_at = now();
