-- Questions to the cases of key figures. /*cases*/ is the catalogue's SELECT with the columns that the question names: a view of
-- all of them costs the engine 3 ms more each time it stands in a statement. /*where*/, /*by*/, /*having*/, /*order*/ and the like
-- are put in from lists of our own (ask.py); what callers say is bound. One test runs each with each figure.

-- name: figure  -- -> cases, numerator, denominator of all cases of the filter; and what /*more*/ is asked
SELECT count() AS cases, sum(numerator) AS numerator, sum(denominator) AS denominator /*more*/
FROM /*cases*/ AS one WHERE /*where*/;

-- name: series  -- -> bucket (start of the hour, day, week or month), cases, numerator, denominator; in order
SELECT /*by*/ AS bucket, count() AS cases, sum(numerator) AS numerator, sum(denominator) AS denominator
FROM /*cases*/ WHERE /*where*/
GROUP BY bucket ORDER BY bucket;

-- name: breakdown  -- {limit} -> value, cases, numerator, denominator; the most cases first
SELECT /*by*/ AS value, count() AS cases, sum(numerator) AS numerator, sum(denominator) AS denominator
FROM /*cases*/ WHERE /*where*/
GROUP BY value ORDER BY cases DESC, value LIMIT {limit:UInt32};

-- name: breakdown_by_segment  -- {limit} -> value (a segment), cases, numerator, denominator of its members now; the most cases first
-- By customer first: a case counts in each segment that its customer is in, and members outnumber customers.
SELECT toString(segment_id) AS value, sum(one.cases) AS cases, sum(one.n) AS numerator, sum(one.d) AS denominator
FROM gold.segment_membership AS member
INNER JOIN
(
    SELECT customer_id, count() AS cases, sum(numerator) AS n, sum(denominator) AS d
    FROM /*cases*/ WHERE /*where*/
    GROUP BY customer_id
) AS one ON one.customer_id = member.customer_id
GROUP BY segment_id ORDER BY cases DESC, value LIMIT {limit:UInt32};

-- name: conversations  -- {limit}, {after_…} -> conversations with their share of the figure
-- Which ones the page has is found by their times and sums alone; what else is told of them is gathered for those only.
SELECT conversation_id, min(time) AS at, argMax(place, (time, place)) AS queue, argMax(agent, (time, agent)) AS agent_id,
    argMax(number, (time, number)) AS number_id, count() AS cases, sum(n) AS numerator, sum(d) AS denominator
FROM
(
    SELECT conversation_id, at AS time, queue AS place, agent_id AS agent, number_id AS number, numerator AS n, denominator AS d
    FROM /*cases*/ WHERE /*where*/ AND conversation_id IN
    (
        SELECT conversation_id FROM
        (
            SELECT conversation_id, min(time) AS at, sum(n) AS numerator
            FROM (SELECT conversation_id, at AS time, numerator AS n FROM /*cases*/ WHERE /*where*/)
            GROUP BY conversation_id
            HAVING /*having*/
        )
        WHERE /*after*/
        ORDER BY /*order*/ LIMIT {limit:UInt32}
    )
)
GROUP BY conversation_id
ORDER BY /*order*/;

-- name: conversations_once  -- as conversations, of cases of which a conversation has one at most: nothing to gather
SELECT day, conversation_id, at, queue, agent_id, number_id, toUInt64(1) AS cases, numerator, denominator
FROM /*cases*/ WHERE /*where*/ AND /*having*/ AND /*after*/
ORDER BY /*order*/ LIMIT {limit:UInt32};

-- name: total  -- -> what the conversations behind a figure come to: conversations, cases, numerator, denominator
-- One pass, with the set of conversations beside the sums: to sum by conversation first takes 1.8 times as long.
SELECT uniqExact(conversation_id) AS conversations, count() AS cases, sum(numerator) AS numerator, sum(denominator) AS denominator
FROM /*cases*/ WHERE /*where*/;

-- name: export  -- -> the cases themselves, in the order of time
SELECT day, hour, at, conversation_id, queue, agent_id, number_id, channel, state_code, region, plan, currency, numerator, denominator
FROM /*cases*/ WHERE /*where*/
ORDER BY at, conversation_id, numerator;

-- name: funnel  -- -> one column of counts a step
SELECT /*steps*/ FROM /*cases*/ WHERE /*where*/;

-- name: version  -- -> the newest batch and build of gold.built_days, and when members of segments were last found: while they stay, so do the answers
SELECT max(batch) AS batch, toUnixTimestamp64Milli(max(built_at)) AS built,
    (SELECT toUnixTimestamp64Milli(max(computed_at)) FROM gold.segment_state) AS members
FROM gold.built_days;
