-- What a person had corrected (LGPD art. 18, III) is not overwritten by the channel's next payload.
SET lock_timeout = '5s';

ALTER TABLE customers ADD COLUMN corrected text[] NOT NULL DEFAULT '{}' CHECK (corrected <@ ARRAY['name', 'state_code']);
COMMENT ON COLUMN customers.corrected IS 'columns that the channel tells and that were corrected by hand: its payloads leave them alone';
