-- A look at a list leaves one audit row that names all it showed: found by each of them.
SET lock_timeout = '5s';

CREATE INDEX audit_log_ids ON audit_log USING gin ((detail -> 'ids')) WHERE detail ? 'ids';
CREATE INDEX audit_log_action ON audit_log (action, created_at DESC);
