-- The texts that people consent to, by version: a proof names the version, and the version's words never change (LGPD art. 8 § 2).
SET lock_timeout = '5s';

CREATE TABLE consent_texts (
    version text PRIMARY KEY CHECK (version ~ '^[a-z0-9][a-z0-9.-]{0,59}$'),
    scope text NOT NULL CHECK (scope IN ('marketing', 'utility', 'all')),
    text text NOT NULL CHECK (length(text) BETWEEN 10 AND 5000),
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
    author text NOT NULL,              -- actor, as the audit log names it
    retired_at timestamptz,            -- no new consent is taken under it
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (sha256 = sha256(convert_to(text, 'UTF8')))
);

CREATE FUNCTION consent_texts_stay() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'the words of consent text % never change: make a new version', old.version;
END
$$;
CREATE TRIGGER consent_texts_stay BEFORE UPDATE OF version, scope, text, sha256 OR DELETE ON consent_texts
FOR EACH ROW EXECUTE FUNCTION consent_texts_stay();
