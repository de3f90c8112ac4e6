-- Months of `events` that have left PostgreSQL for the lake (hub_api/platform/lake/archive.py).
SET lock_timeout = '5s';

CREATE TABLE events_archive (
    month date PRIMARY KEY CHECK (month = date_trunc('month', month)),
    events bigint NOT NULL CHECK (events >= 0),
    hash text NOT NULL,                    -- order-free, of every column of every event, as both engines computed it
    days date[] NOT NULL,                  -- business days of the lake in which they lie, by the time they happened
    archived_at timestamptz NOT NULL DEFAULT now(),
    returned_at timestamptz                -- brought back by a person: not taken out again by the clock
);
