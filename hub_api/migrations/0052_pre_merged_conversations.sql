-- Two conversations about one demand: one goes on, the other is closed and points to it. Its messages stay where the channel put them.
SET lock_timeout = '5s';

ALTER TABLE conversations
    ADD COLUMN merged_into uuid REFERENCES conversations,
    ADD CHECK (merged_into IS NULL OR (state = 'closed' AND merged_into <> id));
CREATE INDEX conversations_merged ON conversations (merged_into) WHERE merged_into IS NOT NULL;
