-- Segments, their versions and their frozen lists.

-- name: insert_segment  -- $1 id, $2 name, $3 description, $4 actor
INSERT INTO segments (id, name, description, created_by) VALUES ($1, $2, $3, $4);

-- name: insert_version  -- $1 segment, $2 version, $3 definition jsonb, $4 actor
INSERT INTO segment_versions (segment_id, version, definition, created_by) VALUES ($1, $2, $3, $4);

-- name: name_taken  -- $1 name, $2 a segment that may have it (null: none) -> true; no row when it is free
SELECT true FROM segments WHERE lower(name) = lower($1) AND archived_at IS NULL AND id IS DISTINCT FROM $2;

-- name: find_segment  -- $1 id -> it with its newest definition
SELECT s.id, s.name, s.description, s.version, v.definition, s.archived_at, s.created_by, s.created_at, s.updated_at
FROM segments s JOIN segment_versions v ON v.segment_id = s.id AND v.version = s.version
WHERE s.id = $1;

-- name: lock_segment  -- $1 id -> it with its newest definition; locked
SELECT s.id, s.name, s.description, s.version, v.definition, s.archived_at
FROM segments s JOIN segment_versions v ON v.segment_id = s.id AND v.version = s.version
WHERE s.id = $1 FOR UPDATE OF s;

-- name: list_segments  -- $1 part of the name (null: any), $2 archived ones too, $3 id of the last row before (null: from the newest), $4 limit
SELECT s.id, s.name, s.description, s.version, v.definition, s.archived_at, s.created_by, s.created_at, s.updated_at
FROM segments s JOIN segment_versions v ON v.segment_id = s.id AND v.version = s.version
WHERE ($1::text IS NULL OR strpos(lower(s.name), lower($1)) > 0) AND ($2 OR s.archived_at IS NULL)
    AND ($3::uuid IS NULL OR s.id < $3)
ORDER BY s.id DESC LIMIT $4;

-- name: change_segment  -- $1 id, $2 name, $3 description, $4 version
UPDATE segments SET name = $2, description = $3, version = $4 WHERE id = $1;

-- name: archive_segment  -- $1 id
UPDATE segments SET archived_at = now() WHERE id = $1;

-- name: count_segments  -- -> segments in use
SELECT count(*) FROM segments WHERE archived_at IS NULL;

-- name: definitions  -- $1 ids uuid[] -> id, definition of those in use
SELECT s.id, v.definition
FROM segments s JOIN segment_versions v ON v.segment_id = s.id AND v.version = s.version
WHERE s.id = ANY($1::uuid[]) AND s.archived_at IS NULL;

-- name: parents  -- $1 id as text -> names of segments in use whose definition speaks of it
SELECT s.name
FROM segments s JOIN segment_versions v ON v.segment_id = s.id AND v.version = s.version
WHERE s.archived_at IS NULL AND s.id::text <> $1
    AND jsonb_path_exists(v.definition, '$.** ? (@.segment_id == $id)', jsonb_build_object('id', $1::text))
ORDER BY s.name LIMIT 5;

-- name: list_versions  -- $1 segment, $2 version of the last row before (null: from the newest), $3 limit
SELECT version, definition, created_by, created_at FROM segment_versions
WHERE segment_id = $1 AND ($2::int IS NULL OR version < $2)
ORDER BY version DESC LIMIT $3;

-- name: begin_snapshot  -- $1 id, $2 segment, $3 version, $4 definition jsonb, $5 as_of, $6 asset_version, $7 actor -> created_at, by which whoever makes it knows it as its own
-- One that failed is begun again, and has no members; no row when it is being made or was.
INSERT INTO segment_snapshots AS s (id, segment_id, version, definition, as_of, asset_version, created_by, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, clock_timestamp())
ON CONFLICT (id) DO UPDATE SET state = 'freezing', version = excluded.version, definition = excluded.definition, as_of = excluded.as_of,
    asset_version = excluded.asset_version, created_by = excluded.created_by, created_at = excluded.created_at
WHERE s.state = 'failed' RETURNING s.created_at;

-- name: add_members  -- $1 snapshot, $2 its created_at, $3 customer ids uuid[]; those who are someone else or nobody by now are left out, all of them once it was given up
WITH own AS (SELECT id FROM segment_snapshots WHERE id = $1 AND created_at = $2 AND state = 'freezing' FOR SHARE)
INSERT INTO segment_snapshot_members (snapshot_id, customer_id)
SELECT own.id, c.id FROM own CROSS JOIN unnest($3::uuid[]) AS m (id) JOIN customers c ON c.id = m.id
WHERE c.status NOT IN ('merged', 'erased')
ON CONFLICT DO NOTHING;

-- name: freeze_snapshot  -- $1 snapshot, $2 its created_at -> members; no row once it was given up
UPDATE segment_snapshots s SET state = 'frozen', frozen_at = now(), members = found.members, members_sha256 = found.hash
FROM (
    SELECT count(*)::int AS members, sha256(coalesce(string_agg(uuid_send(customer_id), ''::bytea ORDER BY customer_id), ''::bytea)) AS hash
    FROM segment_snapshot_members WHERE snapshot_id = $1
) AS found
WHERE s.id = $1 AND s.created_at = $2 AND s.state = 'freezing' RETURNING s.members;

-- name: fail_snapshot  -- $1 snapshot, $2 its created_at: given up, with its members in the same statement
WITH failed AS (UPDATE segment_snapshots SET state = 'failed' WHERE id = $1 AND created_at = $2 AND state = 'freezing' RETURNING id)
DELETE FROM segment_snapshot_members m USING failed WHERE m.snapshot_id = failed.id;

-- name: fail_dead_snapshots  -- $1 interval -> how many have been freezing for longer: given up, with their members
WITH failed AS (UPDATE segment_snapshots SET state = 'failed' WHERE state = 'freezing' AND created_at < now() - $1::interval RETURNING id),
    gone AS (DELETE FROM segment_snapshot_members m USING failed WHERE m.snapshot_id = failed.id)
SELECT count(*) FROM failed;

-- name: find_snapshot  -- $1 id
SELECT id, segment_id, version, definition, state, as_of, asset_version, members, encode(members_sha256, 'hex') AS members_sha256,
    created_by, created_at, frozen_at
FROM segment_snapshots WHERE id = $1;

-- name: list_snapshots  -- $1 segment, $2 id of the last row before (null: from the newest), $3 limit
SELECT id, segment_id, version, definition, state, as_of, asset_version, members, encode(members_sha256, 'hex') AS members_sha256,
    created_by, created_at, frozen_at
FROM segment_snapshots WHERE segment_id = $1 AND ($2::uuid IS NULL OR id < $2)
ORDER BY id DESC LIMIT $3;

-- name: list_members  -- $1 snapshot, $2 customer of the last row before (null: from the first), $3 limit
SELECT customer_id FROM segment_snapshot_members
WHERE snapshot_id = $1 AND ($2::uuid IS NULL OR customer_id > $2)
ORDER BY customer_id LIMIT $3;

-- name: people  -- $1 customer ids uuid[] -> who they are
SELECT id, name, phone, state_code, status FROM customers WHERE id = ANY($1::uuid[]) ORDER BY id;
