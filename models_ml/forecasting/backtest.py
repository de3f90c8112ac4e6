"""Forecasts of the past, each from what was known before it, against what came and against the last week repeated."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from models_ml.forecasting.volume import WEEK, Floats, forecast, seasonal_naive


@dataclass(frozen=True)
class Backtest:
    """Figures over all forecast hours. mase: mean absolute error of the mean against that of the last week repeated within
    the past (Hyndman and Koehler 2006), below 1 is better than it; mae and mae_naive: of the forecast and of the seasonal
    naive one on the same hours; pinball: mean of the losses at the low, middle and high quantile, pinball_naive: those of the
    seasonal naive with quantiles of its own past errors; coverage: share of hours within the interval of `level`."""

    hours: int
    level: float
    mase: float
    mae: float
    mae_naive: float
    pinball: float
    pinball_naive: float
    coverage: float
    bias: float


def backtest(
    moments: Sequence[datetime],
    counts: Sequence[float],
    *,
    horizon: int = WEEK,
    origins: int = 4,
    state: str | None = None,
    level: float = 0.8,
) -> Backtest:
    """Forecast the last `origins` stretches of `horizon` hours, each from all that was before it.

    Raises ValueError when the past before the first of them is shorter than a forecast needs.
    """
    values = np.asarray(counts, dtype=float)
    parts = list[dict[str, Any]]()
    for back in range(origins, 0, -1):
        origin = len(values) - back * horizon
        ahead, actual, past = moments[origin : origin + horizon], values[origin : origin + horizon], values[:origin]
        made = forecast(moments[:origin], past.tolist(), ahead, state=state, level=level)
        naive = seasonal_naive(past.tolist(), horizon)
        own = past[WEEK:] - past[:-WEEK]
        tails = np.quantile(own, [(1 - level) / 2, 0.5, (1 + level) / 2])
        parts.append(
            {
                "error": made.mean - actual,
                "naive": naive - actual,
                "scale": np.full(horizon, np.abs(own).mean()),
                "pinball": _pinballs(actual, (made.low, made.median, made.high), level),
                "pinball_naive": _pinballs(actual, [np.maximum(0, naive + tail) for tail in tails], level),
                "inside": (made.low <= actual) & (actual <= made.high),
            }
        )
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return Backtest(
        hours=len(joined["error"]),
        level=level,
        mase=float((np.abs(joined["error"]) / joined["scale"]).mean()),
        mae=float(np.abs(joined["error"]).mean()),
        mae_naive=float(np.abs(joined["naive"]).mean()),
        pinball=float(joined["pinball"].mean()),
        pinball_naive=float(joined["pinball_naive"].mean()),
        coverage=float(joined["inside"].mean()),
        bias=float(joined["error"].sum() / max(1.0, values[-len(joined["error"]) :].sum())),
    )


def pinball(actual: Floats, forecast_quantile: Floats, quantile: float) -> Floats:
    """The loss of a quantile forecast (Koenker and Bassett 1978): too low costs `quantile`, too high 1 - `quantile`."""
    error = actual - forecast_quantile
    return np.maximum(quantile * error, (quantile - 1) * error)


def _pinballs(actual: Floats, forecasts: Sequence[Floats], level: float) -> Floats:
    cuts = ((1 - level) / 2, 0.5, (1 + level) / 2)
    losses = np.array([pinball(actual, made, cut) for made, cut in zip(forecasts, cuts, strict=True)])
    return np.asarray(losses.mean(axis=0), dtype=float)
