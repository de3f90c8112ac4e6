-- What agents do beside answering: put off, close with an outcome, note, reply by a shortcut.
SET lock_timeout = '5s';

ALTER TABLE conversations
    ADD COLUMN snoozed_until timestamptz,                      -- put off by its agent; a word of the customer ends it
    ADD COLUMN spam_at timestamptz,
    ADD COLUMN disposition text;                               -- the outcome it was ended with
CREATE INDEX conversations_snoozed ON conversations (snoozed_until) WHERE snoozed_until IS NOT NULL;

-- A trigger, so that whoever writes what the customer said, or moves the conversation on, wakes it.
CREATE FUNCTION wake_conversation() RETURNS trigger
LANGUAGE plpgsql
AS $$ BEGIN NEW.snoozed_until := NULL; RETURN NEW; END $$;
CREATE TRIGGER wake BEFORE UPDATE OF state, agent_id, last_customer_message_at ON conversations
    FOR EACH ROW WHEN (
        OLD.snoozed_until IS NOT NULL AND (
            NEW.last_customer_message_at IS DISTINCT FROM OLD.last_customer_message_at
            OR NEW.agent_id IS DISTINCT FROM OLD.agent_id
            OR NEW.state NOT IN ('assigned', 'waiting_customer')
        )
    ) EXECUTE FUNCTION wake_conversation();

CREATE TABLE dispositions (
    key text PRIMARY KEY CHECK (key ~ '^[a-z0-9][a-z0-9_]{0,59}$'),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 120), -- what people read
    active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER touch BEFORE UPDATE ON dispositions FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE notes (
    id uuid PRIMARY KEY,
    conversation_id uuid NOT NULL REFERENCES conversations,
    author_id uuid REFERENCES users,                           -- null: a program
    text text NOT NULL CHECK (length(text) BETWEEN 1 AND 4000),
    mentions uuid[] NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX notes_conversation ON notes (conversation_id, id DESC);
CREATE INDEX notes_mentions ON notes USING gin (mentions);

CREATE TABLE canned_replies (
    id uuid PRIMARY KEY,
    shortcut text NOT NULL CHECK (shortcut ~ '^[a-z0-9][a-z0-9_-]{0,39}$'),
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 120),
    text text NOT NULL CHECK (length(text) BETWEEN 1 AND 4096),
    team_id uuid REFERENCES teams ON DELETE CASCADE,           -- null: everybody's
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX canned_replies_shortcut ON canned_replies (shortcut, team_id) NULLS NOT DISTINCT;
CREATE TRIGGER touch BEFORE UPDATE ON canned_replies FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
