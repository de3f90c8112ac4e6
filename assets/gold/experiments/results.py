"""The read-out's way from the warehouse and back: sums by SQL, statistics by models_ml, rows for gold.experiment_results."""

import json
from collections import defaultdict
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from math import isfinite
from typing import TYPE_CHECKING, Any
from uuid import UUID

from assets.warehouse import Warehouse, load_sql

if TYPE_CHECKING:
    from models_ml.experiments.compare import Interval
    from models_ml.experiments.plan import Plan
    from models_ml.experiments.readout import Arm, Look, Row

MICROS = 1_000_000
COVARIATE_DAYS = 30  # of value before the assignment (sql/experiment_measures.sql)
MONEY = {"value": (MICROS, MICROS), "value_per_goal": (MICROS, 1)}  # what y and x of a metric are counted in
Moments = list[int]  # n, y, yy, x, xx, xy


@dataclass(slots=True)
class Story:
    """One experiment as the warehouse knows it up to the last day: what each day added."""

    id: UUID
    campaign_id: UUID | None
    plans: "list[Plan]"
    assigned: dict[date, dict[tuple[int, str], int]] = field(default_factory=lambda: defaultdict(dict))
    measures: dict[date, list[tuple[str, str, Moments]]] = field(default_factory=lambda: defaultdict(list))
    exposure: dict[date, list[tuple[str, int, int, int]]] = field(default_factory=lambda: defaultdict(list))
    charges: dict[date, list[tuple[str, int, str]]] = field(default_factory=lambda: defaultdict(list))
    values: dict[date, list[tuple[str, UUID, int]]] = field(default_factory=lambda: defaultdict(list))

    @property
    def quantiles(self) -> bool:
        """Whether the plan asks for a quantile, for which every customer's value is needed."""
        from models_ml.experiments.plan import Kind

        return any(metric.known.kind is Kind.QUANTILE for metric in self.plans[0].metrics)

    def read_days(self, last: date) -> list[date]:
        """The days on which it is read out, up to `last`: from the first assignment until every window known by then was over
        for a day. What is assigned later makes later days, and takes none away."""
        days, ends = [], None
        for day in _each_day(min(self.assigned), last) if self.assigned else ():
            if self.assigned.get(day):
                ends = day + timedelta(days=self.plans[0].window_days + 1)
            if ends and day <= ends:
                days.append(day)
        return days


def read_stories(warehouse: Warehouse, days: Sequence[str]) -> list[Story]:
    """Every planned experiment that is read out on one of `days`, with its changes day by day from its beginning.

    Raises ValueError for a plan that cannot be read; assignments without a plan have no read-out.
    """
    from models_ml.experiments.plan import plan_of

    stories: dict[UUID, Story] = {}
    for experiment_id, campaign_id, plan in warehouse.rows(load_sql(__package__, "experiment_plans.sql"), days):
        told = json.loads(plan)
        if len(told["shares"]) < 2:
            continue  # a campaign of one message says what it wants, and tests nothing
        story = stories.setdefault(experiment_id, Story(experiment_id, campaign_id, []))
        story.plans.append(plan_of(told))
    if not stories:
        return []
    named: dict[str, Any] = {"experiments": list(stories)}
    for experiment_id, day, version, variant, customers in _query(warehouse, "experiment_counts.sql", days, named):
        stories[experiment_id].assigned[day][int(version) - 1, variant] = int(customers)
    wanted = {date.fromisoformat(day) for day in days}
    alive = [story for story in stories.values() if wanted & set(story.read_days(max(wanted)))]
    if not alive:
        return []
    since = min(min(story.assigned) for story in alive) - timedelta(days=COVARIATE_DAYS + 1)
    named = {"experiments": [story.id for story in alive], "since": since}
    for experiment_id, variant, metric, day, *moments in _query(warehouse, "experiment_measures.sql", days, named):
        stories[experiment_id].measures[day].append((variant, metric, [int(one) for one in moments]))
    for experiment_id, day, variant, sent, arrived, crossed, cost, currency in _query(
        warehouse, "experiment_exposure.sql", days, named
    ):
        stories[experiment_id].exposure[day].append((variant, int(sent), int(arrived), int(crossed)))
        stories[experiment_id].charges[day].append((variant, int(cost), str(currency)))
    if asking := [story.id for story in alive if story.quantiles]:
        named = {"experiments": asking, "since": since}
        for experiment_id, day, variant, customer_id, value in _query(warehouse, "experiment_values.sql", days, named):
            stories[experiment_id].values[day].append((variant, customer_id, int(value)))
    return alive


def result_rows(story: Story, days: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The rows of gold.experiment_results of these days, by column."""
    from models_ml.experiments.readout import read_out

    wanted = {date.fromisoformat(day) for day in days}
    read = story.read_days(max(wanted))
    plan = story.plans[0]
    looks = list(_looks(story, read, wanted))
    costs = _costs(story, read)
    for row in read_out(plan, looks, wanted={day.isoformat() for day in wanted & set(read)}):
        yield {
            "day": date.fromisoformat(row.look.day), "experiment_id": story.id, "experiment": plan.experiment,
            "campaign_id": story.campaign_id, "control": plan.control,
            **_columns(row, *costs[row.look.day].get(row.variant, (0, ""))),
        }  # fmt: skip


def _looks(story: Story, read: Sequence[date], wanted: Container[date]) -> "Iterator[Look]":
    """The experiment at the end of each of these days: everything up to it added up; the customers' values on those `wanted`."""
    from models_ml.experiments.readout import Look
    from models_ml.experiments.stats import Proportion

    plan, moments = story.plans[0], defaultdict[tuple[str, str], Moments](lambda: [0] * 6)
    counts: dict[tuple[int, str], int] = defaultdict(int)
    sent: dict[str, int] = defaultdict(int)
    arrived: dict[str, int] = defaultdict(int)
    worth: dict[str, dict[UUID, int]] = defaultdict(lambda: defaultdict(int))
    crossed, last_assigned = 0, read[0] if read else None
    readable = set(read)
    for day in _each_day(read[0], read[-1]) if read else ():
        for version_and_variant, customers in story.assigned.get(day, {}).items():
            counts[version_and_variant] += customers
            last_assigned = day
        for variant, metric, change in story.measures.get(day, ()):
            moments[variant, metric] = [one + more for one, more in zip(moments[variant, metric], change, strict=True)]
        for variant, more_sent, more_arrived, more_crossed in story.exposure.get(day, ()):
            sent[variant] += more_sent
            arrived[variant] += more_arrived
            crossed += more_crossed
        for variant, customer_id, value in story.values.get(day, ()):
            worth[variant][customer_id] += value
        if day in readable and last_assigned:
            total = sum(counts.values())
            yield Look(
                day.isoformat(),
                {
                    variant: _arm(
                        plan, variant, moments, sent, arrived, worth[variant].values() if day in wanted else ()
                    )
                    for variant in plan.shares
                },
                _periods(story, counts),
                Proportion(total, min(crossed, total)),
                complete=day > last_assigned + timedelta(days=plan.window_days),
            )


def _costs(story: Story, read: Sequence[date]) -> dict[str, dict[str, tuple[int, str]]]:
    """Per day (ISO) and variant what its messages had cost by then (millionths), and the currency."""
    totals: dict[str, tuple[int, str]] = {}
    costs = {}
    for day in _each_day(read[0], read[-1]) if read else ():
        for variant, change, currency in story.charges.get(day, ()):
            before, known = totals.get(variant, (0, ""))
            totals[variant] = before + change, max(known, currency)
        costs[day.isoformat()] = dict(totals)
    return costs


def _arm(
    plan: "Plan", variant: str, moments: Mapping[tuple[str, str], Moments], sent: Mapping[str, int], arrived: Mapping[str, int],
    worth: Collection[int],
) -> "Arm":  # fmt: skip
    import numpy as np

    from models_ml.experiments.plan import Kind
    from models_ml.experiments.readout import Arm
    from models_ml.experiments.stats import Pair, Proportion, Sample

    statistics: dict[str, Proportion | Pair | Sample] = {}
    for metric in plan.metrics:
        if metric.known.kind is Kind.QUANTILE:
            customers = moments[variant, "value"][0]
            statistics[metric.name] = Sample(customers, np.sort(np.array(list(worth), dtype=float)) / MICROS)
            continue
        n, y, yy, x, xx, xy = moments[variant, metric.name]
        if metric.known.kind is Kind.PROPORTION:
            statistics[metric.name] = Proportion(n, y)
        else:
            of_y, of_x = MONEY[metric.name]
            statistics[metric.name] = Pair(n, y / of_y, yy / of_y**2, x / of_x, xx / of_x**2, xy / (of_y * of_x))
    return Arm(statistics, Proportion(sent[variant], min(arrived[variant], sent[variant])))


def _periods(story: Story, counts: Mapping[tuple[int, str], int]) -> list[tuple[dict[str, int], Mapping[str, float]]]:
    """The customers by variant under each version of the plan, with the shares of that version."""
    return [
        ({variant: n for (at, variant), n in counts.items() if at == version}, plan.shares)
        for version, plan in enumerate(story.plans)
    ]


def _columns(row: "Row", cost_micros: int, currency: str) -> dict[str, Any]:
    """A row of the read-out as columns of the table; with what the variant's messages had cost by then."""
    from models_ml.experiments.guardrails import harm
    from models_ml.experiments.stats import Proportion, Sample

    one, reading, checks = row.statistic, row.reading, row.checks
    sums: tuple[float, ...]
    if isinstance(one, Proportion):
        sums = (one.n, one.successes, 0, 0, 0, 0)
    elif isinstance(one, Sample):
        sums = (one.n, len(one.above), 0, 0, 0, 0)
    else:
        sums = (one.n, one.y, one.yy, one.x, one.xx, one.xy)
    arm, adjusted, belief, brought = row.look.arms[row.variant], reading.adjusted, reading.belief, reading.brought
    cost = cost_micros / MICROS
    harmed = None
    if reading.guarded and reading.sequential:
        harmed = harm(reading.sequential, higher_is_better=row.metric.known.higher_is_better)
    return {
        "variant": row.variant, "metric": row.metric.name, "kind": row.metric.known.kind.value, "role": row.metric.role.value,
        **dict(zip(("customers", "sum_y", "sum_yy", "sum_x", "sum_xx", "sum_xy"), sums, strict=True)),
        "estimate": reading.value, **_ends("estimate", reading.interval),
        "difference": reading.difference and reading.difference.value,
        **_ends("difference", reading.difference.interval if reading.difference else None),
        "p_value": reading.difference and reading.difference.p, "p_adjusted": reading.p_adjusted,
        "lift": reading.lift and reading.lift[0], **_ends("lift", reading.lift[1] if reading.lift else None),
        "adjusted_difference": adjusted and adjusted.difference.value,
        **_ends("adjusted", adjusted.difference.interval if adjusted else None),
        "variance_reduction": adjusted and adjusted.variance_reduction,
        **_ends("sequential", reading.sequential), "sequential_p": reading.sequential_p,
        "sequential_p_adjusted": reading.sequential_p_adjusted,
        "posterior_difference": belief and belief.difference, **_ends("posterior", belief.interval if belief else None),
        "probability_better": belief and belief.probability_better, "expected_loss": belief and belief.expected_loss,
        "incremental": brought and brought.incremental, **_ends("incremental", brought.incremental_interval if brought else None),
        "cost": cost, "cost_currency": currency,
        "cost_per_incremental": cost / brought.incremental if brought and brought.incremental_interval.low > 0 else None,
        "next_share": row.next_share, "guardrails": row.guardrails.value if row.guardrails else "",
        **_ends("harm", harmed), "harm_p": reading.guarded and reading.guarded.p,
        "margin": row.metric.margin, "detectable": reading.detectable,
        "sent": arm.delivered.n, "delivered": arm.delivered.successes,
        "srm_p": checks.balance.p, "srm_sequential_p": checks.balance.sequential_p, "srm_blocks": checks.balance.blocks,
        "crossover_share": checks.crossover.share, "crossover_flagged": checks.crossover.flagged,
        "delivery_p": checks.delivery.p, "delivery_gap": checks.delivery.gap, "delivery_differs": checks.delivery.differs,
        "complete": checks.complete, "decision": row.decision.value, "verdict": row.verdict,
    }  # fmt: skip


def _ends(name: str, interval: "Interval | None") -> dict[str, float | None]:
    low, high = (interval.low, interval.high) if interval else (None, None)
    return {
        f"{name}_low": low if low is not None and isfinite(low) else None,
        f"{name}_high": high if high is not None and isfinite(high) else None,
    }


def _query(warehouse: Warehouse, file: str, days: Sequence[str], named: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
    return warehouse.rows(load_sql(__package__, file), days, **named)


def _each_day(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=n) for n in range((last - first).days + 1))
