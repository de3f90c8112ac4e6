-- How the survey went that found the 24 h window closed: a template for it is due or went out, or why nobody was asked.
-- And when its answers were given: of those from before, the end of the conversation is near enough.
SET lock_timeout = '5s';

ALTER TABLE conversations
    ADD COLUMN survey text CHECK (survey IN ('due', 'template', 'no_template', 'template_unusable', 'opted_out')),
    ADD COLUMN rated_at timestamptz,
    ADD COLUMN recommended_at timestamptz;
CREATE INDEX conversations_survey_due ON conversations (id) WHERE survey = 'due';
