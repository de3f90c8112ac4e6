-- How long a customer has been waiting, and over how many answers a conversation's average runs.
SET lock_timeout = '5s';

ALTER TABLE conversations
    ADD COLUMN unanswered_since timestamptz,              -- the oldest message of the customer without an answer yet
    ADD COLUMN response_count int NOT NULL DEFAULT 0;     -- answers that avg_response_time averages
