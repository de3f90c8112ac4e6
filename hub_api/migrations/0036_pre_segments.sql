-- Segments: what is asked of customers, each change a version, and frozen lists for sending.
SET lock_timeout = '5s';

CREATE TABLE segments (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    description text NOT NULL DEFAULT '',
    version int NOT NULL DEFAULT 1 CHECK (version > 0),   -- the newest one of segment_versions
    archived_at timestamptz,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX segments_name ON segments (lower(name)) WHERE archived_at IS NULL;
CREATE INDEX segments_created_at ON segments (created_at);
CREATE TRIGGER touch BEFORE UPDATE ON segments FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- A version never changes.
CREATE TABLE segment_versions (
    segment_id uuid NOT NULL REFERENCES segments,
    version int NOT NULL CHECK (version > 0),
    definition jsonb NOT NULL,             -- the tree as it was asked (models_ml/segmentation/parse.py)
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (segment_id, version)
);

-- Who was in a segment at one moment, for sending: frozen once all members are stored, and never changed by us again but
-- for a merge or an erasure.
CREATE TABLE segment_snapshots (
    id uuid PRIMARY KEY,
    segment_id uuid NOT NULL,
    version int NOT NULL,
    definition jsonb NOT NULL,             -- with the trees of nested segments in place
    state text NOT NULL DEFAULT 'freezing' CHECK (state IN ('freezing', 'frozen', 'failed')),
    as_of date NOT NULL,                   -- day of gold.customer_features it was read from
    asset_version text NOT NULL,           -- which build of that day
    members int CHECK (members >= 0),
    members_sha256 bytea,                  -- of the members' ids (16 bytes each) in their order
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    frozen_at timestamptz,
    FOREIGN KEY (segment_id, version) REFERENCES segment_versions,
    CHECK ((state = 'frozen') = (frozen_at IS NOT NULL AND members IS NOT NULL AND members_sha256 IS NOT NULL))
);
CREATE INDEX segment_snapshots_segment ON segment_snapshots (segment_id, created_at DESC);
CREATE INDEX segment_snapshots_created_at ON segment_snapshots (created_at);

CREATE TABLE segment_snapshot_members (
    snapshot_id uuid NOT NULL REFERENCES segment_snapshots ON DELETE CASCADE,
    customer_id uuid NOT NULL,             -- no reference: a million rows are written in one go, each found in customers then
    PRIMARY KEY (snapshot_id, customer_id)
);
CREATE INDEX segment_snapshot_members_customer ON segment_snapshot_members (customer_id);
