"""The test of a run as it stands: what its rule sees now, and how rates and differences went over time.

`now` is counted in PostgreSQL by the rule's own query, so it says what the rule would decide. The series are the steps of
gold.campaign_funnel over live events, which also know when somebody answered; intervals are those of the rule, right at every look.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hub_api.campaigns.results import live
from hub_api.campaigns.sending import decide
from hub_api.campaigns.sending.turn import queries
from hub_api.platform.pgtypes import Row
from hub_api.platform.services import Services
from hub_api.platform.warehouse import open_reader
from models_ml.experiments.running import MIN_EVENTS, MIN_UNITS, Arm, Verdict, difference

# As many points as a line can show; of the widths in minutes the first that gives no more.
MOST_POINTS = 120
WIDTHS = (1, 5, 15, 60, 360, 1440)
STEPS = {"read": "read", "reply": "first reply", "conversion": "first goal"}


async def readout(services: Services, campaign: Row, run: Row) -> dict[str, Any] | None:
    """The fields of schemas.Readout; None where there is nothing to compare."""
    decisions = await services.db.fetch(queries.decisions, run["id"])
    seen = await decide.see(services, campaign, run["id"], decisions)
    if seen is None:
        return None
    asked, verdict, arms = campaign["experiment"], seen.verdict, seen.arms
    effect, alpha = asked.get("effect", 0.03), asked.get("alpha", 0.05)
    best = max(arms, key=lambda name: arms[name].rate)
    pairs = max(len(arms) * (len(arms) - 1) // 2, 1)
    planned = {one["name"]: float(one["share"]) for one in seen.tested}
    # Whoever gets no message cannot read or answer it, but may do what the campaign is for.
    silent = {name: arm if asked.get("metric") == "conversion" else None for name, arm in seen.silent.items()}
    return {
        "run_id": run["id"], "metric": asked.get("metric", "reply"), "allocation": asked.get("allocation", "fixed"),
        "effect": effect, "alpha": alpha, "margin": asked.get("most_opt_outs", 0.01),
        "arms": [
            {"variant": name, "share": planned[name], "n": arm.n, "control": name in silent, **_figures(silent.get(name, arm))}
            for name, arm in {**arms, **seen.silent}.items()
        ],
        "best": best,
        "differences": [
            *(_pair(best, other, arms, effect, alpha / pairs, verdict) for other in arms if other != best),
            *(_pair(best, name, {**arms, name: arm}, effect, alpha, verdict) for name, arm in silent.items() if arm),
        ],
        "why": verdict.why, "mismatch_p": verdict.mismatch_p, "promoted": run["promoted"],
        "least_units": MIN_UNITS, "least_events": MIN_EVENTS,
    }  # fmt: skip


def _figures(arm: Arm | None) -> dict[str, Any]:
    if arm is None:
        return {"successes": None, "rate": None, "opt_outs": None}
    return {"successes": arm.successes, "rate": arm.rate, "opt_outs": arm.opt_outs}


def _pair(
    best: str, other: str, arms: Mapping[str, Arm], effect: float, alpha: float, verdict: Verdict
) -> dict[str, Any]:
    """Against each other message, `alpha` adjusted for the number of pairs as the rule's p is; and against no message, where the rule
    asks for that too."""
    value, low, high = difference(arms[best], arms[other], effect, alpha)
    found = min((verdict.p[key] for key in (f"{best}>{other}", f"{other}>{best}") if key in verdict.p), default=1.0)
    return {
        "better": best,
        "worse": other,
        "difference": value,
        "low": low,
        "high": high,
        "p": found,
        "harm_high": verdict.harm_high.get(other),
    }


async def series(services: Services, campaign: Row, run: Row) -> list[dict[str, Any]]:
    """Points in time, oldest first: per message variant units and successes up to then, and the differences from the one that leads now;
    up to the promotion of a winner, which ends the test.

    Raises Unavailable, TooExpensive.
    """
    begin = run["started_at"] or run["created_at"]
    decided = decide.promoted_at(await services.db.fetch(queries.decisions, run["id"]))
    end = decided or run["next_run_at"] or datetime.now(UTC) + timedelta(minutes=1)
    asked = campaign["experiment"]
    names = [one["name"] for one in campaign["variants"] if one["template_name"] and one["share"] > 0]
    step = STEPS.get(asked.get("metric", "reply"), "first reply")
    reader = await services.shared(open_reader)
    rows = await live.arms(reader, services.settings, campaign["id"], begin, end, step, _width(begin, end))
    return points(rows, names, asked.get("effect", 0.03), asked.get("alpha", 0.05))


def points(
    rows: Sequence[Mapping[str, Any]], names: Sequence[str], effect: float, alpha: float
) -> list[dict[str, Any]]:
    """`rows`: variant, begins, units, successes of each stretch of time, in any order. Sums from the beginning, one point a stretch."""
    totals = {name: [0, 0] for name in names}
    by_time: dict[datetime, list[Mapping[str, Any]]] = {}
    for row in rows:
        if row["variant"] in totals:
            by_time.setdefault(row["begins"], []).append(row)
    stood: list[tuple[datetime, dict[str, Arm]]] = []
    for at in sorted(by_time):
        for row in by_time[at]:
            totals[row["variant"]][0] += row["units"]
            totals[row["variant"]][1] += row["successes"]
        # Who answers at once may stand in an earlier stretch than the next one's message.
        stood.append((at, {name: Arm(max(n, k), k) for name, (n, k) in totals.items()}))
    if not stood:
        return []
    last = stood[-1][1]
    best = max(last, key=lambda name: last[name].rate)
    pairs = max(len(names) * (len(names) - 1) // 2, 1)
    told = []
    for at, arms in stood:
        against = []
        for other in names:
            if other != best:
                value, low, high = difference(arms[best], arms[other], effect, alpha / pairs)
                against.append({"better": best, "worse": other, "difference": value, "low": low, "high": high})
        rates = [
            {"variant": name, "n": arm.n, "successes": arm.successes, "rate": arm.rate} for name, arm in arms.items()
        ]
        told.append({"at": at, "arms": rates, "differences": against})
    return told


def _width(begin: datetime, end: datetime) -> int:
    minutes = (end - begin).total_seconds() / 60
    return next((width for width in WIDTHS if minutes / width <= MOST_POINTS), WIDTHS[-1])
