-- name: segments_in_use  -- -> id, name, version, definition as text of every segment that was not put away
SELECT s.id, s.name, s.version, v.definition::text AS definition
FROM segments s JOIN segment_versions v ON v.segment_id = s.id AND v.version = s.version
WHERE s.archived_at IS NULL
ORDER BY s.id;
