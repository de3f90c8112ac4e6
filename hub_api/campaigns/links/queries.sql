-- Tracked links: targets, personal codes, clicks.

-- name: insert_target  -- $1 id, $2 campaign or null, $3 name, $4 url, $5 life_days, $6 actor
INSERT INTO link_targets (id, campaign_id, name, url, life_days, created_by) VALUES ($1, $2, $3, $4, $5, $6);

-- name: add_target  -- $1 id, $2 campaign, $3 name, $4 url, $5 life_days, $6 actor -> true: it is new
INSERT INTO link_targets (id, campaign_id, name, url, life_days, created_by) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING RETURNING true;

-- name: archived  -- $1 targets -> url of those that were put away
SELECT url FROM link_targets WHERE id = ANY ($1::uuid[]) AND archived_at IS NOT NULL;

-- name: find_target  -- $1 id -> it with its figures
SELECT t.id, t.campaign_id, t.name, t.url, t.life_days, t.archived_at, t.created_by, t.created_at,
    count(l.code_sha256) AS people, count(l.first_clicked_at) AS clicked, coalesce(sum(l.clicks), 0)::bigint AS clicks
FROM link_targets t LEFT JOIN tracked_links l ON l.target_id = t.id
WHERE t.id = $1 GROUP BY t.id;

-- name: list_targets  -- $1 campaign or null, $2 id of the last row before or null, $3 limit -> newest first, with their figures
SELECT t.id, t.campaign_id, t.name, t.url, t.life_days, t.archived_at, t.created_by, t.created_at,
    figures.people, figures.clicked, figures.clicks
FROM link_targets t, LATERAL (
    SELECT count(*) AS people, count(l.first_clicked_at) AS clicked, coalesce(sum(l.clicks), 0)::bigint AS clicks
    FROM tracked_links l WHERE l.target_id = t.id
) AS figures
WHERE ($1::uuid IS NULL OR t.campaign_id = $1) AND ($2::uuid IS NULL OR t.id < $2)
ORDER BY t.id DESC LIMIT $3;

-- name: archive_target  -- $1 id -> name; no row when it is put away already
UPDATE link_targets SET archived_at = now() WHERE id = $1 AND archived_at IS NULL RETURNING name;

-- name: issue  -- $1 target (null: an opt-out), $2 hashes, $3 customers, $4 campaign, $5 variants, $6 life in days
INSERT INTO tracked_links (code_sha256, purpose, target_id, customer_id, campaign_id, variant, expires_at)
SELECT r.hash, CASE WHEN $1::uuid IS NULL THEN 'opt_out' ELSE 'link' END, $1, r.customer_id, $4, r.variant, now() + make_interval(days => $6)
FROM unnest($2::bytea[], $3::uuid[], $5::text[]) AS r (hash, customer_id, variant)
ON CONFLICT (code_sha256) DO UPDATE SET expires_at = greatest(tracked_links.expires_at, excluded.expires_at);

-- name: issue_for_messages  -- $1 campaign, one array a column: $2 hashes, $3 targets, $4 customers, $5 variants, $6 messages, $7 fills, $8 life in days
-- A message that failed and is tried again keeps its code; it is the new message's then.
INSERT INTO tracked_links (code_sha256, target_id, customer_id, campaign_id, variant, message_id, fills, expires_at)
SELECT r.hash, r.target_id, r.customer_id, $1, r.variant, r.message_id, r.fills, now() + make_interval(days => $8)
FROM unnest($2::bytea[], $3::uuid[], $4::uuid[], $5::text[], $6::uuid[], $7::jsonb[]) AS r (hash, target_id, customer_id, variant, message_id, fills)
ON CONFLICT (code_sha256) DO UPDATE SET expires_at = excluded.expires_at, message_id = excluded.message_id, fills = excluded.fills;

-- name: find_code  -- $1 hash -> where it leads and whose it is
SELECT l.purpose, l.target_id, l.customer_id, l.campaign_id, l.variant, l.expires_at, l.first_clicked_at, l.message_id, l.fills,
    t.url, t.archived_at
FROM tracked_links l LEFT JOIN link_targets t ON t.id = l.target_id
WHERE l.code_sha256 = $1;

-- name: count_click  -- $1 hash -> clicks; 1 is the first
UPDATE tracked_links SET clicks = clicks + 1, first_clicked_at = coalesce(first_clicked_at, now()), last_clicked_at = now()
WHERE code_sha256 = $1 RETURNING clicks;

-- name: count_preview  -- $1 hash
UPDATE tracked_links SET previews = previews + 1 WHERE code_sha256 = $1;

-- name: customer_of  -- $1 hash -> customer_id, campaign_id of a code that still opens something
SELECT customer_id, campaign_id FROM tracked_links WHERE code_sha256 = $1 AND expires_at > now();
