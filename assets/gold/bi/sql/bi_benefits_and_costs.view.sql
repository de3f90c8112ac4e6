-- Benefits and costs that people entered, as the return on investment counts them
CREATE OR REPLACE VIEW gold.bi_benefits_and_costs /*ON CLUSTER*/
(
    name String COMMENT 'What it is, in the words of who entered it',
    kind LowCardinality(String) COMMENT 'benefit or cost',
    every LowCardinality(String) COMMENT 'month or once',
    amount Float64 COMMENT 'Amount of a month, or of the one time, BRL',
    valid_from Date32 COMMENT 'First day',
    valid_to Nullable(Date32) COMMENT 'Last day; NULL while it goes on, and for once',
    source String COMMENT 'Who says so, where it is written',
    is_example Bool COMMENT 'Of the demo: nobody measured it'
)
AS
SELECT name, kind, every, amount_micros / 1000000 AS amount, valid_from, valid_to, source, is_example
FROM silver.benefits_and_costs
COMMENT 'Benefits and costs that people entered, as the return on investment counts them';
