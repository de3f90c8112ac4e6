-- Reports that leave on a clock, and alerts on key figures.
SET lock_timeout = '5s';

CREATE TABLE report_schedules (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    format text NOT NULL CHECK (format IN ('pdf', 'csv')),
    every text NOT NULL CHECK (every IN ('day', 'week', 'month')),
    weekday smallint CHECK (weekday BETWEEN 1 AND 7),     -- ISO: 1 is Monday
    month_day smallint CHECK (month_day BETWEEN 1 AND 28),
    hour smallint NOT NULL CHECK (hour BETWEEN 0 AND 23), -- in HUB_TIMEZONE
    emails text[] NOT NULL DEFAULT '{}',
    phones text[] NOT NULL DEFAULT '{}',
    template text,                                        -- `name` or `name:language`, with a document above its body
    active boolean NOT NULL DEFAULT true,
    next_at timestamptz NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((every = 'week') = (weekday IS NOT NULL)),
    CHECK ((every = 'month') = (month_day IS NOT NULL)),
    CHECK (cardinality(emails) + cardinality(phones) BETWEEN 1 AND 50),
    CHECK (cardinality(phones) = 0 OR (template IS NOT NULL AND format = 'pdf'))
);
CREATE INDEX report_schedules_due ON report_schedules (next_at) WHERE active;

CREATE TABLE report_runs (
    id uuid PRIMARY KEY,
    schedule_id uuid NOT NULL REFERENCES report_schedules ON DELETE CASCADE,
    due_at timestamptz NOT NULL,
    first_day date NOT NULL,
    last_day date NOT NULL CHECK (last_day >= first_day),
    state text NOT NULL DEFAULT 'due' CHECK (state IN ('due', 'made', 'failed')),
    attempts smallint NOT NULL DEFAULT 0,
    not_before timestamptz NOT NULL DEFAULT now(),
    failure text,
    file bytea,                                           -- what was sent, for a month
    built_through date,                                   -- the newest day in it
    created_at timestamptz NOT NULL DEFAULT now(),
    made_at timestamptz,
    UNIQUE (schedule_id, due_at)                          -- two clocks make one report
);
CREATE INDEX report_runs_waiting ON report_runs (not_before) WHERE state = 'due';

CREATE TABLE report_deliveries (
    id uuid PRIMARY KEY,
    run_id uuid NOT NULL REFERENCES report_runs ON DELETE CASCADE,
    channel text NOT NULL CHECK (channel IN ('email', 'whatsapp')),
    recipient text NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'failed')),
    attempts smallint NOT NULL DEFAULT 0,
    not_before timestamptz NOT NULL DEFAULT now(),
    failure text,
    message_id uuid,                                      -- of WhatsApp, in the outbox
    created_at timestamptz NOT NULL DEFAULT now(),
    sent_at timestamptz,
    UNIQUE (run_id, channel, recipient)
);
CREATE INDEX report_deliveries_waiting ON report_deliveries (channel, not_before) WHERE state = 'waiting';

CREATE TABLE kpi_alerts (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    kpi text NOT NULL,
    comparison text NOT NULL CHECK (comparison IN ('above', 'below')),
    threshold double precision NOT NULL,                  -- in the KPI's unit
    days smallint NOT NULL CHECK (days BETWEEN 1 AND 31), -- of the window that ends today
    emails text[] NOT NULL CHECK (cardinality(emails) BETWEEN 1 AND 50),
    active boolean NOT NULL DEFAULT true,
    state text NOT NULL DEFAULT 'quiet' CHECK (state IN ('quiet', 'firing')),
    value double precision,                               -- at the last look; NULL: nothing to measure
    changed_at timestamptz,
    checked_at timestamptz,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
