-- Macros: several steps on a conversation by one press.
SET lock_timeout = '5s';

CREATE TABLE macros (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    team_id uuid REFERENCES teams ON DELETE CASCADE,           -- null: everybody's
    steps jsonb NOT NULL,                                      -- chat/desk/schemas.py, Steps
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX macros_name ON macros (name, team_id) NULLS NOT DISTINCT;
CREATE TRIGGER touch BEFORE UPDATE ON macros FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
