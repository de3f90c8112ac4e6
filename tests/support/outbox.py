"""What must hold of the outbox at any moment: it names exactly the messages that wait, are being sent, or are in doubt."""

# Rows only one side knows, or knows differently.
ASTRAY = """
WITH waiting AS (
    SELECT id, created_at, customer_id, number_id, priority, shard, type, category, state, attempt, not_before, put_off, claimed_at,
        moved_from
    FROM messages WHERE state IN ('queued', 'claimed', 'unknown')
), listed AS (
    SELECT id, created_at, customer_id, number_id, priority, shard, type, category, state, attempt, not_before, put_off, claimed_at,
        moved_from
    FROM outbox
)
SELECT coalesce(sum(n), 0)::int FROM (
    SELECT count(*) AS n FROM (TABLE waiting EXCEPT TABLE listed) AS missing
    UNION ALL
    SELECT count(*) FROM (TABLE listed EXCEPT TABLE waiting) AS left_over
) AS astray
"""
