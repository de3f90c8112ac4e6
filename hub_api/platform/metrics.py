"""Every Prometheus metric of the hub in one place, so that names stay unique and can be read as a list.

The Portuguese names are a contract with existing dashboards; all others are English with the unit in the name.
"""

from prometheus_client import Counter, Gauge, Histogram

messages_sent = Counter(
    "whatsapp_mensagens_enviadas_total", "Outbound messages by type and outcome", ["tipo", "status"]
)
response_time = Histogram(
    "whatsapp_tempo_resposta_segundos",
    "From a customer's message to the first answer to it",
    buckets=(0.1, 0.5, 1, 2, 5, 10),
)
active_conversations = Gauge(
    "chat_conversas_ativas", "Conversations neither resolved nor closed", multiprocess_mode="mostrecent"
)
agents_online = Gauge("chat_atendentes_online", "Agents online", multiprocess_mode="mostrecent")
queue_lacking = Gauge(
    "chat_queue_lacking_skills",
    "Skills and languages that a queue, or who waits in it, asks for and none of its people has: they wait for ever",
    ["queue"],
    multiprocess_mode="mostrecent",
)
summaries_written = Counter("ai_summaries_total", "Summaries of conversations, extracted or by a model", ["by"])
messages_labelled = Counter(
    "ai_messages_labelled_total", "Messages that the teacher was asked about, by outcome", ["outcome"]
)
model_calls = Counter("ai_model_calls_total", "Calls of the language model", ["outcome"])
routing_hook_calls = Counter("chat_routing_hook_calls_total", "Calls of external routers by outcome", ["outcome"])
queue_waiting = Gauge(
    "chat_queue_waiting_conversations",
    "Conversations that wait for an agent",
    ["queue"],
    multiprocess_mode="mostrecent",
)
queue_oldest_seconds = Gauge(
    "chat_queue_oldest_wait_seconds", "How long the first in line has waited", ["queue"], multiprocess_mode="mostrecent"
)
http_requests = Counter("http_requests_total", "HTTP requests answered", ["method", "endpoint", "status"])
http_request_seconds = Histogram(
    "http_request_duration_seconds",
    "From an HTTP request's head to the head of its answer",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2.5, 10),
)
database_connections = Gauge(
    "database_connections_active", "PostgreSQL connections of the pool in use", multiprocess_mode="livesum"
)
redis_memory = Gauge("redis_memory_usage_bytes", "Memory used by Redis", multiprocess_mode="mostrecent")

webhooks_accepted = Counter("whatsapp_webhooks_accepted_total", "Webhook requests stored and answered 200")
webhooks_refused = Counter("whatsapp_webhooks_refused_total", "Webhook requests not stored", ["reason"])
webhook_commit_seconds = Histogram(
    "whatsapp_webhook_commit_seconds",
    "From the body's last byte to the commit",
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1),
)
items_handled = Counter("inbox_items_handled_total", "Inbox items handled", ["kind"])
items_dead = Counter("inbox_items_dead_total", "Inbox items put aside as dead letters", ["reason"])
inbox_backlog = Gauge("inbox_backlog_items", "Inbox items waiting", multiprocess_mode="mostrecent")
outbox_backlog = Gauge("outbox_backlog_messages", "Messages queued for sending", multiprocess_mode="mostrecent")
numbers_by_state = Gauge("whatsapp_numbers", "Numbers of the pool by state", ["state"], multiprocess_mode="mostrecent")
parked_statuses = Gauge(
    "whatsapp_parked_statuses", "Statuses whose message is not known (yet)", multiprocess_mode="mostrecent"
)
outbox_unknown = Gauge(
    "outbox_unknown_messages", "Messages whose sending has an unknown outcome", multiprocess_mode="mostrecent"
)
messages_accepted = Counter(
    "whatsapp_messages_accepted_total", "Messages that Meta accepted, by the sending number's id there", ["number"]
)
slot_wait_seconds = Histogram(
    "whatsapp_slot_wait_seconds",
    "From a claim to the slot of its number's schedule",
    ["lane"],
    buckets=(0.01, 0.05, 0.1, 0.2, 0.3, 0.5),
)
rounds_paced = Counter(
    "outbox_paced_rounds_total", "Rounds of claims that ended because every number had given what it may for now"
)
lane_backlog = Gauge(
    "outbox_lane_backlog_messages", "Messages that may go now, by lane", ["lane"], multiprocess_mode="mostrecent"
)
lane_age_seconds = Gauge(
    "outbox_lane_age_seconds",
    "How long the oldest message that may go has waited, by lane",
    ["lane"],
    multiprocess_mode="mostrecent",
)
quota_used = Gauge(
    "whatsapp_quota_used_users",
    "Users a portfolio messaged outside the 24 h window within 24 h",
    ["portfolio"],
    multiprocess_mode="mostrecent",
)
quota_limit = Gauge(
    "whatsapp_quota_limit_users",
    "Users a portfolio may message outside the 24 h window in 24 h",
    ["portfolio"],
    multiprocess_mode="mostrecent",
)
meta_refusals = Counter("whatsapp_meta_refusals_total", "Send calls that Meta refused", ["code"])

campaign_recipients = Gauge(
    "campaign_recipients",
    "Recipients of campaigns at work by state",
    ["campaign", "state"],
    multiprocess_mode="mostrecent",
)
campaign_failures = Gauge(
    "campaign_failed_recipients",
    "Recipients of campaigns at work whose message failed, by Meta's code",
    ["campaign", "code"],
    multiprocess_mode="mostrecent",
)
campaign_lag_seconds = Gauge(
    "campaign_lag_seconds",
    "How late the first recipient is whose time has come",
    ["campaign"],
    multiprocess_mode="mostrecent",
)
campaign_opt_outs = Gauge(
    "campaign_opted_out_recipients",
    "Recipients of campaigns at work who opted out within 7 days of their message",
    ["campaign"],
    multiprocess_mode="mostrecent",
)
opt_out_violations = Gauge(
    "campaign_opt_out_violations",
    "Messages of the last days that were claimed after an opt-out of theirs was committed: always 0",
    multiprocess_mode="mostrecent",
)
goals_recorded = Counter("campaign_goals_recorded_total", "Goals recorded", ["kind", "source"])
link_visits = Counter("campaign_link_visits_total", "Short links opened, by person, program or nowhere", ["by"])

media_files = Counter("media_files_total", "Files of messages by the state an attempt gave them", ["state"])

sockets_open = Gauge("websocket_connections", "Open WebSockets of people and programs", multiprocess_mode="livesum")
sockets_too_slow = Counter("websocket_too_slow_total", "WebSockets closed because their client did not keep up")

rings_lost = Counter("queue_rings_lost_total", "Rings that Redis did not take; the sweep makes them good")
jobs_total = Counter("queue_jobs_total", "Jobs run", ["job", "outcome"])
job_duration_seconds = Histogram(
    "queue_job_duration_seconds", "Run time of jobs", ["job"], buckets=(0.01, 0.05, 0.25, 1, 5, 30)
)

events_relayed = Counter("relay_events_total", "Events written to the warehouse")
relay_lag_seconds = Gauge(
    "relay_lag_seconds", "Age of the oldest event not yet in the warehouse", multiprocess_mode="mostrecent"
)
relay_horizon_seconds = Gauge(
    "relay_horizon_age_seconds",
    "Age of the oldest transaction that holds the relay back",
    multiprocess_mode="mostrecent",
)
default_partition_rows = Gauge(
    "database_default_partition_rows",
    "Rows in DEFAULT partitions that are no sentinel",
    ["table"],
    multiprocess_mode="mostrecent",
)
audit_faults = Gauge(
    "audit_faults",
    "What the newest verification of the audit log found wrong: always 0",
    multiprocess_mode="mostrecent",
)
audit_unsealed = Gauge(
    "audit_unsealed_rows", "Rows of the audit log that wait for the sealer", multiprocess_mode="mostrecent"
)
