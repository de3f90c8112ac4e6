"""The pool on a clock: failover, health, breakers, speed, sums."""

from hub_api.platform.queue import job
from hub_api.platform.services import Services
from hub_api.whatsapp.pool import breakers, health, move, speed, tally


@job("maintenance", timeout_s=30)
async def rebalance(services: Services) -> None:
    """Move what waits at stopped numbers, bring back what healed ones had."""
    await move.rebalance(services)


@job("maintenance", timeout_s=120)
async def check_numbers(services: Services) -> None:
    """Read the health of the numbers whose turn has come."""
    await health.check_due(services)


@job("maintenance", timeout_s=30)
async def judge_breakers(services: Services) -> None:
    """Open, try and close the circuit breakers by what became of the last sends."""
    await breakers.judge(services)


@job("maintenance", timeout_s=60)
async def judge_speed(services: Services) -> None:
    """Add up what was counted, then set how fast each number's bulk may go."""
    await tally.add_up(services)
    await speed.set_speeds(services)
