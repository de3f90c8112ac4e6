-- Two browsers of one person may end up in one conversation: each sees it from when it came there, for the other may have been lent.
SET lock_timeout = '5s';

ALTER TABLE site_talks ADD COLUMN since timestamptz;  -- null: all of it, as all rows before this one

-- Who wrote in a conversation that was merged into another follows that one.
INSERT INTO site_talks (visitor_id, conversation_id, since)
SELECT t.visitor_id, kept.id, max(merged.closed_at)
FROM conversations merged
JOIN conversations kept ON kept.id = merged.merged_into AND kept.channel = 'site'
JOIN site_talks t ON t.conversation_id = merged.id
GROUP BY t.visitor_id, kept.id
ON CONFLICT DO NOTHING;

-- From when on a visitor sees a conversation: whoever signed in on the website as the same user sees what his other browsers see.
CREATE VIEW site_seen AS
SELECT t.visitor_id, t.conversation_id, min(coalesce(other.since, '-infinity')) AS since
FROM site_talks t
JOIN site_visitors v ON v.id = t.visitor_id
JOIN site_talks other ON other.conversation_id = t.conversation_id
JOIN site_visitors w ON w.id = other.visitor_id AND (w.id = v.id OR (w.site_id = v.site_id AND w.user_id = v.user_id))
GROUP BY t.visitor_id, t.conversation_id;
