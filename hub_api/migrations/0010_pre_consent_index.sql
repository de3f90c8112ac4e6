-- An opt-out cancels one person's queued messages while a campaign has a hundred thousand of them waiting.
SET lock_timeout = '5s';

CREATE INDEX messages_queued_customer ON messages (customer_id) WHERE state = 'queued';
