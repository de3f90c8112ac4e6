-- Templates: drafts and versions, what Meta lists of them, the limits that are counted here.

-- name: account_access  -- $1 account -> waba_id, token_encrypted
SELECT waba_id, token_encrypted FROM whatsapp_accounts WHERE id = $1;

-- name: lock_account  -- $1 account -> true: limits of an account are counted by one transaction at a time
SELECT true FROM whatsapp_accounts WHERE id = $1 FOR NO KEY UPDATE;

-- name: list_templates  -- $1 after id or null, $2 limit, $3 account or null, $4 status or null, $5 category or null, $6 part of the name or null -> templates
SELECT t.id, t.account_id, t.meta_template_id, t.name, t.language, t.category, t.next_category, t.category_changes_at,
    t.status, t.status_reason, t.quality, t.parameter_format, t.created_at, t.updated_at,
    CASE WHEN t.components <> '[]' THEN t.components ELSE coalesce(
        (SELECT v.components FROM template_versions v WHERE v.template_id = t.id ORDER BY v.number DESC LIMIT 1), '[]'
    ) END AS components, -- what Meta does not know yet is as it was written here last
    template_sending_status(t.status, t.quality) = 'APPROVED' AS sends
FROM templates t
WHERE ($1::uuid IS NULL OR t.id > $1) AND ($3::uuid IS NULL OR t.account_id = $3)
    AND ($4::text IS NULL OR t.status = $4) AND ($5::text IS NULL OR t.category = $5)
    AND ($6::text IS NULL OR position($6 IN t.name) > 0)
ORDER BY t.id
LIMIT $2;

-- name: get_template  -- $1 id -> the template with everything that is known of it
SELECT t.*, a.waba_id, template_sending_status(t.status, t.quality) = 'APPROVED' AS sends,
    coalesce((SELECT max(v.number) FROM template_versions v WHERE v.template_id = t.id), 0) AS version
FROM templates t JOIN whatsapp_accounts a ON a.id = t.account_id
WHERE t.id = $1;

-- name: find_template  -- $1 account or null, $2 name, $3 language -> id of each template of that name
SELECT id FROM templates
WHERE name = $2 AND ($3::text IS NULL OR language = $3) AND ($1::uuid IS NULL OR account_id = $1) ORDER BY id;

-- name: lock_template  -- $1 id -> the template, kept from other writers
SELECT * FROM templates WHERE id = $1 FOR UPDATE;

-- name: insert_template  -- $1 id, $2 account, $3 name, $4 language, $5 category, $6 parameter_format, $7 ttl_s -> id; no row when the account has it already
-- One that was deleted begins again as a draft under its old id, so that its history stays.
INSERT INTO templates (id, account_id, name, language, category, status, parameter_format, ttl_s)
VALUES ($1, $2, $3, $4, $5, 'DRAFT', $6, $7)
ON CONFLICT (account_id, name, language) DO UPDATE SET
    meta_template_id = NULL, category = excluded.category, status = 'DRAFT', status_reason = NULL, status_detail = '{}',
    quality = 'UNKNOWN', components = '[]', parameter_format = excluded.parameter_format, ttl_s = excluded.ttl_s,
    next_category = NULL, category_changes_at = NULL
WHERE templates.status = 'DELETED'
RETURNING id;

-- name: delete_draft  -- $1 id -> id of what Meta was never asked about
DELETE FROM templates t WHERE id = $1 AND meta_template_id IS NULL
    AND NOT EXISTS (SELECT FROM template_versions v WHERE v.template_id = t.id AND v.call IS NOT NULL)
RETURNING id;

-- name: versions  -- $1 template -> its versions, newest first
SELECT number, state, author, category, parameter_format, ttl_s, components, call, answer, created_at, submitted_at, decided_at
FROM template_versions WHERE template_id = $1 ORDER BY number DESC;

-- name: get_version  -- $1 template, $2 number or null (the newest) -> components, parameter_format
SELECT number, components, parameter_format FROM template_versions
WHERE template_id = $1 AND ($2::int IS NULL OR number = $2) ORDER BY number DESC LIMIT 1;

-- name: changes  -- $1 template, $2 limit -> what, old, new, reason, changed_at, newest first
SELECT what, old, new, reason, changed_at FROM template_changes WHERE template_id = $1 ORDER BY id DESC LIMIT $2;

-- name: replace_draft  -- $1 template: a newer draft takes the place of the one that waits
UPDATE template_versions SET state = 'replaced' WHERE template_id = $1 AND state = 'draft';

-- name: insert_version  -- $1 id, $2 template, $3 category, $4 parameter_format, $5 ttl_s, $6 components, $7 fingerprint, $8 author -> number
INSERT INTO template_versions (id, template_id, number, category, parameter_format, ttl_s, components, fingerprint, state, author)
SELECT $1, $2, 1 + coalesce(max(number), 0), $3, $4, $5, $6, $7, 'draft', $8 FROM template_versions WHERE template_id = $2
RETURNING number;

-- name: draft_version  -- $1 template -> the version that waits to be submitted
SELECT * FROM template_versions WHERE template_id = $1 AND state = 'draft';

-- name: unanswered_version  -- $1 template -> number, submitted_at of a submission whose outcome nobody knows
SELECT number, submitted_at FROM template_versions
WHERE template_id = $1 AND state = 'submitted' AND answer IS NULL ORDER BY number DESC LIMIT 1;

-- name: room  -- $1 account, $2 name -> at_meta, capacity, created (in the last hour), oldest_created, blocked_until
SELECT
    (SELECT count(*) FROM templates WHERE account_id = $1 AND meta_template_id IS NOT NULL AND status <> 'DELETED') AS at_meta,
    coalesce((SELECT capacity FROM template_syncs WHERE account_id = $1), 250) AS capacity,
    recent.created, recent.oldest_created,
    (SELECT blocked_until FROM template_name_blocks WHERE account_id = $1 AND name = $2 AND blocked_until > now()) AS blocked_until
FROM (
    SELECT count(*) AS created, min(v.submitted_at) AS oldest_created
    FROM template_versions v JOIN templates t ON t.id = v.template_id
    WHERE t.account_id = $1 AND v.call = 'create' AND v.state <> 'refused' AND v.submitted_at > now() - interval '1 hour'
) AS recent;

-- name: recent_edits  -- $1 template -> last_at, month (how many in 30 days), month_from (the oldest of them), of an approved template
SELECT max(submitted_at) AS last_at, count(*) AS month, min(submitted_at) AS month_from
FROM template_versions
WHERE template_id = $1 AND call = 'edit_approved' AND state <> 'refused' AND submitted_at > now() - interval '30 days';

-- name: mark_submitted  -- $1 version id, $2 call
UPDATE template_versions SET state = 'submitted', submitted_at = now(), call = $2, answer = NULL WHERE id = $1;

-- name: touch_template  -- $1 id: it is being changed at Meta, so that a list read before that says nothing
UPDATE templates SET updated_at = now() WHERE id = $1;

-- name: accept_submission  -- $1 version id, $2 template, $3 meta_template_id or null, $4 status, $5 category, $6 answer
WITH version AS (
    UPDATE template_versions SET answer = $6 WHERE id = $1 AND state = 'submitted'
    RETURNING template_id, number, components, parameter_format, ttl_s
), older AS (
    UPDATE template_versions v SET state = 'replaced' FROM version
    WHERE v.template_id = version.template_id AND v.number < version.number AND v.state = 'submitted'
)
UPDATE templates t SET
    meta_template_id = coalesce($3, t.meta_template_id), status = $4, status_reason = NULL, status_detail = '{}',
    category = $5, components = version.components, parameter_format = version.parameter_format, ttl_s = version.ttl_s
FROM version WHERE t.id = $2;

-- name: refuse_submission  -- $1 version id, $2 answer
UPDATE template_versions SET state = 'refused', answer = $2, decided_at = now() WHERE id = $1 AND state = 'submitted';

-- name: take_back_submission  -- $1 version id: Meta was not reached or had no time; a draft again unless another one waits
UPDATE template_versions v SET
    state = CASE WHEN EXISTS (SELECT FROM template_versions o WHERE o.template_id = v.template_id AND o.state = 'draft')
        THEN 'replaced' ELSE 'draft' END,
    submitted_at = NULL, call = NULL
WHERE v.id = $1 AND v.state = 'submitted';

-- name: mark_deleted  -- $1 id, $2 reason
UPDATE templates SET status = 'DELETED', status_reason = $2 WHERE id = $1 AND status <> 'DELETED';

-- name: block_name  -- $1 account, $2 name
INSERT INTO template_name_blocks (account_id, name, blocked_until) VALUES ($1, $2, now() + interval '30 days')
ON CONFLICT (account_id, name) DO UPDATE SET blocked_until = excluded.blocked_until;

-- name: spend_calls  -- $1 account, $2 calls, $3 part of the budget that is kept for others (0 to 1) -> calls; no row when the budget is spent
-- Meta's hour slides; this clock hour and the one before together stay within its limit, so any 60 minutes do.
WITH budget AS (
    SELECT CASE WHEN EXISTS (SELECT FROM whatsapp_numbers WHERE account_id = $1 AND state IN ('connected', 'limited'))
        THEN 5000 ELSE 200 END * (1 - $3::float8) AS most
), spent AS (
    SELECT coalesce(sum(calls), 0) AS calls FROM management_calls
    WHERE account_id = $1 AND hour >= date_trunc('hour', now()) - interval '1 hour'
)
INSERT INTO management_calls AS m (account_id, hour, calls)
SELECT $1, date_trunc('hour', now()), $2::int FROM budget, spent WHERE spent.calls + $2::int <= budget.most
ON CONFLICT (account_id, hour) DO UPDATE SET calls = m.calls + excluded.calls
RETURNING m.calls;

-- name: forget_calls  -- counts that no limit looks at any more
DELETE FROM management_calls WHERE hour < now() - interval '1 day';

-- name: due_syncs  -- $1 period interval, $2 limit -> account_id: their turn is over until the next one
-- Accounts without a row take a place in the period by their id, so that a hundred of them added at once spread out;
-- the first place is no more at once, for it would be due twice.
WITH due AS (
    SELECT a.id, s.account_id IS NULL AS fresh
    FROM whatsapp_accounts a LEFT JOIN template_syncs s ON s.account_id = a.id
    WHERE a.state <> 'disabled' AND (s.account_id IS NULL OR s.next_at <= now())
    ORDER BY s.next_at NULLS FIRST
    LIMIT $2
    FOR NO KEY UPDATE OF a SKIP LOCKED
)
INSERT INTO template_syncs (account_id, next_at)
SELECT id, now() + CASE WHEN fresh THEN $1::interval * (((hashtext(id::text) & 1023) + 1) / 1024.0)::float8 ELSE $1 END FROM due
ON CONFLICT (account_id) DO UPDATE SET next_at = excluded.next_at
RETURNING account_id;

-- name: synced  -- $1 account, $2 templates, $3 capacity, $4 period interval (when no turn was taken yet)
INSERT INTO template_syncs (account_id, next_at, synced_at, templates, capacity) VALUES ($1, now() + $4, now(), $2, $3)
ON CONFLICT (account_id) DO UPDATE SET synced_at = now(), templates = $2, capacity = $3, failure = NULL;

-- name: sync_failed  -- $1 account, $2 failure
UPDATE template_syncs SET failure = $2 WHERE account_id = $1;

-- name: now  -- -> the database's clock
SELECT clock_timestamp() AS now;

-- name: upsert_templates  -- $1 account, $2 jsonb array of objects with the columns below, $3 when the reading began
-- What was changed here since then (a webhook, a submission) is newer than what was read, and stays.
INSERT INTO templates AS t (id, account_id, meta_template_id, name, language, category, status, status_reason, quality,
                            components, parameter_format, ttl_s)
SELECT given.id, $1, given.meta_template_id, given.name, given.language, given.category, given.status,
    given.status_reason, given.quality, given.components, given.parameter_format, given.ttl_s
FROM jsonb_to_recordset($2::jsonb) AS given (
    id uuid, meta_template_id text, name text, language text, category text, status text, status_reason text,
    quality text, components jsonb, parameter_format text, ttl_s int
)
ON CONFLICT (account_id, name, language) DO UPDATE SET
    meta_template_id = excluded.meta_template_id,
    category = excluded.category,
    next_category = CASE WHEN excluded.category = t.next_category THEN NULL ELSE t.next_category END,
    category_changes_at = CASE WHEN excluded.category = t.next_category THEN NULL ELSE t.category_changes_at END,
    status = excluded.status,
    status_reason = CASE WHEN excluded.status = t.status THEN coalesce(excluded.status_reason, t.status_reason)
        ELSE excluded.status_reason END,
    quality = excluded.quality,
    components = excluded.components,
    parameter_format = excluded.parameter_format,
    ttl_s = excluded.ttl_s
WHERE t.updated_at <= $3
    AND (t.meta_template_id, t.category, t.status, t.quality, t.components, t.parameter_format, t.ttl_s)
        IS DISTINCT FROM (excluded.meta_template_id, excluded.category, excluded.status, excluded.quality,
                          excluded.components, excluded.parameter_format, excluded.ttl_s);

-- name: mark_unlisted  -- $1 account, $2 names, $3 languages of those that Meta lists, $4 when the reading began -> count by command tag
UPDATE templates SET status = 'DELETED', status_reason = 'no longer listed by Meta'
WHERE account_id = $1 AND status NOT IN ('DELETED', 'DRAFT') AND updated_at <= $4
    AND (name, language) NOT IN (SELECT * FROM unnest($2::text[], $3::text[]));

-- name: settle_unanswered  -- $1 account, $2 meta ids, $3 fingerprints of what Meta lists, $4 when the reading began
-- A submission whose answer was lost: Meta has it, or never got it and it is a draft again. A new template is there by its
-- name, whatever Meta made of its text; an edit by its content.
UPDATE template_versions v SET
    state = CASE WHEN found.there THEN 'submitted'
        WHEN EXISTS (SELECT FROM template_versions o WHERE o.template_id = v.template_id AND o.state = 'draft') THEN 'replaced'
        ELSE 'draft' END,
    answer = CASE WHEN found.there THEN '{"found": "listed by Meta"}'::jsonb END,
    submitted_at = CASE WHEN found.there THEN v.submitted_at END,
    call = CASE WHEN found.there THEN v.call END
FROM (
    SELECT v.id, listed.id IS NOT NULL AND (v.call = 'create' OR listed.fingerprint = v.fingerprint) AS there
    FROM template_versions v
    JOIN templates t ON t.id = v.template_id
    LEFT JOIN unnest($2::text[], $3::bytea[]) AS listed (id, fingerprint) ON listed.id = t.meta_template_id
    WHERE t.account_id = $1 AND v.state = 'submitted' AND v.answer IS NULL AND v.submitted_at <= $4
) AS found
WHERE v.id = found.id;

-- name: add_foreign_versions  -- $1 account, $2 meta ids, $3 fingerprints, $4 ids to give -> count by command tag
-- What Meta lists and no version of ours has was written in Meta's own tools.
INSERT INTO template_versions (id, template_id, number, category, parameter_format, ttl_s, components, fingerprint, state,
                               author, decided_at)
SELECT listed.new_id, t.id, 1 + coalesce(newest.number, 0), t.category, t.parameter_format, t.ttl_s, t.components,
    listed.fingerprint, CASE t.status WHEN 'REJECTED' THEN 'rejected' ELSE 'approved' END, 'meta', now()
FROM unnest($2::text[], $3::bytea[], $4::uuid[]) AS listed (id, fingerprint, new_id)
JOIN templates t ON t.account_id = $1 AND t.meta_template_id = listed.id AND t.status <> 'PENDING'
LEFT JOIN LATERAL (
    SELECT max(number) AS number FROM template_versions v WHERE v.template_id = t.id
) AS newest ON true
LEFT JOIN LATERAL (
    SELECT v.fingerprint FROM template_versions v
    WHERE v.template_id = t.id AND v.state IN ('submitted', 'approved', 'rejected') ORDER BY v.number DESC LIMIT 1
) AS current ON true
WHERE current.fingerprint IS DISTINCT FROM listed.fingerprint;

-- name: decide_versions  -- $1 account or null, $2 template or null: the review of what was submitted has ended
UPDATE template_versions v SET
    state = CASE t.status WHEN 'APPROVED' THEN 'approved' ELSE 'rejected' END,
    decided_at = now(),
    answer = v.answer || jsonb_strip_nulls(jsonb_build_object('status', t.status, 'reason', t.status_reason)) || t.status_detail
FROM templates t
WHERE t.id = v.template_id AND ($1::uuid IS NULL OR t.account_id = $1) AND ($2::uuid IS NULL OR t.id = $2)
    AND v.state = 'submitted' AND v.answer IS NOT NULL AND t.status IN ('APPROVED', 'REJECTED');

-- name: apply_status  -- $1 waba_id, $2 meta_template_id, $3 name, $4 language, $5 status, $6 reason, $7 category or null, $8 detail, $9 Meta's time -> id, account_id, category_changed
UPDATE templates t SET
    status = $5, status_reason = $6, status_detail = $8, category = coalesce($7, t.category),
    meta_template_id = coalesce(t.meta_template_id, $2), status_at = coalesce($9, t.status_at)
FROM whatsapp_accounts a, templates old
WHERE a.id = t.account_id AND a.waba_id = $1 AND (t.meta_template_id = $2 OR (t.name = $3 AND t.language = $4))
    AND old.id = t.id AND coalesce($9 >= t.status_at, true)
RETURNING t.id, t.account_id, t.category <> old.category AS category_changed;

-- name: apply_quality  -- $1 waba_id, $2 meta_template_id, $3 name, $4 language, $5 quality -> id, account_id
UPDATE templates t SET quality = $5
FROM whatsapp_accounts a
WHERE a.id = t.account_id AND a.waba_id = $1 AND (t.meta_template_id = $2 OR (t.name = $3 AND t.language = $4))
RETURNING t.id, t.account_id;

-- name: apply_category  -- $1 waba_id, $2 meta_template_id, $3 name, $4 language, $5 category, $6 announced or null, $7 when -> id, account_id, category_changed
-- A notice that comes after the change it announces is no news.
UPDATE templates t SET
    category = $5,
    next_category = CASE WHEN $6::text <> $5 AND $7::timestamptz > now() - interval '1 hour' THEN $6 END,
    category_changes_at = CASE WHEN $6::text <> $5 AND $7::timestamptz > now() - interval '1 hour' THEN $7 END
FROM whatsapp_accounts a, templates old
WHERE a.id = t.account_id AND a.waba_id = $1 AND (t.meta_template_id = $2 OR (t.name = $3 AND t.language = $4))
    AND old.id = t.id
    AND NOT ($6::text IS NOT NULL AND $7::timestamptz <= now() AND t.category = $6)
RETURNING t.id, t.account_id, t.category <> old.category AS category_changed;

-- name: account_of_waba  -- $1 waba_id -> id
SELECT id FROM whatsapp_accounts WHERE waba_id = $1;

-- name: relabel_queued  -- $1 account, $2 limit -> count by command tag
-- Messages that wait take the category, and with it the lane and the opt-outs, that their template has by now.
WITH stale AS (
    SELECT m.id, m.created_at, lower(t.category) AS category
    FROM outbox o
    JOIN messages m ON m.id = o.id AND m.created_at = o.created_at
    JOIN whatsapp_numbers n ON n.id = o.number_id
    JOIN templates t ON t.account_id = n.account_id AND t.name = m.payload #>> '{template,name}'
        AND t.language = m.payload #>> '{template,language,code}'
    WHERE n.account_id = $1 AND o.state = 'queued' AND o.type = 'template' AND m.state = 'queued'
        AND t.category IN ('MARKETING', 'UTILITY', 'AUTHENTICATION') AND m.category IS DISTINCT FROM lower(t.category)
    LIMIT $2
    FOR UPDATE OF m SKIP LOCKED
)
UPDATE messages m SET
    updated_at = now(),
    category = stale.category,
    priority = CASE stale.category WHEN 'marketing' THEN 3 WHEN 'utility' THEN 2 ELSE 1 END
FROM stale
WHERE m.id = stale.id AND m.created_at = stale.created_at AND m.state = 'queued';
