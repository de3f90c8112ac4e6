-- What verifying the audit log's chain found, so that the console shows it: asked for by somebody, or by the clock once a day.
SET lock_timeout = '5s';

CREATE TABLE audit_verifications (
    id uuid PRIMARY KEY,
    requested_by uuid REFERENCES users,                        -- null: the clock
    requested_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz,
    links bigint,
    signatures bigint,
    archived bigint,                                           -- rows whose month retention has taken
    unsealed bigint,                                           -- rows that waited for the sealer
    head text,
    other_keys text[],
    faults text[],                                             -- empty: the log is as it was written
    CHECK ((finished_at IS NULL) = (faults IS NULL))
);
CREATE INDEX audit_verifications_newest ON audit_verifications (requested_at DESC);
-- Who asks while one waits or runs is answered with that one.
CREATE UNIQUE INDEX audit_verifications_open ON audit_verifications ((true)) WHERE finished_at IS NULL;
