-- name: segment_names  -- $1 ids uuid[] -> id, name of segments in use
SELECT id, name FROM segments WHERE id = ANY ($1) AND archived_at IS NULL;
