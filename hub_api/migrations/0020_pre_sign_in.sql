-- Who signs in: passwords, second factors, roles, teams, sessions, and the keys that sign their tokens.
SET lock_timeout = '5s';

-- Built-in roles have their permissions in code (auth/permissions.py) and only their wishes here; custom roles are rows.
-- Names never change: users refer to them.
CREATE TABLE roles (
    name text PRIMARY KEY CHECK (name ~ '^[a-z][a-z0-9_]{1,39}$'),
    title text NOT NULL CHECK (title <> ''),              -- what people read, in Portuguese
    builtin boolean NOT NULL DEFAULT false,
    permissions text[] NOT NULL DEFAULT '{}',
    all_teams boolean NOT NULL DEFAULT false,             -- sees the objects of every team, not of his own only
    second_factor boolean NOT NULL DEFAULT false,         -- its users may do nothing before they have a second factor
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (NOT builtin OR permissions = '{}')
);
INSERT INTO roles (name, title, builtin) VALUES
    ('admin', 'Administrador', true), ('supervisor', 'Supervisor', true), ('agent', 'Atendente', true),
    ('marketer', 'Marketing', true), ('analyst', 'Analista', true), ('executive', 'Diretoria', true);

ALTER TABLE users DROP CONSTRAINT users_role_check;
ALTER TABLE users ADD CONSTRAINT users_role_fkey FOREIGN KEY (role) REFERENCES roles (name);
ALTER TABLE users
    ADD COLUMN phone text,                        -- E.164: where codes of the second factor go
    ADD COLUMN password_hash text,                -- argon2id; null until the invitation is accepted
    ADD COLUMN password_changed_at timestamptz,
    ADD COLUMN totp_encrypted bytea,              -- the secret in force
    ADD COLUMN totp_pending_encrypted bytea,      -- shown, but no code of it was confirmed yet
    ADD COLUMN totp_last_step bigint,             -- the 30 s step of the newest code taken: none up to it is taken again
    ADD COLUMN second_factor_at timestamptz,      -- since when the second factor is in force
    ADD COLUMN last_sign_in_at timestamptz,
    ADD COLUMN version bigint NOT NULL DEFAULT 1, -- raised by every change: the ETag of edits
    ADD CHECK ((totp_encrypted IS NULL) = (second_factor_at IS NULL));

CREATE TABLE team_members (
    team_id uuid NOT NULL REFERENCES teams ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, team_id)
);
CREATE INDEX team_members_team ON team_members (team_id);
CREATE INDEX queues_team ON queues (team_id);

-- The one rule of team scope. `team` is the team of an object's queue (null: of none, so everybody's), `agent` who has
-- it. `teams` null: the caller sees all.
CREATE FUNCTION sees(teams uuid[], caller uuid, team uuid, agent uuid) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT teams IS NULL OR team IS NULL OR team = ANY (teams) OR coalesce(agent = caller, false) $$;

-- A customer is seen by who sees one of his conversations; one without any conversation, by everybody.
CREATE FUNCTION sees_customer(teams uuid[], caller uuid, customer uuid) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT teams IS NULL OR coalesce(
        (
            SELECT bool_or(sees(teams, caller, q.team_id, c.agent_id))
            FROM conversations c LEFT JOIN queues q ON q.id = c.queue_id
            WHERE c.customer_id = customer
        ),
        true
    )
$$;

-- A family of refresh tokens. It lives until it is signed out, revoked, unused for too long, or too old.
CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    transport text NOT NULL CHECK (transport IN ('cookie', 'bearer')),
    factors text[] NOT NULL DEFAULT '{}',         -- how the user proved who he is: password, totp, recovery, sms, whatsapp
    address text,
    user_agent text,
    last_used_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    revoked_reason text,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((revoked_at IS NULL) = (revoked_reason IS NULL))
);
CREATE INDEX sessions_user ON sessions (user_id, created_at DESC) WHERE revoked_at IS NULL;
CREATE INDEX sessions_expired ON sessions (expires_at);

-- Each refresh token is used once. A second use is theft, by whichever of the two, and ends the session.
CREATE TABLE refresh_tokens (
    token_sha256 bytea PRIMARY KEY CHECK (octet_length(token_sha256) = 32),
    session_id uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);

-- Links sent by e-mail: an invitation or a forgotten password. One use; the newest of a kind ends the older ones.
CREATE TABLE user_links (
    token_sha256 bytea PRIMARY KEY CHECK (octet_length(token_sha256) = 32),
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    purpose text NOT NULL CHECK (purpose IN ('invitation', 'password')),
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX user_links_newest ON user_links (user_id, purpose);

CREATE TABLE recovery_codes (
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    code_sha256 bytea NOT NULL CHECK (octet_length(code_sha256) = 32),   -- keyed: a code has 50 bits
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, code_sha256)
);

-- A code sent by message as the second factor: one at a time, a few tries, a few minutes.
CREATE TABLE message_codes (
    user_id uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    code_sha256 bytea NOT NULL CHECK (octet_length(code_sha256) = 32),   -- keyed: a code has six digits
    channel text NOT NULL CHECK (channel IN ('sms', 'whatsapp')),
    tries smallint NOT NULL DEFAULT 0,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Browsers in which the user has signed in: attacks on the account from elsewhere do not lock these out.
CREATE TABLE known_devices (
    token_sha256 bytea PRIMARY KEY CHECK (octet_length(token_sha256) = 32),
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX known_devices_user ON known_devices (user_id);

-- The newest key signs; the others verify until what they signed has expired.
CREATE TABLE signing_keys (
    kid text PRIMARY KEY,
    algorithm text NOT NULL CHECK (algorithm = 'HS256'),
    key_encrypted bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Mail and SMS wait here encrypted, from the commit that wants them until they have left.
CREATE TABLE notices (
    id uuid PRIMARY KEY,
    channel text NOT NULL CHECK (channel IN ('email', 'sms')),
    sealed bytea NOT NULL,                        -- to, subject, text
    attempts smallint NOT NULL DEFAULT 0,
    not_before timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,              -- of no use later: deleted unsent
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX notices_due ON notices (not_before);

ALTER TABLE api_keys ADD COLUMN created_by uuid REFERENCES users;

-- Where from, and what changed; values are masked by the writer.
ALTER TABLE audit_log
    ADD COLUMN address text,
    ADD COLUMN before jsonb,
    ADD COLUMN after jsonb;
CREATE INDEX audit_log_object ON audit_log (object_type, object_id, created_at DESC);
CREATE INDEX audit_log_actor ON audit_log (actor, created_at DESC);

CREATE TRIGGER touch BEFORE UPDATE ON roles FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
