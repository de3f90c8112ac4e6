-- Signing in by an outside OpenID Connect provider.
SET lock_timeout = '5s';

-- Who a user is for the provider. The subject never changes and is never given to somebody else, as an e-mail address
-- may be (OpenID Connect Core §5.7): an address is looked at once, when the two are linked.
CREATE TABLE user_identities (
    issuer text NOT NULL CHECK (issuer <> ''),
    subject text NOT NULL CHECK (subject <> '' AND length(subject) <= 255),
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    linked_by text NOT NULL CHECK (linked_by IN ('email', 'created')),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (issuer, subject)
);
CREATE UNIQUE INDEX user_identities_user ON user_identities (user_id, issuer);
