-- What a conversation was about, for who has it next: made after a hand-over and at the end, by the ai service.
SET lock_timeout = '5s';

ALTER TABLE conversations
    ADD COLUMN ai_summary_by text,                             -- `extract`: its own sentences; else the model that wrote it
    ADD COLUMN ai_summary_at timestamptz;

CREATE TABLE summary_turns (
    conversation_id uuid PRIMARY KEY REFERENCES conversations ON DELETE CASCADE,
    taken_at timestamptz,                                      -- by a worker that writes it; asked for again: null
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX summary_turns_age ON summary_turns (created_at);

-- A trigger, so that whoever hands a conversation on or ends it asks for its summary. One that was merged is read with another.
CREATE FUNCTION ask_summary() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO summary_turns (conversation_id) VALUES (NEW.id) ON CONFLICT (conversation_id) DO UPDATE SET taken_at = NULL;
    RETURN NULL;
END
$$;
CREATE TRIGGER summary AFTER UPDATE OF state ON conversations
    FOR EACH ROW WHEN (OLD.state <> NEW.state AND NEW.state IN ('queued', 'resolved') AND NEW.is_demand
        OR NEW.state = 'closed' AND OLD.state IN ('queued', 'assigned', 'waiting_customer'))
    EXECUTE FUNCTION ask_summary();
CREATE TRIGGER summary_handed_on AFTER UPDATE OF agent_id ON conversations
    FOR EACH ROW WHEN (OLD.agent_id IS NOT NULL AND NEW.agent_id IS NOT NULL AND NEW.agent_id <> OLD.agent_id)
    EXECUTE FUNCTION ask_summary();
