-- One-time codes by WhatsApp: the notice waits beside its message, to leave by SMS when that one does not arrive.
SET lock_timeout = '5s';

ALTER TABLE notices DROP CONSTRAINT notices_channel_check;
ALTER TABLE notices ADD CONSTRAINT notices_channel_check CHECK (channel IN ('email', 'sms', 'whatsapp'));
ALTER TABLE notices
    ADD COLUMN message_id uuid CHECK (message_id IS NULL OR channel = 'whatsapp'),  -- the message of the outbox that carries it
    ADD COLUMN placed_at timestamptz CHECK ((placed_at IS NULL) = (message_id IS NULL));
CREATE INDEX notices_placed ON notices (placed_at) WHERE message_id IS NOT NULL;
