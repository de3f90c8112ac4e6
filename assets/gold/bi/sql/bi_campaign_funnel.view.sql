-- How far the messages of campaigns came, a row for each step
CREATE OR REPLACE VIEW gold.bi_campaign_funnel /*ON CLUSTER*/
(
    day Date COMMENT 'Business day (HUB_TIMEZONE) on which the step happened',
    campaign String COMMENT 'Key of its experiment, else the first eight signs of its id',
    variant LowCardinality(String) COMMENT 'Variant of its test; empty without one',
    step String COMMENT '1 sent to 4 converted: how far; a reply is no step, since a goal needs none',
    messages UInt64 COMMENT 'Messages that came so far, count'
)
AS
SELECT day, campaign, variant, steps.1 AS step, sum(steps.2) AS messages
FROM (
    SELECT day, campaign, variant, arrayJoin([
        ('1 Enviadas', sent), ('2 Entregues', delivered), ('3 Lidas', read), ('4 Convertidas', converted)]) AS steps
    FROM gold.bi_campaign_daily
)
GROUP BY day, campaign, variant, step
COMMENT 'How far the messages of campaigns came, a row for each step';
