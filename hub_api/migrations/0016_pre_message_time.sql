-- Search goes from the newest month backwards and stops early; for a common word it walks this index instead of
-- sorting a tenth of the month.
SET lock_timeout = '5s';

CREATE INDEX messages_time ON messages (created_at DESC);
