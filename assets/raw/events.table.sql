-- The hub's events as PostgreSQL has them, written by the relay alone (and by the reconciliation, which takes its turn
-- in the relay's numbering). One batch is one INSERT into one partition, so it is seen whole or not at all.
CREATE TABLE IF NOT EXISTS raw.events /*ON CLUSTER*/
(
    id UUID COMMENT 'Event id, UUIDv7',
    type LowCardinality(String) COMMENT 'Name of the event, for example message.received (hub_api/events.py)',
    aggregate_type LowCardinality(String) COMMENT 'What it happened to: customer, conversation, message, business, label',
    aggregate_id UUID COMMENT 'Id of what it happened to',
    aggregate_version Int64 COMMENT 'Version of the aggregate after the change; state is folded by it',
    occurred_at DateTime64(6, 'UTC') COMMENT 'When it happened in the world (payload time; sentinels 1970-01-01 and 2100-01-01 when that was absurd), UTC',
    recorded_at DateTime64(6, 'UTC') COMMENT 'When PostgreSQL recorded it, UTC',
    trace_id String COMMENT 'Trace of the request or job that caused it; empty when there was none',
    xid UInt64 COMMENT 'Transaction that wrote it in PostgreSQL (xid8)',
    seq UInt64 COMMENT 'Its number in PostgreSQL; (xid, seq) is the order of the relay',
    payload String COMMENT 'JSON object with the fields of its type, exactly as PostgreSQL prints it',
    batch UInt64 COMMENT 'Number of the relay batch that brought it; grows in the order in which batches become visible',
    relayed_at DateTime64(6, 'UTC') COMMENT 'When the relay fixed that batch, UTC',
    event_time DateTime64(6, 'UTC') MATERIALIZED if(occurred_at >= '2009-01-01' AND occurred_at < '2099-01-01', occurred_at, recorded_at) COMMENT 'Time for days and hours, UTC: occurred_at, or recorded_at where that is a sentinel',
    conversation_id UUID MATERIALIZED if(aggregate_type = 'conversation', aggregate_id, toUUIDOrZero(JSONExtractString(payload, 'conversation_id'))) COMMENT 'Conversation it belongs to; zero when to none'
)
ENGINE = /*Replicated*/MergeTree
PARTITION BY toYYYYMM(relayed_at)
ORDER BY (toDate(event_time), type, event_time, id)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'Every event of the hub, once, in the order of the relay';
