-- What the sender paces by: lanes by urgency over all numbers, the pair limit, the portfolio's quota of users, templates
-- that Meta is judging.
SET lock_timeout = '5s';

-- Why a queued message was put off: `pair` (too many to this person from this number), `quota` (the portfolio's limit of
-- users a day), `template` (paused or paced at Meta). NULL: `not_before` was asked for by its author, or is a retry.
ALTER TABLE messages ADD COLUMN put_off text;
ALTER TABLE messages ADD CONSTRAINT messages_put_off CHECK (put_off IN ('pair', 'quota', 'template')) NOT VALID;
ALTER TABLE messages ADD CONSTRAINT messages_priority CHECK (priority BETWEEN 0 AND 3) NOT VALID;

-- Every queue (lane, shard, number) in its order: first what was never put off, oldest first, then what was, by the time
-- from which it may go. A paused number's backlog and what waits for its time are never walked through.
CREATE INDEX messages_lanes ON messages (priority, shard, number_id, (coalesce(not_before, '-infinity'::timestamptz)), created_at)
    WHERE state = 'queued';

-- Meta's limit per number and person, as the claims of the last minutes used it: `burst_count` messages since `burst_at`.
-- Rows mean nothing after some five minutes and are then deleted.
CREATE TABLE pair_pace (
    customer_id uuid NOT NULL,
    number_id uuid NOT NULL,
    burst_at timestamptz NOT NULL,
    burst_count smallint NOT NULL CHECK (burst_count BETWEEN 1 AND 45),
    PRIMARY KEY (customer_id, number_id)
) WITH (fillfactor = 80);

-- A business portfolio: its limit is for all its numbers together.
CREATE TABLE whatsapp_portfolios (
    portfolio_id text PRIMARY KEY CHECK (portfolio_id <> ''),
    messaging_limit int CHECK (messaging_limit > 0), -- unique users messaged outside the 24 h window in a moving 24 h; null: unlimited
    quota_used int NOT NULL DEFAULT 0 CHECK (quota_used >= 0), -- rows of quota_ledger, those not yet expired included
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER touch BEFORE UPDATE ON whatsapp_portfolios FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
INSERT INTO whatsapp_portfolios (portfolio_id) SELECT DISTINCT portfolio_id FROM whatsapp_accounts WHERE portfolio_id <> '';

CREATE FUNCTION know_portfolio() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO whatsapp_portfolios (portfolio_id) VALUES (NEW.portfolio_id) ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
CREATE TRIGGER know_portfolio AFTER INSERT OR UPDATE OF portfolio_id ON whatsapp_accounts
    FOR EACH ROW WHEN (NEW.portfolio_id <> '') EXECUTE FUNCTION know_portfolio();

-- The users whom a limited portfolio has messaged outside the window within 24 h. Written under the lock of the portfolio's
-- row: reserved by a claim, confirmed when Meta accepts, given back when it refuses (then `previous_at` counts again).
CREATE TABLE quota_ledger (
    portfolio_id text NOT NULL REFERENCES whatsapp_portfolios,
    customer_id uuid NOT NULL REFERENCES customers ON DELETE CASCADE,
    counted_at timestamptz NOT NULL,   -- the user counts for 24 h from here
    message_id uuid,                   -- whose claim reserved it; null once confirmed
    previous_at timestamptz,           -- counted_at before that claim, if the user counted already
    PRIMARY KEY (portfolio_id, customer_id)
);
CREATE INDEX quota_ledger_age ON quota_ledger (portfolio_id, counted_at);

-- A claim that Meta refused, or that was never called, gives its place back; the user may have counted before it.
CREATE FUNCTION give_quota_back(portfolios text[], customers_of uuid[], message_ids uuid[]) RETURNS void
LANGUAGE sql VOLATILE
AS $$
    WITH given AS (
        SELECT * FROM unnest(portfolios, customers_of, message_ids) AS given (portfolio_id, customer_id, message_id)
    ), restored AS (
        UPDATE quota_ledger q SET counted_at = q.previous_at, previous_at = NULL, message_id = NULL
        FROM given WHERE (q.portfolio_id, q.customer_id, q.message_id) = (given.portfolio_id, given.customer_id, given.message_id)
            AND q.previous_at IS NOT NULL
    ), gone AS (
        DELETE FROM quota_ledger q
        USING given WHERE (q.portfolio_id, q.customer_id, q.message_id) = (given.portfolio_id, given.customer_id, given.message_id)
            AND q.previous_at IS NULL
        RETURNING q.portfolio_id
    )
    UPDATE whatsapp_portfolios p SET quota_used = p.quota_used - freed.places
    FROM (SELECT portfolio_id, count(*) AS places FROM gone GROUP BY portfolio_id) AS freed
    WHERE p.portfolio_id = freed.portfolio_id
$$;

-- Meta holds messages of a template back while it looks how people take it: `paced_since` the first was held and none
-- was released.
ALTER TABLE templates ADD COLUMN paced_since timestamptz;

CREATE FUNCTION note_template_pacing() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    UPDATE templates t SET paced_since = CASE WHEN NEW.state = 'held' THEN now() END
    FROM whatsapp_numbers n
    WHERE n.id = NEW.number_id AND t.account_id = n.account_id AND t.name = NEW.payload #>> '{template,name}'
        AND t.language = NEW.payload #>> '{template,language,code}' AND (t.paced_since IS NULL) = (NEW.state = 'held');
    RETURN NULL;
END
$$;
CREATE TRIGGER template_is_paced AFTER UPDATE OF state ON messages
    FOR EACH ROW WHEN (NEW.state = 'held' AND OLD.state <> 'held') EXECUTE FUNCTION note_template_pacing();
CREATE TRIGGER template_is_released AFTER UPDATE OF state ON messages
    FOR EACH ROW WHEN (OLD.state = 'held' AND NEW.state IN ('sent', 'delivered', 'read', 'played'))
    EXECUTE FUNCTION note_template_pacing();

-- The one place that says whose turn it is. One message of a customer at a time. Order: people and bot are one
-- conversation and keep theirs (priorities 0 and 1), utility and marketing keep theirs each, so a reply never waits
-- behind a campaign. An earlier message that waits for its retry, or for the pair limit, holds the later ones back; one
-- that is scheduled, or put off for long, does not.
CREATE OR REPLACE VIEW outbox_due AS
SELECT m.id, m.created_at, m.shard, m.number_id, m.customer_id, m.conversation_id, m.priority, m.type,
    coalesce(m.category, 'service') AS category, m.payload, m.attempt, greatest(m.created_at, m.not_before) AS due_at,
    coalesce(m.not_before, '-infinity'::timestamptz) AS ready_at
FROM messages m
WHERE m.state = 'queued'
    AND coalesce(m.not_before, '-infinity'::timestamptz) <= now()
    AND NOT EXISTS (
        SELECT FROM messages other
        WHERE other.customer_id = m.customer_id AND other.state IN ('queued', 'claimed')
            AND (
                other.state = 'claimed'
                OR (
                    (other.created_at, other.id) < (m.created_at, m.id)
                    AND other.number_id = m.number_id
                    AND greatest(other.priority, 1) = greatest(m.priority, 1)
                    AND (
                        other.not_before IS NULL OR other.not_before <= now()
                        OR ((other.attempt > 0 OR other.put_off = 'pair') AND other.not_before <= now() + interval '10 minutes')
                    )
                )
            )
    );

-- Whether a lane has anything to look for on a number that may not send `held` categories: lanes 2 and 3 are utility's and
-- marketing's own, and a held one may be long.
CREATE FUNCTION lane_may_go(priority smallint, held text[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT NOT (priority = 2 AND 'utility' = ANY (held) OR priority = 3 AND 'marketing' = ANY (held)) $$;

-- Where something could be claimed now: the sweep rings for these shards. It hops through the index from one queue to
-- the next and looks at the head of each until a shard has shown one, so its cost does not grow with what waits.
CREATE OR REPLACE VIEW outbox_ready AS
WITH RECURSIVE lane AS (
    (SELECT priority, shard FROM messages WHERE state = 'queued' ORDER BY priority, shard LIMIT 1)
    UNION ALL
    SELECT next.priority, next.shard FROM lane CROSS JOIN LATERAL (
        SELECT m.priority, m.shard FROM messages m
        WHERE m.state = 'queued' AND (m.priority, m.shard) > (lane.priority, lane.shard)
        ORDER BY m.priority, m.shard LIMIT 1
    ) AS next
)
SELECT lane.shard, head.number_id FROM lane CROSS JOIN LATERAL (
    WITH RECURSIVE queue AS (
        (
            SELECT number_id FROM messages m
            WHERE m.state = 'queued' AND m.priority = lane.priority AND m.shard = lane.shard AND m.number_id IS NOT NULL
            ORDER BY m.number_id LIMIT 1
        )
        UNION ALL
        SELECT next.number_id FROM queue CROSS JOIN LATERAL (
            SELECT m.number_id FROM messages m
            WHERE m.state = 'queued' AND m.priority = lane.priority AND m.shard = lane.shard AND m.number_id > queue.number_id
            ORDER BY m.number_id LIMIT 1
        ) AS next
    )
    SELECT queue.number_id FROM queue CROSS JOIN LATERAL (
        SELECT n.held_categories FROM sending_numbers n WHERE n.id = queue.number_id
    ) AS number
    WHERE lane_may_go(lane.priority, number.held_categories) AND EXISTS (
        SELECT FROM outbox_due d
        WHERE d.priority = lane.priority AND d.shard = lane.shard AND d.number_id = queue.number_id
            AND CASE WHEN d.category = ANY (number.held_categories) THEN false ELSE true END
    )
    LIMIT 1
) AS head;

-- Claims messages that were just read from outbox_due, all or some of them, and commits with the statement that calls
-- it. A function, because what decides must be read after its customers are locked: each statement in here sees what was
-- committed before it. FOR UPDATE and nothing weaker: a row of the consent ledger references its customer and so holds
-- it KEY SHARE until its commit. An opt-out under way therefore keeps its customer out of this claim, and one that comes
-- later waits for it. It also makes "one message of a customer at a time" and the pair limit exact. Who is locked now is
-- claimed next time.
-- `quota_of`: the portfolio on whose quota a message counts, null inside the window. The portfolio's row is locked last
-- and only where there is a limit, so that whoever holds it waits for nobody. A message that finds no free place comes
-- back unclaimed, with the time from which a place is free.
-- The pair limit (Meta: one message in 6 s, or up to 45 within 6 s and then a pause as long as they would have taken) is
-- judged a second stricter at both ends, since a call leaves within a second of its claim.
CREATE FUNCTION claim_messages(
    ids uuid[], times timestamptz[], customers_of uuid[], quota_of text[], low timestamptz, high timestamptz
)
RETURNS TABLE (message uuid, attempt_number smallint, reserved boolean, free_from timestamptz)
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
    at_time timestamptz;
    ours uuid[];
    limited text[] := '{}';
    portfolio record;
    used int;
    changed int;
BEGIN
    SELECT array_agg(locked.id) INTO ours FROM (
        SELECT c.id FROM customers c WHERE c.id = ANY (customers_of) ORDER BY c.id FOR UPDATE SKIP LOCKED
    ) AS locked;
    PERFORM FROM suppressions s WHERE s.customer_id = ANY (ours) FOR SHARE;

    FOR portfolio IN
        SELECT p.portfolio_id, p.messaging_limit, p.quota_used FROM whatsapp_portfolios p
        WHERE p.portfolio_id = ANY (quota_of) AND p.messaging_limit IS NOT NULL
        ORDER BY p.portfolio_id FOR UPDATE
    LOOP
        limited := limited || portfolio.portfolio_id;
        at_time := clock_timestamp();
        DELETE FROM quota_ledger q
        WHERE q.portfolio_id = portfolio.portfolio_id AND q.counted_at <= at_time - interval '24 hours';
        GET DIAGNOSTICS changed = ROW_COUNT;
        used := portfolio.quota_used - changed;
        UPDATE quota_ledger q SET message_id = given.id, previous_at = q.counted_at, counted_at = at_time
        FROM unnest(ids, customers_of, quota_of) AS given (id, customer_id, quota)
        WHERE given.quota = portfolio.portfolio_id AND given.customer_id = ANY (ours)
            AND q.portfolio_id = given.quota AND q.customer_id = given.customer_id;
        INSERT INTO quota_ledger (portfolio_id, customer_id, counted_at, message_id)
        SELECT given.quota, given.customer_id, at_time, given.id
        FROM unnest(ids, customers_of, quota_of) WITH ORDINALITY AS given (id, customer_id, quota, place)
        WHERE given.quota = portfolio.portfolio_id AND given.customer_id = ANY (ours)
            AND NOT EXISTS (
                SELECT FROM quota_ledger q WHERE q.portfolio_id = given.quota AND q.customer_id = given.customer_id
            )
        ORDER BY given.place
        LIMIT greatest(portfolio.messaging_limit - used, 0);
        GET DIAGNOSTICS changed = ROW_COUNT;
        UPDATE whatsapp_portfolios p SET quota_used = used + changed WHERE p.portfolio_id = portfolio.portfolio_id;
        -- The first that found no place gets the one that is free first; an hour later the limit may be another.
        RETURN QUERY
        WITH refused AS (
            SELECT given.id, row_number() OVER (ORDER BY given.place) AS place
            FROM unnest(ids, customers_of, quota_of) WITH ORDINALITY AS given (id, customer_id, quota, place)
            WHERE given.quota = portfolio.portfolio_id AND given.customer_id = ANY (ours)
                AND NOT EXISTS (
                    SELECT FROM quota_ledger q WHERE q.portfolio_id = given.quota AND q.customer_id = given.customer_id
                )
        ), oldest AS (
            SELECT q.counted_at, row_number() OVER (ORDER BY q.counted_at) AS place FROM quota_ledger q
            WHERE q.portfolio_id = portfolio.portfolio_id ORDER BY q.counted_at LIMIT cardinality(ids)
        )
        SELECT refused.id, NULL::smallint, false, least(oldest.counted_at + interval '24 hours', at_time + interval '1 hour')
        FROM refused LEFT JOIN oldest USING (place);
    END LOOP;

    at_time := clock_timestamp();
    RETURN QUERY
    WITH claimed AS (
        UPDATE messages m SET state = 'claimed', attempt = m.attempt + 1, claimed_at = at_time, put_off = NULL
        FROM unnest(ids, times, quota_of) AS picked (id, created_at, quota)
        WHERE m.id = picked.id AND m.created_at = picked.created_at AND m.created_at BETWEEN low AND high
            AND m.customer_id = ANY (ours) AND m.state = 'queued' AND (m.not_before IS NULL OR m.not_before <= now())
            AND NOT EXISTS (
                SELECT FROM messages other WHERE other.customer_id = m.customer_id AND other.state = 'claimed'
            )
            AND NOT EXISTS (
                SELECT FROM suppressions s
                WHERE s.customer_id = m.customer_id AND (s.until IS NULL OR s.until > now())
                    AND m.category IN ('marketing', 'utility') AND s.scope IN (m.category, 'all')
            )
            AND NOT EXISTS (
                SELECT FROM pair_pace pace
                WHERE pace.customer_id = m.customer_id AND pace.number_id = m.number_id
                    AND at_time < pace.burst_at + (6 * pace.burst_count + 1) * interval '1 second'
                    AND NOT (at_time < pace.burst_at + interval '5 seconds' AND pace.burst_count < 45)
            )
            AND (
                picked.quota IS NULL OR picked.quota <> ALL (limited)
                OR EXISTS (
                    SELECT FROM quota_ledger q
                    WHERE q.portfolio_id = picked.quota AND q.customer_id = m.customer_id AND q.message_id = m.id
                )
            )
        RETURNING m.id, m.customer_id, m.number_id, m.attempt, coalesce(picked.quota = ANY (limited), false) AS reserved
    ), paced AS (
        INSERT INTO pair_pace AS pace (customer_id, number_id, burst_at, burst_count)
        SELECT c.customer_id, c.number_id, at_time, 1 FROM claimed c ORDER BY c.customer_id
        ON CONFLICT (customer_id, number_id) DO UPDATE SET
            burst_at = CASE WHEN at_time < pace.burst_at + interval '5 seconds' THEN pace.burst_at ELSE at_time END,
            burst_count = CASE WHEN at_time < pace.burst_at + interval '5 seconds' THEN pace.burst_count + 1 ELSE 1 END
    )
    SELECT c.id, c.attempt, c.reserved, NULL::timestamptz FROM claimed c;

    IF limited <> '{}' THEN  -- a place reserved for what was not claimed after all
        PERFORM give_quota_back(lost.portfolios, lost.customers, lost.messages) FROM (
            SELECT array_agg(q.portfolio_id) AS portfolios, array_agg(q.customer_id) AS customers, array_agg(given.id) AS messages
            FROM unnest(ids, times, customers_of, quota_of) AS given (id, created_at, customer_id, quota)
            JOIN quota_ledger q ON q.portfolio_id = given.quota AND q.customer_id = given.customer_id AND q.message_id = given.id
            JOIN messages m ON m.id = given.id AND m.created_at = given.created_at AND m.created_at BETWEEN low AND high
            WHERE given.quota = ANY (limited) AND m.state <> 'claimed'
        ) AS lost WHERE lost.messages IS NOT NULL;
    END IF;
END
$$;
