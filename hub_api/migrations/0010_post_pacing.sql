-- What senders before 0009 read: no process of theirs runs any more.
SET lock_timeout = '5s';

DROP FUNCTION claim_messages(uuid[], timestamptz[], uuid[], timestamptz, timestamptz);
DROP INDEX messages_outbox;
