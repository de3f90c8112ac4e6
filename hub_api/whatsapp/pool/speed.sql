-- name: speeds  -- -> id, quality, speed_policy of numbers in the pool
SELECT id, quality, speed_policy FROM whatsapp_numbers WHERE state <> 'removed' ORDER BY id;

-- name: set_speed  -- $1 number, $2 speed, $3 reason, $4 memory; an open breaker holds the speed itself and lets go of it when it closes
UPDATE whatsapp_numbers n SET
    speed_policy = $4,
    speed = CASE WHEN broken.is THEN n.speed ELSE $2 END,
    speed_reason = CASE WHEN broken.is THEN n.speed_reason ELSE $3 END
FROM (
    SELECT EXISTS (
        SELECT FROM circuit_breakers b WHERE b.kind = 'number' AND b.subject_id = $1 AND b.state <> 'closed'
    ) AS is
) AS broken
WHERE n.id = $1;
