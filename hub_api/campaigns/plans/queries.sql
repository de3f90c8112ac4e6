-- Campaigns as they are planned: make, change, show, step from state to state.

-- name: insert_campaign  -- $1 id, $2 name, $3 description, $4 team, $5 kind, $6 lane, $7 audience, $8 schedule, $9 pacing, $10 experiment, $11 steps, $12 goal, $13 window_days, $14 budget_micros, $15 budget_currency, $16 actor
INSERT INTO campaigns (id, name, description, team_id, kind, lane, audience, schedule, pacing, experiment, steps, goal, window_days,
    budget_micros, budget_currency, created_by, edited_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $16);

-- name: change_campaign  -- as insert_campaign; back to draft, and approved by nobody
UPDATE campaigns SET name = $2, description = $3, team_id = $4, kind = $5, lane = $6, audience = $7, schedule = $8, pacing = $9,
    experiment = $10, steps = $11, goal = $12, window_days = $13, budget_micros = $14, budget_currency = $15, edited_by = $16,
    state = 'draft', submitted_by = NULL, approved_by = NULL, approved_at = NULL, block_reason = NULL, next_at = NULL,
    version = version + 1
WHERE id = $1;

-- name: drop_variants  -- $1 campaign
DELETE FROM campaign_variants WHERE campaign_id = $1;

-- name: insert_variants  -- $1 campaign, $2 names, $3 templates, $4 languages, $5 variables, $6 shares
INSERT INTO campaign_variants (campaign_id, name, position, template_name, template_language, variables, share)
SELECT $1, v.name, v.position, v.template, v.language, v.variables, v.share
FROM unnest($2::text[], $3::text[], $4::text[], $5::jsonb[], $6::float8[]) WITH ORDINALITY AS v (name, template, language, variables, share, position);

-- name: find_campaign  -- $1 id -> it with its variants
SELECT c.*, (
    SELECT jsonb_agg(jsonb_build_object('name', v.name, 'template_name', v.template_name, 'template_language', v.template_language,
        'variables', v.variables, 'share', v.share) ORDER BY v.position)
    FROM campaign_variants v WHERE v.campaign_id = c.id
) AS variants
FROM campaigns c WHERE c.id = $1;

-- name: lock_campaign  -- $1 id -> it without its variants; locked
SELECT * FROM campaigns WHERE id = $1 FOR NO KEY UPDATE;

-- name: list_campaigns  -- $1 teams, $2 caller, $3 state or null, $4 id of the last row before or null, $5 limit, $6 pattern of the name or null -> newest first, with their variants
SELECT c.*, (
    SELECT jsonb_agg(jsonb_build_object('name', v.name, 'template_name', v.template_name, 'template_language', v.template_language,
        'variables', v.variables, 'share', v.share) ORDER BY v.position)
    FROM campaign_variants v WHERE v.campaign_id = c.id
) AS variants
FROM campaigns c
WHERE ($1::uuid[] IS NULL OR c.team_id IS NULL OR c.team_id = ANY ($1) OR c.created_by = 'user:' || $2::text)
    AND ($3::text IS NULL OR c.state = $3) AND ($4::uuid IS NULL OR c.id < $4) AND ($6::text IS NULL OR c.name ILIKE $6)
ORDER BY c.id DESC LIMIT $5;

-- name: standing  -- $1 ids -> id, who made and approved it by name, and how far all its runs have come
SELECT c.id, maker.name AS created_by_name, approver.name AS approved_by_name, r.runs, r.members, r.eligible, r.turns
FROM campaigns c
LEFT JOIN users maker ON c.created_by = 'user:' || maker.id
LEFT JOIN users approver ON c.approved_by = 'user:' || approver.id
CROSS JOIN LATERAL (
    SELECT count(*)::int AS runs, coalesce(sum(run.members), 0)::int AS members, coalesce(sum(run.turns), 0)::int AS turns,
        coalesce(sum(run.members - coalesce((SELECT sum(n::int) FROM jsonb_each_text(run.excluded) AS e (reason, n)), 0)), 0)::int AS eligible
    FROM campaign_runs run WHERE run.campaign_id = c.id
) AS r
WHERE c.id = ANY ($1::uuid[]);

-- name: step  -- $1 id, $2 state, $3 block_reason, $4 next_at (null: as it is) -> version
UPDATE campaigns SET state = $2, block_reason = $3, next_at = coalesce($4, next_at), version = version + 1,
    started_at = CASE WHEN $2 = 'running' THEN coalesce(started_at, now()) ELSE started_at END,
    finished_at = CASE WHEN $2 IN ('completed', 'cancelled', 'failed') THEN now() END
WHERE id = $1 RETURNING version;

-- name: submit  -- $1 id, $2 actor
UPDATE campaigns SET submitted_by = $2 WHERE id = $1;

-- name: approve  -- $1 id, $2 actor
UPDATE campaigns SET approved_by = $2, approved_at = now() WHERE id = $1;

-- name: forget_approval  -- $1 id
UPDATE campaigns SET approved_by = NULL, approved_at = NULL, submitted_by = NULL WHERE id = $1;

-- name: team_exists  -- $1 team, $2 the caller's teams (null: all)
SELECT true FROM teams WHERE id = $1 AND ($2::uuid[] IS NULL OR id = ANY ($2));

-- name: list_runs  -- $1 campaign, $2 limit -> newest first
SELECT id, campaign_id, occurrence, state, as_of, asset_version, read_so_far, members, encode(members_sha256, 'hex') AS members_sha256,
    excluded, turns, promoted, failure, waits_for, created_at, frozen_at, started_at, finished_at
FROM campaign_runs WHERE campaign_id = $1 ORDER BY id DESC LIMIT $2;

-- name: count_recipients  -- $1 campaign, $2 runs -> run_id, state, excluded_for, recipients
SELECT run_id, state, excluded_for, count(*)::int AS recipients FROM campaign_recipients
WHERE campaign_id = $1 AND run_id = ANY ($2::uuid[]) GROUP BY run_id, state, excluded_for;

-- name: list_decisions  -- $1 campaign -> newest first
SELECT id, run_id, rule, outcome, evidence, decided_by, decided_at FROM campaign_decisions
WHERE campaign_id = $1 ORDER BY decided_at DESC, id DESC LIMIT 200;

-- name: add_decision  -- $1 id, $2 campaign, $3 run, $4 rule, $5 outcome, $6 evidence, $7 actor
INSERT INTO campaign_decisions (id, campaign_id, run_id, rule, outcome, evidence, decided_by) VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: stopped_run  -- $1 campaign, $2 rule -> the run that the rule stopped last
SELECT run_id FROM campaign_decisions WHERE campaign_id = $1 AND rule = $2 AND outcome = 'stop' ORDER BY decided_at DESC, id DESC LIMIT 1;

-- name: set_budget  -- $1 id, $2 millionths (null: no limit) -> the new version
UPDATE campaigns SET budget_micros = $2, version = version + 1 WHERE id = $1 RETURNING version;

-- name: calendar_plans  -- $1 teams, $2 caller -> campaigns that are still to begin or under way, which the caller sees, newest first
SELECT id, name, kind, lane, state, schedule, next_at, started_at, created_at FROM campaigns
WHERE state IN ('draft', 'in_review', 'approved', 'scheduled', 'running', 'paused')
    AND ($1::uuid[] IS NULL OR team_id IS NULL OR team_id = ANY ($1) OR created_by = 'user:' || $2::text)
ORDER BY id DESC LIMIT 1000;

-- name: calendar_runs  -- $1 teams, $2 caller, $3 since, $4 until -> occurrences under way at any time between, oldest first
SELECT c.id, c.name, c.kind, c.lane, c.state, r.occurrence, r.state AS run_state, r.members, coalesce(r.started_at, r.created_at) AS begins_at,
    r.finished_at AS ends_at
FROM campaign_runs r JOIN campaigns c ON c.id = r.campaign_id
WHERE coalesce(r.started_at, r.created_at) < $4 AND coalesce(r.finished_at, 'infinity') >= $3
    AND ($1::uuid[] IS NULL OR c.team_id IS NULL OR c.team_id = ANY ($1) OR c.created_by = 'user:' || $2::text)
ORDER BY begins_at, r.id LIMIT 2000;
