-- Column lists of each event type are the classes of hub_api/events.py; a column that a type does not have is NULL or ''.
CREATE TABLE IF NOT EXISTS bronze.events /*ON CLUSTER*/
(
    day Date COMMENT 'Business day (HUB_TIMEZONE) of event_time',
    event_time DateTime64(6, 'UTC') COMMENT 'When it happened, UTC: occurred_at, or the time of recording where the payload''s was absurd',
    id UUID COMMENT 'Event id; each once',
    type LowCardinality(String) COMMENT 'Name of the event',
    aggregate_type LowCardinality(String) COMMENT 'customer, conversation, message, label, business, experiment, assignment or goal',
    aggregate_id UUID COMMENT 'Id of what it happened to',
    aggregate_version Int64 COMMENT 'Version of the aggregate after the change; state is folded by it',
    conversation_id UUID COMMENT 'Conversation it belongs to; zero when to none',
    customer_id Nullable(UUID) COMMENT 'Customer concerned',
    number_id Nullable(UUID) COMMENT 'Our WhatsApp number',
    occurred_at DateTime64(6, 'UTC') COMMENT 'Payload time as recorded, sentinels included, UTC',
    recorded_at DateTime64(6, 'UTC') COMMENT 'When PostgreSQL recorded it, UTC',
    from_state LowCardinality(String) COMMENT 'State before a change of state',
    to_state LowCardinality(String) COMMENT 'State after a change of state, or at the opening of a conversation',
    reason LowCardinality(String) COMMENT 'Why a conversation or an identity changed',
    queue LowCardinality(String) COMMENT 'Key of the queue that the change names; empty when it names none',
    agent_id Nullable(UUID) COMMENT 'Agent of the conversation after the change',
    protocol String COMMENT 'Protocol number of an opened conversation',
    channel LowCardinality(String) COMMENT 'Channel of an opened conversation',
    priority Nullable(UInt8) COMMENT 'Priority of an opened conversation, 1 low to 5 critical',
    previous_id Nullable(UUID) COMMENT 'Earlier conversation that this one continues',
    satisfaction Nullable(UInt8) COMMENT 'Rating by the customer, 1 to 5',
    score Nullable(UInt8) COMMENT 'How much the customer would recommend us, 0 to 10',
    message_type LowCardinality(String) COMMENT 'text, image, interactive, template and so on',
    content Nullable(String) COMMENT 'Words of the message; personal data',
    author LowCardinality(String) COMMENT 'Who wrote an outbound message: bot, agent, campaign, system',
    author_id Nullable(UUID) COMMENT 'The agent who wrote it',
    category LowCardinality(String) COMMENT 'Category of an outbound message: service, utility, marketing, authentication',
    template LowCardinality(String) COMMENT 'Template of an outbound message',
    stale Bool COMMENT 'The inbound message came too late to be answered by the bot',
    received_at Nullable(DateTime64(6, 'UTC')) COMMENT 'When an inbound message reached us, UTC',
    error_code Nullable(Int32) COMMENT 'Error of the channel with a failed message',
    pricing_category LowCardinality(String) COMMENT 'Category that the channel bills',
    pricing_type LowCardinality(String) COMMENT 'regular, free_customer_service or free_entry_point',
    cost_micros Nullable(Int64) COMMENT 'Price of the message as its pricing and the rate card make it, millionths of cost_currency; 0: free; NULL: not told',
    cost_currency LowCardinality(String) COMMENT 'ISO 4217 code of cost_micros',
    emoji Nullable(String) COMMENT 'Reaction set; NULL when it was removed',
    scope LowCardinality(String) COMMENT 'Consent: marketing, utility or all',
    granted Nullable(Bool) COMMENT 'Consent: given or taken back',
    source LowCardinality(String) COMMENT 'Where a customer or a consent came from',
    state_code LowCardinality(String) COMMENT 'Federative unit (UF) of a new customer',
    kind LowCardinality(String) COMMENT 'Kind of identity, of business record, or of goal',
    external_id String COMMENT 'The operator''s own id of a business record or a goal',
    status LowCardinality(String) COMMENT 'Status of a business record',
    plan LowCardinality(String) COMMENT 'Contract: external id of its plan',
    merged_into Nullable(UUID) COMMENT 'Customer under which a merged one lives on',
    campaign_id Nullable(UUID) COMMENT 'Campaign of an outbound message, an assignment or a plan',
    experiment_id Nullable(UUID) COMMENT 'Experiment of an assignment or a plan',
    experiment LowCardinality(String) COMMENT 'Key of that experiment',
    variant LowCardinality(String) COMMENT 'Variant of an assignment, or of an outbound message of a campaign',
    value_micros Nullable(Int64) COMMENT 'Value of a goal, millionths of value_currency',
    value_currency LowCardinality(String) COMMENT 'ISO 4217 code of value_micros',
    experiment_plan String COMMENT 'The plan of an experiment as JSON; empty for other events',
    clicked_message_id Nullable(UUID) COMMENT 'Campaign message whose short link a person opened',
    label String COMMENT 'What a teacher said of a message as JSON; empty for other events'
)
ENGINE = /*Replicated*/MergeTree
PARTITION BY day
ORDER BY (conversation_id, aggregate_id, aggregate_version, id)
COMMENT 'Events with their fields as typed columns, each event once, by business day';

-- Warehouses older than the columns get them; days built before say nothing of costs until they are built again.
ALTER TABLE bronze.events /*ON CLUSTER*/
    ADD COLUMN IF NOT EXISTS cost_micros Nullable(Int64) COMMENT 'Price of the message as its pricing and the rate card make it, millionths of cost_currency; 0: free; NULL: not told' AFTER pricing_type,
    ADD COLUMN IF NOT EXISTS cost_currency LowCardinality(String) COMMENT 'ISO 4217 code of cost_micros' AFTER cost_micros,
    ADD COLUMN IF NOT EXISTS plan LowCardinality(String) COMMENT 'Contract: external id of its plan' AFTER status;

-- The same of campaigns, experiments and goals.
ALTER TABLE bronze.events /*ON CLUSTER*/
    ADD COLUMN IF NOT EXISTS campaign_id Nullable(UUID) COMMENT 'Campaign of an outbound message, an assignment or a plan',
    ADD COLUMN IF NOT EXISTS experiment_id Nullable(UUID) COMMENT 'Experiment of an assignment or a plan',
    ADD COLUMN IF NOT EXISTS experiment LowCardinality(String) COMMENT 'Key of that experiment',
    ADD COLUMN IF NOT EXISTS variant LowCardinality(String) COMMENT 'Variant of an assignment, or of an outbound message of a campaign',
    ADD COLUMN IF NOT EXISTS value_micros Nullable(Int64) COMMENT 'Value of a goal, millionths of value_currency',
    ADD COLUMN IF NOT EXISTS value_currency LowCardinality(String) COMMENT 'ISO 4217 code of value_micros',
    ADD COLUMN IF NOT EXISTS experiment_plan String COMMENT 'The plan of an experiment as JSON; empty for other events';

-- The same of clicks.
ALTER TABLE bronze.events /*ON CLUSTER*/
    ADD COLUMN IF NOT EXISTS clicked_message_id Nullable(UUID) COMMENT 'Campaign message whose short link a person opened';

-- The same of recommendations.
ALTER TABLE bronze.events /*ON CLUSTER*/
    ADD COLUMN IF NOT EXISTS score Nullable(UInt8) COMMENT 'How much the customer would recommend us, 0 to 10' AFTER satisfaction;

-- The same of teachers' labels.
ALTER TABLE bronze.events /*ON CLUSTER*/
    ADD COLUMN IF NOT EXISTS label String COMMENT 'What a teacher said of a message as JSON; empty for other events';
