"""What is planted in a simulated history: causes in how customers behave, for later analyses to find.

Nothing here writes a result. The manifest beside the history says what was planted and how strong it is, so that an
analysis can be judged against it.
"""

import json
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Annotated, Any, get_type_hints


@dataclass(frozen=True, slots=True)
class Effects:
    """The planted causes of one history; drawn from the seed, so that nobody can know them by heart."""

    outage_region: Annotated[str, "network region of the outage OUT-PLANTED"]
    outage_at: Annotated[datetime, "when it began, UTC"]
    outage_hours: Annotated[float, "how long it lasted, hours"]
    outage_factor: Annotated[float, "times the usual rate of 'no signal' contacts of the region's customers meanwhile"]
    raised_plan: Annotated[str, "external id of the plan that became dearer"]
    raised_on: Annotated[date, "since when; invoices of that month carry the new price"]
    raise_share: Annotated[float, "price increase as a share, 0.12 is 12 %"]
    dispute_factor: Annotated[float, "times the usual rate of disputed bills of that plan's customers, for three weeks"]
    wait_penalty: Annotated[
        float,
        "points of satisfaction (1 to 5) that ten minutes of waiting for a person cost a customer of usual patience",
    ]
    churn_factor: Annotated[float, "times the daily hazard of cancelling of who had two technical contacts in 30 days"]
    monday_factor: Annotated[float, "volume of a Monday against a Wednesday"]
    weekly_growth: Annotated[float, "growth of volume per week as a share"]
    campaign_on: Annotated[date, "first day of the campaign with the experiment 'pacote-extra'"]
    campaign_days: Annotated[int, "over how many days its customers were assigned, days"]
    addon_rate: Annotated[float, "add-ons that a customer buys in 30 days without any message, on average"]
    addon_shape: Annotated[float, "shape of the gamma distribution of that rate over customers"]
    addon_factor_a: Annotated[float, "times that rate for 14 days of the customers whom message A reached"]
    addon_factor_b: Annotated[float, "times that rate for 14 days of the customers whom message B reached"]
    opt_out_a: Annotated[float, "share of the readers of message A who want no more promotions"]
    opt_out_b: Annotated[float, "share of the readers of message B who want no more promotions"]
    newcomer_factor: Annotated[float, "times the daily hazard of cancelling in the first year (365 days) of a contract"]


def draw_effects(rng: Random, first_day: date, days: int) -> Effects:
    """Causes for a period of `days` days from `first_day`."""
    start = datetime(first_day.year, first_day.month, first_day.day, tzinfo=UTC)
    raised_on = first_day + timedelta(days=rng.randint(days // 4, max(days // 4, days // 2)))
    return Effects(
        outage_region=rng.choice(("SP-11", "RJ-21", "MG-31", "PR-41")),
        outage_at=start + timedelta(days=rng.randint(days // 2, max(days // 2, days - 7)), hours=rng.randint(13, 18)),
        outage_hours=rng.uniform(4, 7),
        outage_factor=rng.uniform(60, 120),
        raised_plan=rng.choice(("fibra-300", "fibra-500")),
        raised_on=raised_on,
        raise_share=rng.uniform(0.08, 0.15),
        dispute_factor=rng.uniform(4, 7),
        wait_penalty=rng.uniform(0.25, 0.45),
        churn_factor=rng.uniform(4, 8),
        monday_factor=rng.uniform(1.25, 1.45),
        weekly_growth=rng.uniform(0.005, 0.02),
        campaign_on=first_day + timedelta(days=days // 3),
        campaign_days=max(1, min(14, days // 4)),
        addon_rate=rng.uniform(0.35, 0.45),
        addon_shape=rng.uniform(1.0, 1.5),
        addon_factor_a=rng.uniform(1.05, 1.2),
        addon_factor_b=rng.uniform(1.4, 1.7),
        opt_out_a=rng.uniform(0.004, 0.008),
        opt_out_b=rng.uniform(0.02, 0.03),
        newcomer_factor=rng.uniform(5, 8),
    )


def write_manifest(path: Path, seed: int, first_day: date, days: int, effects: Effects, counts: dict[str, int]) -> None:
    """Write what was planted, with its meaning and unit, and what was made, as JSON."""
    meanings = get_type_hints(Effects, include_extras=True)
    manifest: dict[str, Any] = {
        "seed": seed,
        "first_day": first_day,
        "days": days,
        "rows": counts,
        "effects": {
            field.name: {"value": getattr(effects, field.name), "meaning": meanings[field.name].__metadata__[0]}
            for field in fields(Effects)
        },
        "about": "causes in the behaviour of simulated customers; no result table was written",
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(manifest, indent=2, default=str) + "\n", encoding="utf-8")
