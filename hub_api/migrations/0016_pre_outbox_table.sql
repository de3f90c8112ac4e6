-- The outbox in a table of its own. It was a set of indexes of `messages` whose predicates name the state, and so every step
-- of a message (claimed, accepted, sent, delivered, read) wrote all indexes of a wide, partitioned table anew, its text search
-- included: half of what PostgreSQL did for a send. Now a step changes the message's row in place, and what waits is found in
-- a table that holds nothing else.
SET lock_timeout = '5s';

-- What waits, is being sent, or is in doubt: the part of a message that decides whose turn it is. The message stays the
-- authority: whatever changes a state changes `messages`, and keep_outbox follows in the same transaction.
CREATE TABLE outbox (
    id uuid PRIMARY KEY,               -- as in messages, like the rest
    created_at timestamptz NOT NULL,
    customer_id uuid NOT NULL,
    number_id uuid,
    priority smallint NOT NULL,
    shard smallint NOT NULL,
    type text NOT NULL,
    category text,
    state text NOT NULL CHECK (state IN ('queued', 'claimed', 'unknown')),
    attempt smallint NOT NULL,
    not_before timestamptz,
    put_off text,
    claimed_at timestamptz,
    moved_from uuid
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);
-- In a queue: first what was never put off, oldest first, then what was, by the time from which it may go. A paused
-- number's backlog and what waits for its time are never walked through.
CREATE INDEX outbox_queues ON outbox (priority, number_id, shard, (coalesce(not_before, '-infinity'::timestamptz)), created_at)
    WHERE state = 'queued';
-- One person's messages: for the order per customer, and for an opt-out that cancels what waits.
CREATE INDEX outbox_customer ON outbox (customer_id);
CREATE INDEX outbox_in_doubt ON outbox (claimed_at) WHERE state <> 'queued';
CREATE INDEX outbox_moved ON outbox (moved_from) WHERE state = 'queued' AND moved_from IS NOT NULL;

CREATE FUNCTION keep_outbox() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO outbox (id, created_at, customer_id, number_id, priority, shard, type, category, state, attempt, not_before,
            put_off, claimed_at, moved_from)
        VALUES (NEW.id, NEW.created_at, NEW.customer_id, NEW.number_id, NEW.priority, NEW.shard, NEW.type, NEW.category, NEW.state,
            NEW.attempt, NEW.not_before, NEW.put_off, NEW.claimed_at, NEW.moved_from)
        ON CONFLICT (id) DO UPDATE SET created_at = excluded.created_at;  -- an update that moves a row to another month
    ELSIF NEW.state IN ('queued', 'claimed', 'unknown') THEN
        UPDATE outbox SET created_at = NEW.created_at, customer_id = NEW.customer_id, number_id = NEW.number_id, priority = NEW.priority,
            category = NEW.category, state = NEW.state, attempt = NEW.attempt, not_before = NEW.not_before,
            put_off = NEW.put_off, claimed_at = NEW.claimed_at, moved_from = NEW.moved_from
        WHERE id = NEW.id;
    ELSE
        DELETE FROM outbox WHERE id = OLD.id;
    END IF;
    RETURN NULL;
END
$$;
-- The two steps that every message takes, claim_messages and accept_messages, keep the outbox themselves, all their messages
-- in one statement, and say so: row by row that cost as much as the step itself.
-- Messages are never deleted but with their month or when they move to it (ensure_partitions), so there is no third trigger.
-- The lock that this takes lets nobody write a message until the rows below are copied.
CREATE TRIGGER outbox_gains AFTER INSERT ON messages
    FOR EACH ROW WHEN (NEW.state IN ('queued', 'claimed', 'unknown')) EXECUTE FUNCTION keep_outbox();
CREATE TRIGGER outbox_follows AFTER UPDATE ON messages
    FOR EACH ROW WHEN (
        OLD.state IN ('queued', 'claimed', 'unknown') AND current_setting('hub.keeps_outbox', true) IS DISTINCT FROM 'yes'
    ) EXECUTE FUNCTION keep_outbox();
INSERT INTO outbox (id, created_at, customer_id, number_id, priority, shard, type, category, state, attempt, not_before, put_off,
    claimed_at, moved_from)
SELECT id, created_at, customer_id, number_id, priority, shard, type, category, state, attempt, not_before, put_off, claimed_at,
    moved_from
FROM messages WHERE state IN ('queued', 'claimed', 'unknown');

-- The one place that says whose turn it is. One message of a customer at a time. Order: people and bot are one
-- conversation and keep theirs (priorities 0 and 1), utility and marketing keep theirs each, so a reply never waits
-- behind a campaign. An earlier message that waits for its retry, or for the pair limit, holds the later ones back; one
-- that is scheduled, or put off for long, does not.
CREATE VIEW outbox_turns AS
SELECT o.id, o.created_at, o.shard, o.number_id, o.customer_id, o.priority, o.type, coalesce(o.category, 'service') AS category,
    o.attempt, greatest(o.created_at, o.not_before) AS due_at, coalesce(o.not_before, '-infinity'::timestamptz) AS ready_at
FROM outbox o
WHERE o.state = 'queued'
    AND coalesce(o.not_before, '-infinity'::timestamptz) <= now()
    AND NOT EXISTS (
        SELECT FROM outbox other
        WHERE other.customer_id = o.customer_id
            AND (
                other.state = 'claimed'
                OR (
                    other.state = 'queued'
                    AND (other.created_at, other.id) < (o.created_at, o.id)
                    AND other.number_id = o.number_id
                    AND greatest(other.priority, 1) = greatest(o.priority, 1)
                    AND (
                        other.not_before IS NULL OR other.not_before <= now()
                        OR ((other.attempt > 0 OR other.put_off = 'pair') AND other.not_before <= now() + interval '10 minutes')
                    )
                )
            )
    );

-- The shard from `own` on (and round) that has something to claim in a lane of a number which may not send `held`.
CREATE OR REPLACE FUNCTION nearest_due_shard(lane smallint, number uuid, own int, held text[]) RETURNS smallint
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    low int;
    high int;
    at_shard smallint;
BEGIN
    FOR low, high IN VALUES (own, 63), (0, own - 1) LOOP
        LOOP
            SELECT o.shard INTO at_shard FROM outbox o
            WHERE o.state = 'queued' AND o.priority = lane AND o.number_id = number AND o.shard BETWEEN low AND high
            ORDER BY o.shard LIMIT 1;
            EXIT WHEN NOT FOUND;
            IF EXISTS (
                SELECT FROM outbox_turns t
                WHERE t.priority = lane AND t.number_id = number AND t.shard = at_shard
                    AND CASE WHEN t.category = ANY (held) THEN false ELSE true END
            ) THEN
                RETURN at_shard;
            END IF;
            low := at_shard + 1;
        END LOOP;
    END LOOP;
    RETURN NULL;
END
$$;

-- Where something could be claimed now: the sweep rings for these shards. Only the first queues that have something are
-- looked at: a run over one shard helps the others out, so that to ring some of them is enough.
CREATE OR REPLACE VIEW outbox_ready AS
WITH RECURSIVE queue AS (
    (
        SELECT priority, number_id, shard FROM outbox WHERE state = 'queued' AND number_id IS NOT NULL
        ORDER BY priority, number_id, shard LIMIT 1
    )
    UNION ALL
    SELECT next.priority, next.number_id, next.shard FROM queue CROSS JOIN LATERAL (
        SELECT o.priority, o.number_id, o.shard FROM outbox o
        WHERE o.state = 'queued' AND o.number_id IS NOT NULL
            AND (o.priority, o.number_id, o.shard) > (queue.priority, queue.number_id, queue.shard)
        ORDER BY o.priority, o.number_id, o.shard LIMIT 1
    ) AS next
)
SELECT queue.shard, queue.number_id FROM queue CROSS JOIN LATERAL (
    SELECT n.held_categories FROM sending_numbers n WHERE n.id = queue.number_id
) AS number
WHERE lane_may_go(queue.priority, number.held_categories) AND EXISTS (
    SELECT FROM outbox_turns t
    WHERE t.priority = queue.priority AND t.shard = queue.shard AND t.number_id = queue.number_id
        AND CASE WHEN t.category = ANY (number.held_categories) THEN false ELSE true END
)
LIMIT 200;

-- Room on every page for the next step of its messages; a new month takes the settings of the DEFAULT partition.
DO $$
DECLARE
    partition regclass;
BEGIN
    FOR partition IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'messages'::regclass LOOP
        EXECUTE format('ALTER TABLE %s SET (fillfactor = 60)', partition);
    END LOOP;
END
$$;
CREATE OR REPLACE FUNCTION ensure_partitions(parent text, from_month date, to_month date) RETURNS int
LANGUAGE plpgsql
SET lock_timeout = '5s'
AS $$
DECLARE
    month date := date_trunc('month', from_month)::date;
    partition text;
    low text;
    high text;
    strays boolean;
    made int := 0;
    of_default regclass := (parent || '_default')::regclass;
    by_column text := (
        SELECT a.attname FROM pg_partitioned_table p JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]
        WHERE p.partrelid = parent::regclass
    );
    options text := (SELECT array_to_string(reloptions, ', ') FROM pg_class WHERE oid = of_default);
    columns text := (
        SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
        WHERE attrelid = parent::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
    );
BEGIN
    WHILE month <= to_month LOOP
        partition := parent || '_' || to_char(month, 'YYYYMM');
        IF to_regclass(partition) IS NULL THEN
            PERFORM pg_advisory_xact_lock(hashtext('ensure_partitions:' || parent));
            low := to_char(month, 'YYYY-MM-01') || ' 00:00:00+00';
            high := to_char(month + interval '1 month', 'YYYY-MM-01') || ' 00:00:00+00';
            EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE %I >= %L AND %I < %L)', of_default, by_column, low, by_column, high)
                INTO strays;
            IF to_regclass(partition) IS NOT NULL THEN
                NULL;  -- somebody else made it while we waited
            ELSIF strays THEN
                EXECUTE format('LOCK TABLE %I, %s IN ACCESS EXCLUSIVE MODE', parent, of_default);
                EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING CONSTRAINTS)', partition, parent);
                EXECUTE format(
                    'WITH moved AS (DELETE FROM %s WHERE %I >= %L AND %I < %L RETURNING %s) INSERT INTO %I (%s) SELECT %s FROM moved',
                    of_default, by_column, low, by_column, high, columns, partition, columns, columns);
                EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, partition, low, high);
                made := made + 1;
            ELSE
                EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)', partition, parent, low, high);
                made := made + 1;
            END IF;
            IF options IS NOT NULL THEN
                EXECUTE format('ALTER TABLE %I SET (%s)', partition, options);
            END IF;
        END IF;
        month := (month + interval '1 month')::date;
    END LOOP;
    RETURN made;
END
$$;

-- A strict function is called for every row where one that takes nulls becomes part of the condition; a state is never null.
ALTER FUNCTION can_move(text, text) CALLED ON NULL INPUT;

-- Claims messages that were just read from outbox_turns, all or some of them, and commits with the statement that calls
-- it. A function, because what decides must be read after its customers are locked: each statement in here sees what was
-- committed before it. FOR UPDATE and nothing weaker: a row of the consent ledger references its customer and so holds
-- it KEY SHARE until its commit. An opt-out under way therefore keeps its customer out of this claim, and one that comes
-- later waits for it. It also makes "one message of a customer at a time" and the pair limit exact. Who is locked now is
-- claimed next time.
-- `numbers_of`: the numbers whose slots they have: one that was moved to another number meanwhile waits for that one's.
-- `quota_of`: the portfolio on whose quota a message counts, null inside the window. The portfolio's row is locked last
-- and only where there is a limit, so that whoever holds it waits for nobody. A message that finds no free place comes
-- back unclaimed, with the time from which a place is free.
-- The pair limit (Meta: one message in 6 s, or up to 45 within 6 s and then a pause as long as they would have taken) is
-- judged a second stricter at both ends, since a call leaves within a second of its claim.
-- Everything is looked up by its key, for the arguments of the moment (migration 0015): what the planner may think of a table
-- that has just grown or emptied must not make it read the table.
CREATE FUNCTION claim_messages(
    ids uuid[], times timestamptz[], customers_of uuid[], numbers_of uuid[], quota_of text[], low timestamptz, high timestamptz
)
RETURNS TABLE (message uuid, attempt_number smallint, reserved boolean, free_from timestamptz)
LANGUAGE plpgsql VOLATILE
SET plan_cache_mode = 'force_custom_plan'
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET hub.keeps_outbox = 'yes'
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
        UPDATE messages m SET state = 'claimed', attempt = m.attempt + 1, claimed_at = at_time, put_off = NULL, updated_at = at_time
        FROM unnest(ids, times, numbers_of, quota_of) AS picked (id, created_at, number_id, quota)
        WHERE m.id = picked.id AND m.created_at = picked.created_at AND m.created_at BETWEEN low AND high
            AND m.customer_id = ANY (ours) AND m.number_id = picked.number_id AND m.state = 'queued'
            AND (m.not_before IS NULL OR m.not_before <= now())
            AND NOT EXISTS (
                SELECT FROM outbox other WHERE other.customer_id = m.customer_id AND other.state = 'claimed'
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
    ), taken AS (
        UPDATE outbox o SET state = 'claimed', attempt = c.attempt, claimed_at = at_time, put_off = NULL
        FROM claimed c WHERE o.id = c.id
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

-- Records that Meta took messages which are still claimed, with what they are expected to cost; returns those.
CREATE FUNCTION accept_messages(
    ids uuid[], times timestamptz[], low timestamptz, high timestamptz, wamids text[], states text[], micros bigint[],
    currencies text[]
)
RETURNS TABLE (id uuid, version bigint, state text, conversation_id uuid, customer_id uuid, type text)
LANGUAGE sql VOLATILE
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET hub.keeps_outbox = 'yes'
AS $$
    WITH accepted AS (
        UPDATE messages m SET
            wamid = given.wamid, accepted_at = now(), state = given.state, error_code = NULL, error_title = NULL,
            estimated_micros = given.micros, estimated_currency = given.currency, version = m.version + 1, updated_at = now()
        FROM unnest(ids, times, wamids, states, micros, currencies) AS given (id, created_at, wamid, state, micros, currency)
        WHERE m.id = given.id AND m.created_at = given.created_at AND m.created_at BETWEEN low AND high AND m.state = 'claimed'
        RETURNING m.id, m.version, m.state, m.conversation_id, m.customer_id, m.type
    ), gone AS (
        DELETE FROM outbox o USING accepted a WHERE o.id = a.id
    )
    SELECT a.id, a.version, a.state, a.conversation_id, a.customer_id, a.type FROM accepted a
$$;
