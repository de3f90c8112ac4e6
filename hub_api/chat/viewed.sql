-- Which of the shown are beyond the queues of who looks: by `sees`, with the teams he is a member of and not those he may see.

-- name: conversations_beyond  -- $1 who looks (null: a program), $2 ids -> ids
SELECT c.id FROM conversations c LEFT JOIN queues q ON q.id = c.queue_id
WHERE c.id = ANY ($2::uuid[])
    AND NOT sees(ARRAY(SELECT m.team_id FROM team_members m WHERE m.user_id = $1::uuid), $1::uuid, q.team_id, c.agent_id);

-- name: customers_beyond  -- $1 who looks (null: a program), $2 ids -> ids
SELECT shown.id FROM unnest($2::uuid[]) AS shown (id)
WHERE NOT sees_customer(ARRAY(SELECT m.team_id FROM team_members m WHERE m.user_id = $1::uuid), $1::uuid, shown.id);
