-- Files of messages: where each came from, what became of it, to which messages it belongs. The bytes lie in the store.
SET lock_timeout = '5s';

CREATE TABLE media (
    id uuid PRIMARY KEY,
    direction text NOT NULL CHECK (direction IN ('in', 'out')), -- out: uploaded here, to be sent
    kind text NOT NULL CHECK (kind IN ('image', 'video', 'audio', 'document', 'sticker')),
    number_id uuid,                    -- in: the number that received it, whose token reads it
    meta_id text,                      -- in: Meta's id, good for 7 days
    declared_type text,                -- MIME type as the sender's side told it
    declared_sha256 bytea,             -- as the webhook told it; null: it told none
    filename text,                     -- sanitised; for people, never a path
    -- pending: not fetched yet. scanning: kept, waits for the antivirus. stored: may be served. infected: in quarantine.
    -- failed: for good, see reason. expired: Meta's id died first. erased: by retention or by a person's right.
    state text NOT NULL CHECK (state IN ('pending', 'scanning', 'stored', 'infected', 'failed', 'expired', 'erased')),
    reason text,                       -- of a failed state, or of the last failed attempt
    sha256 bytea CHECK (octet_length(sha256) = 32), -- of the content: its name in the store
    size_bytes bigint CHECK (size_bytes >= 0),
    mime_type text,                    -- what the bytes are
    scanned_at timestamptz,            -- when the antivirus found nothing
    attempts int NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    next_at timestamptz,               -- the mark of work: fetch or scan it from here on; pushed on while somebody does
    expires_at timestamptz,            -- when Meta's id dies
    author text,                       -- out: who uploaded it, `user:<id>` or `key:<id>`
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (direction = 'out' OR state = 'erased' OR meta_id IS NOT NULL OR state = 'failed'),
    CHECK (state NOT IN ('stored', 'scanning', 'infected') OR (sha256 IS NOT NULL AND size_bytes IS NOT NULL)),
    CHECK (state NOT IN ('pending', 'scanning') OR next_at IS NOT NULL)
);
CREATE INDEX media_due ON media (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX media_content ON media (sha256) WHERE sha256 IS NOT NULL;
CREATE INDEX media_age ON media (created_at) WHERE state <> 'erased';
CREATE TRIGGER touch BEFORE UPDATE ON media FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- Which files a message shows, and in whose conversation: that says who may see them. A file of ours may be in many.
CREATE TABLE message_media (
    message_id uuid NOT NULL,
    media_id uuid NOT NULL REFERENCES media ON DELETE CASCADE,
    conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
    PRIMARY KEY (message_id, media_id)
);
CREATE INDEX message_media_conversation ON message_media (conversation_id);
CREATE INDEX message_media_media ON message_media (media_id);

-- A file of ours as Meta knows it: one id a number, good for 30 days.
CREATE TABLE media_uploads (
    media_id uuid NOT NULL REFERENCES media ON DELETE CASCADE,
    number_id uuid NOT NULL,
    meta_id text NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (media_id, number_id)
);

-- Content that nothing refers to any more, written with the change that freed it; deleted from the store by a job.
CREATE TABLE media_removals (
    sha256 bytea PRIMARY KEY CHECK (octet_length(sha256) = 32),
    created_at timestamptz NOT NULL DEFAULT now()
);
