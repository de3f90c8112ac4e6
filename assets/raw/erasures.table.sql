-- The list of erasures outside PostgreSQL: after an older backup of PostgreSQL is restored, `hub migrate` erases these
-- people again before anybody is served. It holds keyed hashes and internal ids only.
CREATE TABLE IF NOT EXISTS raw.erasures /*ON CLUSTER*/
(
    erasure_id UUID COMMENT 'Erasure',
    customer_id UUID COMMENT 'Customer erased; leads to nobody',
    reason LowCardinality(String) COMMENT 'Why: request, consent_withdrawn or purpose_ended',
    erased_at DateTime64(6, 'UTC') COMMENT 'What the person sent up to here never comes back, UTC',
    kind LowCardinality(String) COMMENT 'person: the erasure itself; wamid, identity: a tombstone of it',
    key_hash String COMMENT 'Keyed hash of the wamid or identity as hex; empty for the erasure itself'
)
ENGINE = /*Replicated*/ReplacingMergeTree
ORDER BY (erasure_id, kind, key_hash)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'Erased people and their tombstones; read it with FINAL';
