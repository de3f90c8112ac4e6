"""Trouble told to people: failed runs, failed checks, tables that are not fresh, events that do not come.

A problem is told once when it begins, again once a day while it lasts, and once when it is over, to HUB_ALERT_URL (a JSON
POST with `text`, as Slack, Teams and Mattermost take it) and to HUB_ALERT_MAIL. What could not be told stays untold in the
cursor and is tried at the next look.
"""

import asyncio
import json
import time
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
from dagster import AssetCheckSeverity, DagsterRunStatus, RunsFilter
from dagster._core.definitions.freshness import FreshnessState

from assets.warehouse import Warehouse
from hub_api.platform import mail
from hub_api.settings import Settings
from pipelines import tables

LOOK_EVERY_S = 60
AGAIN_S = 24 * 3600
TIMEOUT_S = 20
# A run that failed is told until one of the same job has succeeded, at most this long.
RUNS_SINCE = timedelta(days=2)
# Events are minutes old at most (the target is 5 s): later than this the relay, PostgreSQL or the warehouse is in trouble.
SILENT_S = 900
Problems = Mapping[str, str]  # key of the problem -> what people read


@dg.sensor(
    minimum_interval_seconds=LOOK_EVERY_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells people of failed runs, failed checks, tables that are not fresh and events that stay away.",
)
def alerts(context: dg.SensorEvaluationContext, warehouse: dg.ResourceParam[Warehouse]) -> dg.SensorResult:
    """What has begun, lasts or is over since the last look. The cursor holds what was told, and when."""
    settings = warehouse.settings
    if not settings.alert_url and not settings.alert_mail:
        return dg.SensorResult(skip_reason="nobody to tell: set HUB_ALERT_URL or HUB_ALERT_MAIL")
    told: dict[str, Any] = json.loads(context.cursor or "{}")
    now = time.time()
    there = find_problems(context.instance, warehouse)
    news = [text for key, text in there.items() if now - told.get(key, {}).get("at", 0) >= AGAIN_S]
    over = [f"Resolvido: {one['text']}" for key, one in told.items() if key not in there]
    if news or over:
        tell(settings, [*news, *over])
        context.log.info(f"told of {len(news)} problems, {len(over)} are over")
    kept = {key: {"text": text, "at": told.get(key, {}).get("at", 0)} for key, text in there.items()}
    for one in kept.values():
        if now - one["at"] >= AGAIN_S:
            one["at"] = now
    return dg.SensorResult(
        skip_reason=f"{len(there)} problems, {len(news)} told now, {len(over)} over", cursor=json.dumps(kept)
    )


def find_problems(instance: dg.DagsterInstance, warehouse: Warehouse) -> dict[str, str]:
    """Every problem there is now. Raises the errors of Dagster's storage; a warehouse that is away is a problem itself."""
    return {**_runs(instance), **_checks(instance), **_stale_tables(instance), **_silent_source(warehouse)}


def _runs(instance: dg.DagsterInstance) -> dict[str, str]:
    since = datetime.now(UTC) - RUNS_SINCE
    ended = [DagsterRunStatus.FAILURE, DagsterRunStatus.SUCCESS]
    found: dict[str, str] = {}
    seen: set[str] = set()
    for record in instance.get_run_records(RunsFilter(statuses=ended, updated_after=since), limit=200):
        run = record.dagster_run  # the newest first: of each job the last one counts
        if run.job_name in seen:
            continue
        seen.add(run.job_name)
        if run.status is DagsterRunStatus.FAILURE:
            reason = run.tags.get("hub/reason", "manual")
            found[f"run {run.job_name}"] = f"Execução falhou: {run.job_name} ({reason}), run {run.run_id[:8]}"
    return found


def _checks(instance: dg.DagsterInstance) -> dict[str, str]:
    keys = [spec.key for check in tables.checks() for spec in check.check_specs]
    keys += [spec.key for asset in tables.assets() for spec in asset.check_specs]
    found = {}
    for key, summary in instance.event_log_storage.get_asset_check_summary_records(keys).items():
        # The last that has ended: while a run goes on, the newest record is only a plan.
        record = summary.last_completed_check_execution_record
        evaluation = record.evaluation if record else None
        if evaluation is None or evaluation.passed:
            continue
        level = "Aviso" if evaluation.severity is AssetCheckSeverity.WARN else "Verificação falhou"
        table = "/".join(key.asset_key.path)
        what = f": {evaluation.description[:300]}" if evaluation.description else ""
        found[f"check {table} {key.name}"] = f"{level}: {table}, {key.name}{what}"
    return found


def _stale_tables(instance: dg.DagsterInstance) -> dict[str, str]:
    keys = [spec.key for asset in tables.assets() for spec in asset.specs if spec.freshness_policy]
    return {
        f"stale {'/'.join(key.path)}": f"Tabela desatualizada: {'/'.join(key.path)}, última situação em {record.updated_at:%d/%m %H:%M} UTC"
        for key, record in instance.get_freshness_state_records(keys).items()
        if record.freshness_state is FreshnessState.FAIL
    }


def _silent_source(warehouse: Warehouse) -> dict[str, str]:
    """Events that PostgreSQL has had for a quarter of an hour and the warehouse has not; or either of them away."""
    try:
        waiting = asyncio.run(_oldest_waiting(warehouse.settings))
    except OSError as error:
        return {"source postgresql": f"PostgreSQL não responde: {type(error).__name__}"}
    if waiting is not None and waiting > SILENT_S:
        return {"source relay": "Eventos não chegam ao armazém há mais de 15 minutos: veja `hub logs relay`"}
    return {}


async def _oldest_waiting(settings: Settings) -> float | None:
    import asyncpg

    db = await asyncpg.connect(settings.database_url.get_secret_value(), timeout=TIMEOUT_S)
    try:
        age = await db.fetchval(
            "SELECT extract(epoch FROM now() - min(e.created_at)) FROM events e, relay_cursor c "
            "WHERE c.name = 'raw.events' AND (e.xid, e.seq) > (c.xid, c.seq) AND e.seq > c.floor_seq "
            "AND e.created_at > now() - interval '7 days'"
        )
    finally:
        await db.close()
    return None if age is None else float(age)


def tell(settings: Settings, texts: list[str]) -> None:
    """Tell these to every channel. Raises OSError or MailRefused when one does not take it: all are told again then."""
    title = f"Telecom Chat: {len(texts)} aviso(s) da plataforma de dados"
    body = "\n".join([title, *(f"• {text}" for text in texts), f"{settings.public_url}/apps/dagster"])
    if settings.alert_url:
        request = urllib.request.Request(  # noqa: S310 - our own setting
            settings.alert_url.get_secret_value(),
            json.dumps({"text": body, "alerts": texts}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=TIMEOUT_S):  # noqa: S310
            pass
    for address in settings.alert_mail:
        asyncio.run(mail.send(settings, address, title, body))
