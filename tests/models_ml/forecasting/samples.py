"""Hours of an operator whose rhythm is known: two humps a day, quiet Sundays and holidays, a trend, days that vary."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import holidays
import numpy as np

ZONE = ZoneInfo("America/Sao_Paulo")
DAY = (4, 2, 1, 1, 1, 3, 8, 20, 44, 62, 70, 66, 52, 54, 60, 62, 60, 62, 66, 64, 54, 40, 24, 10)
WEEK = (1.35, 1.08, 1.0, 0.98, 1.02, 0.68, 0.42)
FREE = holidays.country_holidays("BR")


def hours(days: int, a_day: float, seed: int, *, varies: float = 0.05) -> tuple[list[datetime], np.ndarray]:
    """Local hours from 2026-08-20 on and their counts, about `a_day` on a Wednesday; whole days vary by `varies`."""
    rng = np.random.default_rng(seed)
    first = datetime(2026, 8, 20, 3, tzinfo=UTC)
    moments = [(first + timedelta(hours=number)).astimezone(ZONE) for number in range(24 * days)]
    level = np.repeat(rng.lognormal(0, varies, days), 24)
    mean = np.array(
        [a_day * DAY[m.hour] / sum(DAY) * WEEK[m.weekday()] * (0.45 if m.date() in FREE else 1) for m in moments]
    )
    growth = 1.01 ** (np.arange(24 * days) / 168)
    return moments, rng.poisson(mean * growth * level)
