-- A campaign's own links: each message has a code of its own, so that a click leads to the message it came from; and since when
-- a recipient is counted in a campaign's test, whatever became of him.
SET lock_timeout = '5s';

ALTER TABLE tracked_links
    ADD COLUMN message_id uuid,                -- null: the code was given out for no message of a campaign
    ADD COLUMN fills jsonb;                    -- what the target's query says of the customer: source -> text

ALTER TABLE campaign_recipients
    ADD COLUMN assigned_at timestamptz;        -- when his variant was drawn, as experiment.assigned tells it; null: not yet
