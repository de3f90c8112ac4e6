-- What Meta delivered: stored raw first, then split into one item per contact, then handled.
SET lock_timeout = '5s';

-- One row per request. bytea, since text types refuse NUL and lone surrogates. Work is found by its mark
-- (split_at IS NULL), never by an id cursor, which would skip rows of a COPY that commits late.
CREATE TABLE webhook_event (
    id uuid NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    body bytea NOT NULL,
    trace_id text,
    split_at timestamptz,
    item_count int,
    PRIMARY KEY (id, received_at)
) PARTITION BY RANGE (received_at);
CREATE TABLE webhook_event_default PARTITION OF webhook_event DEFAULT;
CREATE INDEX webhook_event_unsplit ON webhook_event (id) WHERE split_at IS NULL;

-- Items still to be handled. The row is deleted in the transaction that has the item's effects: what is here is the
-- backlog, and nothing else. `lane` spreads contacts over workers; order within a contact is the order of id.
CREATE TABLE inbox_item (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    webhook_id uuid NOT NULL,
    received_at timestamptz NOT NULL,
    lane smallint NOT NULL,
    kind text NOT NULL,
    phone_number_id text,
    waba_id text,
    contact_key text,
    trace_id text,
    payload bytea NOT NULL,
    attempts smallint NOT NULL DEFAULT 0,
    retry_at timestamptz
);
CREATE INDEX inbox_item_lane ON inbox_item (lane, id);

-- What could not be parsed, handled or placed, with the reason; replayable by `hub webhooks replay`.
CREATE TABLE dead_letter (
    id uuid PRIMARY KEY,
    source text NOT NULL CHECK (source IN ('split', 'handle', 'parked')),
    webhook_id uuid,
    received_at timestamptz,
    kind text,
    phone_number_id text,
    waba_id text,
    contact_key text,
    reason text NOT NULL,
    detail text,
    payload bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    replayed_at timestamptz
);
CREATE INDEX dead_letter_open ON dead_letter (created_at) WHERE replayed_at IS NULL;

-- Signed and valid, but of no use to conversations yet (management fields, unknown fields): kept, counted, shown.
CREATE TABLE channel_update (
    id uuid PRIMARY KEY,
    webhook_id uuid NOT NULL,
    field text NOT NULL,
    phone_number_id text,
    waba_id text,
    value jsonb NOT NULL,
    applied_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX channel_update_recent ON channel_update (field, created_at DESC);
