-- Superseded by messages_outbox and messages_pending_customer: every index is paid for by each message.
SET lock_timeout = '5s';

DROP INDEX messages_queued;
DROP INDEX messages_queued_customer;
