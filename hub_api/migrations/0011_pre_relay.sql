-- What the relay must know to survive a restore: which life of which cluster its cursor speaks of.
SET lock_timeout = '5s';

-- `timeline` tells a point-in-time restore or a promotion apart, which keep the system identifier. Events with
-- seq <= floor_seq belong to an earlier life and were settled one by one when this one was adopted. pending_at is the
-- time of the batch in flight: a retry sends the same rows, to the last byte.
ALTER TABLE relay_cursor
    ADD COLUMN timeline int NOT NULL DEFAULT 1,
    ADD COLUMN floor_seq bigint NOT NULL DEFAULT 0,
    ADD COLUMN pending_at timestamptz,
    ADD CHECK (
        (pending_xid IS NULL) = (pending_seq IS NULL)
        AND (pending_xid IS NULL) = (pending_count IS NULL)
        AND (pending_xid IS NULL) = (pending_at IS NULL)
    );
