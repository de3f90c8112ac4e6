-- Members of before, of the segments that need no new look.
SELECT segment_id, customer_id, version, entered_on FROM gold.segment_membership WHERE segment_id IN {same:Array(UUID)}
