-- What whoever builds a segment may ask of the warehouse. `column_asked` is put in place by offer.py, out of its own list.

-- name: of_column  -- {limit} -> value, customers of the newest day, most first
SELECT toString(column_asked) AS value, count() AS customers FROM gold.customer_features
WHERE day = (SELECT max(day) FROM gold.customer_features) AND column_asked != ''
GROUP BY value ORDER BY customers DESC, value LIMIT {limit:UInt32};

-- name: of_tags  -- {limit} -> tag, customers of the newest day, most first
SELECT toString(tag) AS value, count() AS customers FROM gold.customer_features ARRAY JOIN tags AS tag
WHERE day = (SELECT max(day) FROM gold.customer_features) AND tag != ''
GROUP BY value ORDER BY customers DESC, value LIMIT {limit:UInt32};

-- name: of_action  -- {action}, {limit} -> detail, customers of the last 400 days, most first
SELECT toString(detail) AS value, uniqExact(customer_id) AS customers FROM gold.customer_actions_daily
WHERE action = {action:String} AND detail != '' AND day > (SELECT max(day) FROM gold.customer_actions_daily) - 400
GROUP BY value ORDER BY customers DESC, value LIMIT {limit:UInt32};

-- name: sizes  -- -> segment_id, members, version, computed_at of each segment in use at the last run
SELECT segment_id, members, version, computed_at FROM gold.segment_state ORDER BY segment_id;
