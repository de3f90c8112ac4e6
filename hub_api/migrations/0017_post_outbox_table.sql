-- What senders before 0016 read and relied on: no process of theirs runs any more.
SET lock_timeout = '5s';

DROP VIEW outbox_due;
DROP FUNCTION claim_messages(uuid[], timestamptz[], uuid[], text[], timestamptz, timestamptz);
DROP INDEX messages_queues;
DROP INDEX messages_pending_customer;
DROP INDEX messages_in_doubt;
DROP INDEX messages_moved;

-- A trigger before an update makes PostgreSQL compute the text search again, however little of the row changes: statements
-- say themselves when they wrote (a test reads them), and a forbidden step is refused after it.
DROP TRIGGER touch ON messages;
DROP TRIGGER transition ON messages;
CREATE TRIGGER transition AFTER UPDATE OF state ON messages
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state AND NOT can_move(OLD.state, NEW.state))
    EXECUTE FUNCTION check_message_transition();
