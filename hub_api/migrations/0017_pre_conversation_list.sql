-- The list of conversations in one state, newest first and page by page, reads this index instead of all conversations.
SET lock_timeout = '5s';

CREATE INDEX conversations_state_newest ON conversations (state, id DESC);
