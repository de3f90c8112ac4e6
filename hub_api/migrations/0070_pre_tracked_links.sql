-- Short links on the hub's own domain: where they lead, and one personal code for each customer that gets one.
SET lock_timeout = '5s';

CREATE TABLE link_targets (
    id uuid PRIMARY KEY,
    campaign_id uuid,                          -- null: a link that belongs to no campaign
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    url text NOT NULL CHECK (url ~ '^https://' AND length(url) <= 2000),
    life_days int NOT NULL CHECK (life_days BETWEEN 1 AND 365),
    archived_at timestamptz,                   -- leads nowhere any more
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX link_targets_campaign ON link_targets (campaign_id);
CREATE INDEX link_targets_created_at ON link_targets (created_at);

-- A code is known by its hash: who reads this table can open nobody's link.
CREATE TABLE tracked_links (
    code_sha256 bytea PRIMARY KEY CHECK (octet_length(code_sha256) = 32),
    purpose text NOT NULL DEFAULT 'link' CHECK (purpose IN ('link', 'opt_out')),
    target_id uuid REFERENCES link_targets,
    customer_id uuid NOT NULL REFERENCES customers,
    campaign_id uuid,
    variant text,
    expires_at timestamptz NOT NULL,
    clicks int NOT NULL DEFAULT 0 CHECK (clicks >= 0),       -- by people, as far as one can tell
    previews int NOT NULL DEFAULT 0 CHECK (previews >= 0),   -- by programs: link previews, scanners
    first_clicked_at timestamptz,
    last_clicked_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((purpose = 'link') = (target_id IS NOT NULL))
);
CREATE INDEX tracked_links_customer ON tracked_links (customer_id);
CREATE INDEX tracked_links_target ON tracked_links (target_id) WHERE first_clicked_at IS NOT NULL;
CREATE INDEX tracked_links_expires ON tracked_links (expires_at);
CREATE INDEX tracked_links_created_at ON tracked_links (created_at);
