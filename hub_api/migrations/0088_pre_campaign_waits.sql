-- Why nothing of a run leaves although recipients wait: whoever watches sees it, where only a log had said so.
SET lock_timeout = '5s';

ALTER TABLE campaign_runs ADD COLUMN waits_for text;  -- per_day, smooth_start, winner, no_number, unavailable (the warehouse, while it freezes); null: nothing
