-- The hub as OpenID Connect provider: who may ask it for people, and what it has given them.
SET lock_timeout = '5s';

-- An app of the organisation's that lets people sign in by the hub. Registered by an administrator, who has thereby
-- consented for everybody: nobody is asked again.
CREATE TABLE openid_clients (
    id text PRIMARY KEY CHECK (id ~ '^[a-z][a-z0-9-]{1,39}$'),        -- the client_id
    name text NOT NULL CHECK (name <> ''),
    credential_sha256 bytea CHECK (octet_length(credential_sha256) = 32),     -- null: a public client, which has PKCE alone
    redirect_uris text[] NOT NULL CHECK (cardinality(redirect_uris) BETWEEN 1 AND 10),  -- compared sign by sign
    logout_uris text[] NOT NULL DEFAULT '{}' CHECK (cardinality(logout_uris) <= 10),    -- where to go after a sign-out
    permission text NOT NULL CHECK (permission <> ''),                -- what a user must be allowed to get in
    version bigint NOT NULL DEFAULT 1,                                -- raised by every change: the ETag of edits
    created_by uuid REFERENCES users,                                 -- null: made by an API key or at the command line
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER touch BEFORE UPDATE ON openid_clients FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- One sign-in of a person at a client, begun by a code that is used once. It ends with the session of the hub.
CREATE TABLE openid_grants (
    id uuid PRIMARY KEY,
    client_id text NOT NULL REFERENCES openid_clients ON DELETE CASCADE,
    session_id uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
    code_sha256 bytea NOT NULL UNIQUE CHECK (octet_length(code_sha256) = 32),
    code_challenge text NOT NULL CHECK (code_challenge ~ '^[A-Za-z0-9_-]{43}$'),        -- PKCE, S256
    redirect_uri text NOT NULL,
    scope text NOT NULL,
    nonce text,
    code_expires_at timestamptz NOT NULL,
    code_used_at timestamptz,
    revoked_at timestamptz,
    revoked_reason text,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((revoked_at IS NULL) = (revoked_reason IS NULL))
);
CREATE INDEX openid_grants_session ON openid_grants (session_id);
CREATE INDEX openid_grants_client ON openid_grants (client_id);
CREATE INDEX openid_grants_created ON openid_grants (created_at);

-- What a client holds: access tokens, which open userinfo and nothing of the API, and refresh tokens, used once each.
CREATE TABLE openid_tokens (
    token_sha256 bytea PRIMARY KEY CHECK (octet_length(token_sha256) = 32),
    grant_id uuid NOT NULL REFERENCES openid_grants ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('access', 'refresh')),
    expires_at timestamptz NOT NULL,
    used_at timestamptz CHECK (used_at IS NULL OR kind = 'refresh'),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX openid_tokens_grant ON openid_tokens (grant_id);
CREATE INDEX openid_tokens_expired ON openid_tokens (expires_at);

-- RSA keys that sign ID tokens. A successor is published before it signs, so that no client meets a key it cannot find.
CREATE TABLE openid_keys (
    kid text PRIMARY KEY,
    key_encrypted bytea NOT NULL,                 -- PKCS #8
    signs_from timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
