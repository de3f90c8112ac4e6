-- How much a customer would recommend us after a conversation, asked after the grade where HUB_SURVEY_NPS says so.
SET lock_timeout = '5s';

ALTER TABLE conversations ADD COLUMN nps smallint CHECK (nps BETWEEN 0 AND 10);
