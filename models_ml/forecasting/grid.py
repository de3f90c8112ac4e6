"""Consecutive local hours as arrays: which day, hour and kind of day each is. Many series share the hours, so it is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import numpy as np

from models_ml.forecasting.calendar import day_kind

SATURDAY = 5
KINDS = 3  # working days, Saturdays, Sundays with holidays: days that share a shape
FULL_DAY = 23  # hours that a day has at least, when clocks change


@dataclass(frozen=True)
class Grid:
    """Per hour the position of its day, its hour and the cell (kind of day, hour); per day its date and if it is whole."""

    days: tuple[date, ...]
    day: Any
    hour: Any
    cell: Any
    whole: Any


def grid_of(moments: Sequence[datetime], state: str | None) -> Grid:
    """The grid of consecutive local hours of one zone, in order; the first and their number say which they are."""
    return _grid(_Hours(moments, state))


class _Hours:
    """What tells one stretch of hours from another, and the hours themselves for whoever has not seen it yet."""

    def __init__(self, moments: Sequence[datetime], state: str | None) -> None:
        self.moments, self.state = moments, state
        self._key = (moments[0], str(moments[0].tzinfo), len(moments), state) if len(moments) else (state,)

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Hours) and self._key == other._key


@lru_cache(maxsize=256)
def _grid(hours: _Hours) -> Grid:
    dates = [moment.date() for moment in hours.moments]
    days = tuple(sorted(set(dates)))
    position = {day: number for number, day in enumerate(days)}
    kind = {day: max(0, day_kind(day, hours.state) - SATURDAY + 1) for day in days}
    hour = np.array([moment.hour for moment in hours.moments], dtype=int)
    day = np.array([position[one] for one in dates], dtype=int)
    cell = np.array([kind[one] for one in dates], dtype=int) * 24 + hour
    return Grid(days, day, hour, cell, np.bincount(day, minlength=len(days)) >= FULL_DAY)
