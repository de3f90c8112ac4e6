"""Is this process alive, can it work, what has it counted: `/health`, `/ready`, `/metrics`."""

import asyncio
import os
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from redis.exceptions import RedisError

from hub_api.auth.decide import anyone
from hub_api.platform.services import Services, count_connections
from hub_api.platform.web import get_services

router = APIRouter(tags=["operations"])

PROBE_TIMEOUT_S = 2.0


@router.get("/health", dependencies=[Depends(anyone)], summary="The process runs")
async def health() -> dict[str, str]:
    """Answers while the event loop turns; says nothing about dependencies, so that none of them restarts us."""
    return {"status": "ok"}


@router.get(
    "/ready",
    dependencies=[Depends(anyone)],
    summary="The dependencies answer",
    responses={503: {"description": "PostgreSQL does not answer", "content": {"application/json": {}}}},
)
async def ready(response: Response, services: Annotated[Services, Depends(get_services)]) -> dict[str, Any]:
    """PostgreSQL must answer. Redis is a doorbell: without it work goes on, slower, so it is shown and not required."""
    checks = {
        "postgres": await _answers(services.db.fetchval("SELECT 1")),
        "redis": await _answers(services.redis.ping()),
    }
    response.status_code = 200 if checks["postgres"] == "ok" else 503
    return {"status": "ok" if response.status_code == 200 else "unavailable", "checks": checks}


async def _answers(probe: Any) -> str:
    try:
        await asyncio.wait_for(probe, PROBE_TIMEOUT_S)
    except (OSError, TimeoutError, RedisError) as error:
        return type(error).__name__
    except Exception as error:  # a driver's own error class: the name is what an operator can look up
        return type(error).__name__
    return "ok"


@router.get("/metrics", dependencies=[Depends(anyone)], summary="Prometheus metrics", response_class=Response)
async def metrics(services: Annotated[Services, Depends(get_services)]) -> Response:
    """All processes of this role when `HUB_METRICS_DIR` is set (PROMETHEUS_MULTIPROC_DIR), else this one."""
    count_connections()
    registry = REGISTRY
    if services.settings.metrics_dir:
        _forget_dead_processes(services.settings.metrics_dir)
        registry = CollectorRegistry()
        MultiProcessCollector(registry, path=str(services.settings.metrics_dir))  # type: ignore[no-untyped-call]
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def _forget_dead_processes(folder: Path) -> None:
    """A process that was killed leaves its live gauges behind, which would be added up with those of its successor."""
    for file in folder.glob("gauge_live*_*.db"):
        pid = int(file.stem.rpartition("_")[2])
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            file.unlink(missing_ok=True)
        except PermissionError:
            pass  # it lives, under another account
