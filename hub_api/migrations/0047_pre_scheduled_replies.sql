-- Replies that an agent wrote now and that leave later.
SET lock_timeout = '5s';

CREATE TABLE scheduled_replies (
    id uuid PRIMARY KEY,
    conversation_id uuid NOT NULL REFERENCES conversations,
    author_id uuid REFERENCES users,                           -- null: a program
    text text NOT NULL CHECK (length(text) BETWEEN 1 AND 4096),
    send_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'cancelled', 'failed')),
    failure text,                                              -- code: window_closed, conversation_closed, customer_wrote
    unless_customer_writes boolean NOT NULL DEFAULT true,
    message_id uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX scheduled_replies_due ON scheduled_replies (send_at) WHERE state = 'waiting';
CREATE INDEX scheduled_replies_conversation ON scheduled_replies (conversation_id, id DESC);
CREATE TRIGGER touch BEFORE UPDATE ON scheduled_replies FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
