-- Templates from the first draft to their end: versions with what Meta said, every change of state, limits counted here.
SET lock_timeout = '5s';

-- A template without `meta_template_id` is known here only (status DRAFT). `components` are those that Meta sends with;
-- a draft of other ones waits in its version.
ALTER TABLE templates
    ADD COLUMN parameter_format text NOT NULL DEFAULT 'POSITIONAL' CHECK (parameter_format IN ('POSITIONAL', 'NAMED')),
    ADD COLUMN ttl_s int,                       -- how long a message waits for its phone; null: Meta's own time
    ADD COLUMN next_category text,              -- Meta announced that the category becomes this …
    ADD COLUMN category_changes_at timestamptz, -- … at this time
    ADD COLUMN status_at timestamptz,           -- Meta's time of the last status webhook: an older one is no news
    ADD COLUMN status_detail jsonb NOT NULL DEFAULT '{}', -- what the last status webhook added: title, recommendation, …
    ADD CONSTRAINT templates_announced CHECK (next_category IS NOT NULL OR category_changes_at IS NULL);
-- The 24 h notice and the change itself may arrive in either order, so a webhook finds its template by Meta's id alone.
CREATE INDEX templates_meta_id ON templates (meta_template_id);

CREATE TABLE template_versions (
    id uuid PRIMARY KEY,
    template_id uuid NOT NULL REFERENCES templates ON DELETE CASCADE,
    number int NOT NULL CHECK (number > 0),
    category text NOT NULL,
    parameter_format text NOT NULL CHECK (parameter_format IN ('POSITIONAL', 'NAMED')),
    ttl_s int,
    components jsonb NOT NULL,
    fingerprint bytea NOT NULL CHECK (octet_length(fingerprint) = 32), -- SHA-256 of what a person would call the same content
    -- draft: here only. submitted: Meta was asked, or is being asked. approved and rejected: its review. refused: not even
    -- reviewed. replaced: a newer version came before its review.
    state text NOT NULL CHECK (state IN ('draft', 'submitted', 'approved', 'rejected', 'refused', 'replaced')),
    author text NOT NULL,                       -- key, user or program; `meta` when it was written in Meta's own tools
    -- By which call it was submitted: creations count towards 100 an hour, edits of an approved template towards 1 in 24 h
    -- and 10 in 30 d.
    call text CHECK (call IN ('create', 'edit', 'edit_approved')),
    answer jsonb,                               -- what Meta said; null while it has not answered the submission
    created_at timestamptz NOT NULL DEFAULT now(),
    submitted_at timestamptz,
    decided_at timestamptz,
    UNIQUE (template_id, number),
    CHECK ((submitted_at IS NULL) = (call IS NULL)),
    CHECK (state <> 'draft' OR submitted_at IS NULL)
);
CREATE UNIQUE INDEX template_versions_one_draft ON template_versions (template_id) WHERE state = 'draft';
CREATE INDEX template_versions_submitted ON template_versions (template_id, submitted_at) WHERE submitted_at IS NOT NULL;

-- Every change of status, quality and category, whoever made it: a webhook, a sync, a refused send, an operator.
CREATE TABLE template_changes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    template_id uuid NOT NULL REFERENCES templates ON DELETE CASCADE,
    what text NOT NULL CHECK (what IN ('status', 'quality', 'category', 'next_category')),
    old text,
    new text,
    reason text,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX template_changes_template ON template_changes (template_id, id);

CREATE FUNCTION record_template_change() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF NEW.status IS DISTINCT FROM OLD.status THEN
        INSERT INTO template_changes (template_id, what, old, new, reason)
        VALUES (NEW.id, 'status', OLD.status, NEW.status, NEW.status_reason);
    END IF;
    IF NEW.quality IS DISTINCT FROM OLD.quality THEN
        INSERT INTO template_changes (template_id, what, old, new) VALUES (NEW.id, 'quality', OLD.quality, NEW.quality);
    END IF;
    IF NEW.category IS DISTINCT FROM OLD.category THEN
        INSERT INTO template_changes (template_id, what, old, new) VALUES (NEW.id, 'category', OLD.category, NEW.category);
    END IF;
    IF NEW.next_category IS DISTINCT FROM OLD.next_category AND NEW.next_category IS NOT NULL THEN
        INSERT INTO template_changes (template_id, what, old, new, reason)
        VALUES (NEW.id, 'next_category', NEW.category, NEW.next_category, 'announced for ' || NEW.category_changes_at);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER record_change AFTER UPDATE OF status, quality, category, next_category ON templates
    FOR EACH ROW EXECUTE FUNCTION record_template_change();

-- A name whose template was deleted: Meta refuses it for 30 days, in every language.
CREATE TABLE template_name_blocks (
    account_id uuid NOT NULL REFERENCES whatsapp_accounts,
    name text NOT NULL,
    blocked_until timestamptz NOT NULL,
    PRIMARY KEY (account_id, name)
);

-- When an account's templates were read last and are to be read next; without a row: at the next tick.
CREATE TABLE template_syncs (
    account_id uuid PRIMARY KEY REFERENCES whatsapp_accounts,
    next_at timestamptz NOT NULL,
    synced_at timestamptz,
    templates int,
    capacity int NOT NULL DEFAULT 250 CHECK (capacity > 0), -- how many templates Meta allows: 250, or 6,000 when verified
    failure text                                -- why the last sync failed; null: it did not
);
CREATE INDEX template_syncs_due ON template_syncs (next_at);

-- Calls of the management API by account and clock hour: Meta counts 5,000 an hour, or 200 without an active number.
CREATE TABLE management_calls (
    account_id uuid NOT NULL REFERENCES whatsapp_accounts,
    hour timestamptz NOT NULL,
    calls int NOT NULL CHECK (calls > 0),
    PRIMARY KEY (account_id, hour)
);

-- What the sender sees of a template's state: RED quality stops new sends although Meta still takes them, since the next
-- pause is for good.
CREATE FUNCTION template_sending_status(status text, quality text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CASE WHEN status = 'APPROVED' AND quality = 'RED' THEN 'LOW_QUALITY' ELSE status END $$;
