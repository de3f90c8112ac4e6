-- How far a campaign that churn risk sets off has read the days of scores. Without it only the newest day was looked at, and a
-- crossing was lost when the next scores came before a tick, or when more customers crossed than one batch takes.
SET lock_timeout = '5s';

CREATE TABLE campaign_score_marks (
    campaign_id uuid PRIMARY KEY REFERENCES campaigns ON DELETE CASCADE,
    day date NOT NULL,          -- the scored day that is being read, or the newest one that was
    after uuid                  -- of that day all customers up to this one; null: the whole day
);
