-- From its sixth run in a session on, a function's statements are planned once for all arguments. For claim_messages, whose
-- arrays may hold one message or three hundred, that plan looked at every claimed message for each one that it claims:
-- 130 claims took 60 to 100 ms instead of 14 to 26, measured with 100 numbers, and the pool used half of its throughput.
-- A later redefinition has to say so again.
SET lock_timeout = '5s';
ALTER FUNCTION claim_messages(uuid[], timestamptz[], uuid[], text[], timestamptz, timestamptz)
    SET plan_cache_mode = 'force_custom_plan';
