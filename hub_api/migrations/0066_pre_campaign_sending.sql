-- Who may get a campaign's message, told by one rule at the freeze and again when a recipient's turn has come; and how a pause
-- holds what is in the outbox already.
SET lock_timeout = '5s';

ALTER TABLE messages DROP CONSTRAINT messages_put_off;
ALTER TABLE messages ADD CONSTRAINT messages_put_off CHECK (put_off IN ('pair', 'quota', 'template', 'campaign')) NOT VALID;

-- Holding, not cancelling: the message that goes on after the pause is the same one, so nobody is counted or written to twice.
CREATE OR REPLACE FUNCTION hold_campaign_message() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    at_state text;
BEGIN
    SELECT c.state INTO at_state FROM campaign_recipients r JOIN campaigns c ON c.id = r.campaign_id
    WHERE r.message_id = NEW.id FOR SHARE OF c;
    IF at_state IS NOT NULL AND at_state <> 'running' THEN
        NEW.not_before := timestamptz '2100-01-01 00:00:00+00';
        NEW.put_off := 'campaign';
    END IF;
    RETURN NEW;
END
$$;

-- The first reason for which each of `ids` gets no message of this campaign, null where there is none. Those missing from the
-- answer are nobody's ids. `most` messages of campaigns within `days` are enough for a person (0: no cap).
CREATE FUNCTION campaign_exclusions(ids uuid[], of_campaign uuid, of_lane text, most int, days int)
RETURNS TABLE (customer_id uuid, state_code text, reason text)
LANGUAGE sql STABLE
SET plan_cache_mode = 'force_custom_plan'
AS $$
    SELECT c.id, c.state_code, CASE
        WHEN c.status IN ('merged', 'erased', 'blocked') THEN 'gone'
        WHEN c.phone IS NULL AND NOT EXISTS (
            SELECT FROM customer_identities i WHERE i.customer_id = c.id AND i.valid_to IS NULL
        ) THEN 'unreachable'
        -- As the claim judges it (whatsapp/send/decide.py): three undeliverable in a row within 30 days, and no word since.
        WHEN of_lane = 'marketing' AND jsonb_array_length(coalesce(c.metadata -> 'whatsapp_strikes', '[]')) >= 3 AND (
            SELECT min(s::float8) > extract(epoch FROM now() - interval '30 days')
                AND NOT coalesce(to_timestamp(max(s::float8)) < (
                    SELECT max(v.last_customer_message_at) FROM conversations v WHERE v.customer_id = c.id
                ), false)
            FROM jsonb_array_elements_text(c.metadata -> 'whatsapp_strikes') AS s
        ) THEN 'unreachable'
        WHEN EXISTS (
            SELECT FROM suppressions s
            WHERE s.customer_id = c.id AND s.scope IN (of_lane, 'all') AND (s.until IS NULL OR s.until > now())
        ) THEN 'suppressed'
        -- Advertising needs prior consent; a notice about the contract does not.
        WHEN of_lane = 'marketing' AND NOT coalesce((
            SELECT l.granted FROM consent_ledger l
            WHERE l.customer_id = c.id AND l.scope IN ('marketing', 'all') ORDER BY l.occurred_at DESC, l.id DESC LIMIT 1
        ), false) THEN 'no_consent'
        WHEN EXISTS (
            SELECT FROM conversations v WHERE v.customer_id = c.id AND v.state IN ('queued', 'assigned', 'waiting_customer')
        ) THEN 'open_conversation'
        WHEN most > 0 AND (
            SELECT count(*) FROM campaign_recipients r
            WHERE r.customer_id = c.id AND r.queued_at > now() - make_interval(days => days) AND r.campaign_id <> of_campaign
                AND r.state IN ('queued', 'sent', 'unknown')
        ) >= most THEN 'frequency_cap'
    END
    FROM customers c WHERE c.id = ANY (ids)
$$;

-- What a tick must know at once, without counting a million rows: whose turn has come, and what was put into the outbox today.
ALTER TABLE campaigns ADD COLUMN placed int NOT NULL DEFAULT 0 CHECK (placed >= 0), ADD COLUMN placed_day date, ADD COLUMN placed_today int NOT NULL DEFAULT 0;
ALTER TABLE campaign_runs ADD COLUMN turns int NOT NULL DEFAULT 0, ADD COLUMN last_turn_at timestamptz;
-- In the order of turns: by hour, and by chance within it.
DROP INDEX campaign_recipients_due;
CREATE INDEX campaign_recipients_turns ON campaign_recipients (run_id, send_after, position) WHERE state = 'pending';
-- Refusals that Meta tells after it had accepted.
CREATE INDEX campaign_recipients_sent ON campaign_recipients (run_id, queued_at) WHERE state = 'sent';
CREATE INDEX campaign_recipients_doubt ON campaign_recipients (run_id) WHERE state = 'unknown';
