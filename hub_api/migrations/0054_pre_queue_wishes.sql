-- A queue may want an outcome of each conversation that people end, and can tell what it asks for in vain.
SET lock_timeout = '5s';

ALTER TABLE queues ADD COLUMN disposition_required boolean NOT NULL DEFAULT false;

-- Skills (`fibra:3`) and languages that a queue, or somebody in its line, asks for and nobody who serves it has: who asks for
-- them waits for ever, however many agents are free. Where each is had but by nobody together, all of the queue's.
CREATE FUNCTION queue_lacks(queue uuid) RETURNS text[]
LANGUAGE sql STABLE
AS $$
    WITH wishes AS (
        SELECT s.key AS skill, s.value::int AS level FROM queues q, jsonb_each_text(q.skills) s WHERE q.id = queue
        UNION
        SELECT s.key, s.value::int FROM conversations c, jsonb_each_text(c.wanted_skills) s
        WHERE c.queue_id = queue AND c.state = 'queued'
    ), staff AS (
        SELECT a.skills, a.languages FROM queues q CROSS JOIN agents a JOIN users u ON u.id = a.user_id AND u.active
        WHERE q.id = queue AND a.capacity > 0 AND (q.team_id IS NULL OR EXISTS (
            SELECT FROM team_members m WHERE m.user_id = a.user_id AND m.team_id = q.team_id))
    ), alone AS (
        SELECT w.skill || ':' || w.level AS wish FROM wishes w
        WHERE NOT EXISTS (SELECT FROM staff s WHERE (s.skills ->> w.skill)::int >= w.level)
        UNION
        SELECT array_to_string(q.languages, '/') FROM queues q
        WHERE q.id = queue AND q.languages <> '{}' AND NOT EXISTS (SELECT FROM staff s WHERE s.languages && q.languages)
    ), together AS (
        SELECT s.key || ':' || s.value AS wish FROM queues q, jsonb_each_text(q.skills) s
        WHERE q.id = queue AND NOT EXISTS (SELECT FROM alone) AND NOT EXISTS (
            SELECT FROM staff f
            WHERE (q.languages = '{}' OR f.languages && q.languages) AND NOT EXISTS (
                SELECT FROM jsonb_each_text(q.skills) w WHERE coalesce((f.skills ->> w.key)::int, 0) < w.value::int))
    )
    SELECT ARRAY(SELECT wish FROM alone UNION SELECT wish FROM together ORDER BY 1)
$$;
