-- What set a campaign off is forgotten when its time is over, but not while it could do so again: a campaign that is paused for
-- longer, or scores that stopped, would at the next look write once more to all whose key is gone.
SET lock_timeout = '5s';

-- Whether what `key` stands for would set the campaign off now, if the key were not there: of churn risk whatever crossed in the
-- month of the campaign's mark or later, since the mark's day is read again.
CREATE FUNCTION may_set_off_again(of_campaign uuid, key text) RETURNS boolean
LANGUAGE sql STABLE
AS $$
    SELECT coalesce((
        SELECT CASE split_part(key, ':', 1)
            WHEN 'churn' THEN split_part(key, ':', 2) >= (
                SELECT to_char(m.day, 'YYYY-MM') FROM campaign_score_marks m WHERE m.campaign_id = of_campaign
            )
            WHEN 'outage' THEN EXISTS (
                SELECT FROM outages o WHERE o.external_id = substr(key, length('outage:') + 1) AND o.ended_at IS NULL
            )
            WHEN 'invoice' THEN EXISTS (
                SELECT FROM invoices i WHERE i.external_id = substr(key, length('invoice:') + 1) AND i.status = 'open'
            )
        END
        FROM campaigns c WHERE c.id = of_campaign AND c.state IN ('running', 'paused')
    ), false)
$$;

-- Whom a run was set off for, in the order of its freeze; and what retention looks for, run by run.
CREATE INDEX campaign_trigger_keys_run ON campaign_trigger_keys (run_id, customer_id);
