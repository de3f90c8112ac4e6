-- What a key figure was before the hub, by which targets such as "cost 40 % below" are judged.
SET lock_timeout = '5s';

CREATE TABLE kpi_baseline (
    kpi text PRIMARY KEY,              -- key in assets/gold/kpi/catalogue.yaml
    value double precision NOT NULL,   -- in the figure's unit
    measured_from date,                -- days it was measured on, where known
    measured_to date,
    note text NOT NULL DEFAULT '',     -- where it comes from
    set_by uuid REFERENCES users,      -- null: a program
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (measured_to >= measured_from)
);
