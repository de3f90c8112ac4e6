-- How far our messages of campaigns and notices came, by day, for dashboards
CREATE OR REPLACE VIEW gold.bi_outbound_daily /*ON CLUSTER*/
(
    day Date COMMENT 'Business day (HUB_TIMEZONE)',
    queue LowCardinality(String) COMMENT 'Queue; empty for the bot',
    stage String COMMENT '1 queued to 5 replied: how far',
    messages UInt64 COMMENT 'Messages that came so far, count'
)
AS
SELECT day, queue, stages.1 AS stage, sum(stages.2) AS messages
FROM (
    SELECT day, queue, arrayJoin([
        ('1 Criadas', toUInt64(queued)), ('2 Aceitas', toUInt64(accepted)), ('3 Entregues', toUInt64(delivered)),
        ('4 Lidas', toUInt64(read)), ('5 Respondidas', toUInt64(replied))]) AS stages
    FROM gold.funnel_outbound
)
GROUP BY day, queue, stage
COMMENT 'How far our messages of campaigns and notices came, by day, for dashboards';
