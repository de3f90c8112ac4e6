-- What the hub brings and costs beside what it measures itself, and the rates that amounts in other currencies have in reais.
SET lock_timeout = '5s';

CREATE TABLE benefits_and_costs (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    kind text NOT NULL CHECK (kind IN ('benefit', 'cost')),
    amount_micros bigint NOT NULL CHECK (amount_micros > 0),  -- millionths of BRL
    every text NOT NULL CHECK (every IN ('month', 'once')),
    valid_from date NOT NULL,                                 -- of `once`: the day it came
    valid_to date,                                            -- last day; null: it goes on
    source text NOT NULL DEFAULT '',                          -- who says so, where it is written
    is_example boolean NOT NULL DEFAULT false,                -- of the demo: nobody measured it
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (valid_to >= valid_from),
    CHECK (every = 'month' OR valid_to IS NULL)
);
CREATE INDEX benefits_and_costs_created_at ON benefits_and_costs (created_at);
CREATE TRIGGER touch BEFORE UPDATE ON benefits_and_costs FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE exchange_rates (
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$' AND currency <> 'BRL'),  -- ISO 4217
    valid_from date NOT NULL,                                 -- until the next one of the currency
    brl_micros bigint NOT NULL CHECK (brl_micros > 0),        -- of one whole unit, millionths of BRL
    source text NOT NULL DEFAULT '',
    set_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (currency, valid_from)
);
CREATE TRIGGER touch BEFORE UPDATE ON exchange_rates FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
