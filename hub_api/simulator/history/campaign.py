"""One planted campaign: an A/B test of two messages and a control without message, and what customers buy anyway.

Customers buy add-ons at rates of their own. A message that reaches somebody multiplies his rate for two weeks, by the
factor of its variant (`effects.py`); some of its readers answer, some want no more promotions. Nothing else differs.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from uuid import NAMESPACE_URL, UUID, uuid5
from zoneinfo import ZoneInfo

from hub_api.chat import consent
from hub_api.events import ExperimentAssigned, ExperimentPlanned, GoalRecorded, PlannedMetric, assignment_id, goal_id
from hub_api.platform.services import Services
from hub_api.simulator.history.effects import Effects
from hub_api.simulator.history.operator import MICROS, Operator, Person
from hub_api.simulator.history.recorder import Promotion, Thread
from hub_api.simulator.history.script import Stage, close, delivery_of
from models_ml.experiments.assignment import bucket, variant_of

EXPERIMENT = "pacote-extra"
GOAL = "addon_purchased"
CONTROL = "controle"
SHARES = {CONTROL: 0.2, "a": 0.4, "b": 0.4}
WINDOW_DAYS = 14
METRICS = (
    PlannedMetric(name="conversion", role="primary", effect=0.03),
    PlannedMetric(name="value", role="secondary", effect=1.0),
    PlannedMetric(name="value_per_goal", role="secondary", effect=2.0),
    PlannedMetric(name="value_p99", role="secondary", effect=5.0),
    PlannedMetric(name="reply", role="secondary", effect=0.03),
    PlannedMetric(name="opt_out", role="guardrail", effect=0.01, margin=0.01),
)
TEXTS = {
    "a": "{name}, sua internet pode render mais neste mês: conheça os pacotes extras. Responda SAIR para não receber promoções.",
    "b": "{name}, 50 GB a mais por R$ 19,90, só até domingo. Responda EU QUERO. Responda SAIR para não receber promoções.",
}
PRICES = (19.90, 29.90, 39.90)
ANSWERS = 0.05  # of the readers who do not leave
SAYS_STOP = ("SAIR", "sair", "Parar", "pare", "STOP", "Sair, por favor")
BOT_STOPPED = "Pronto, você não recebe mais promoções nossas. Para voltar, responda VOLTAR."
BOT_ANSWERED = "Obrigado pela resposta! Os pacotes estão no aplicativo, em Meu Plano."
COST_MICROS, COST_CURRENCY = 62_500, "USD"
OPT_OUTS_A_TRANSACTION = 100


@dataclass(slots=True)
class Campaign:
    """The campaign while its history is played: whom it reached, and who left."""

    id: UUID
    experiment_id: UUID
    effects: Effects
    zone: ZoneInfo
    waiting: dict[date, list[Person]]
    reached: dict[UUID, tuple[str, datetime]] = field(default_factory=dict)  # customer: variant, delivered at
    opt_outs: list[tuple[UUID, UUID, datetime]] = field(default_factory=list)  # customer, message, at


def plan_campaign(operator: Operator, effects: Effects, zone: ZoneInfo) -> Campaign:
    """Everybody who is a customer then is written to on a day of his own, drawn by a salt that has nothing to do with variants."""
    experiment_id = uuid5(NAMESPACE_URL, f"{EXPERIMENT}:{effects.campaign_on}")
    waiting: dict[date, list[Person]] = {}
    for person in operator.people:
        offset = bucket(f"{EXPERIMENT}-dia", person.id, effects.campaign_days)
        waiting.setdefault(effects.campaign_on + timedelta(days=offset), []).append(person)
    return Campaign(uuid5(experiment_id, "campaign"), experiment_id, effects, zone, waiting)


def announce(campaign: Campaign, stage: Stage) -> None:
    """The plan, at the start of the campaign's first day."""
    stage.recorder.tell(ExperimentPlanned(
        aggregate_id=campaign.experiment_id, aggregate_version=1, occurred_at=_local(campaign, campaign.effects.campaign_on, 8 * 3600),
        experiment=EXPERIMENT, control=CONTROL, shares=SHARES, goal=GOAL, window_days=WINDOW_DAYS, metrics=METRICS,
        campaign_id=campaign.id,
    ))  # fmt: skip


def sends_of(campaign: Campaign, rng: Random, day: date) -> list[tuple[datetime, Person]]:
    """Who is assigned on this day, and when, between 10 and 17 h; those who left the operator are not."""
    return [
        (_local(campaign, day, rng.uniform(10, 17) * 3600), person)
        for person in campaign.waiting.get(day, ())
        if person.cancelled_on is None
    ]


def touch(campaign: Campaign, stage: Stage, person: Person, at: datetime) -> datetime:
    """Assign a customer at `at`, write to him unless he is of the control, and play what he does; returns when it ended."""
    variant = variant_of(EXPERIMENT, person.id, SHARES)
    stage.recorder.tell(ExperimentAssigned(
        aggregate_id=assignment_id(campaign.experiment_id, person.id), aggregate_version=1, occurred_at=at,
        experiment_id=campaign.experiment_id, experiment=EXPERIMENT, variant=variant, customer_id=person.id, campaign_id=campaign.id,
    ))  # fmt: skip
    if variant == CONTROL:
        return at
    rng, recorder, delivery = stage.rng, stage.recorder, delivery_of(stage.rng, person)
    thread = recorder.begin(person.id, person.wa_id, at)
    promotion = Promotion(campaign.id, variant, f"pacote_extra_{variant}", COST_MICROS, COST_CURRENCY)
    text = TEXTS[variant].format(name=person.name.split()[0])
    recorder.send(thread, at, text, delivery, author="campaign", type_="template", promotion=promotion)
    if delivery.delivered_s is not None:
        campaign.reached[person.id] = variant, at + timedelta(seconds=delivery.delivered_s)
    if delivery.delivered_s is None or delivery.read_s is None:
        recorder.finish(thread, at)
        return at
    read_at = at + timedelta(seconds=delivery.delivered_s + delivery.read_s)
    draw, leaves = rng.random(), campaign.effects.opt_out_a if variant == "a" else campaign.effects.opt_out_b
    answered_at = read_at + timedelta(seconds=rng.uniform(20, 900))
    if draw >= leaves + ANSWERS or answered_at > _local(campaign, at.astimezone(campaign.zone).date(), 23 * 3600):
        recorder.finish(thread, at)
        return at
    return _answer(campaign, stage, person, thread, answered_at, leaves=draw < leaves)


def _answer(
    campaign: Campaign, stage: Stage, person: Person, thread: Thread, at: datetime, *, leaves: bool
) -> datetime:
    rng, corpus, recorder = stage.rng, stage.corpus, stage.recorder
    recorder.wake(thread, at)
    if leaves:
        words = rng.choice(SAYS_STOP)
    else:
        intent = "offer_reply_interested" if rng.random() < 0.6 else "offer_reply_refused"
        words = corpus.say(rng, intent, None, person.state_code).text
    message_id = recorder.receive(thread, at, words)
    if leaves:
        campaign.opt_outs.append((person.id, message_id, at))
    at += timedelta(seconds=rng.uniform(0.4, 1.5))
    recorder.send(thread, at, BOT_STOPPED if leaves else BOT_ANSWERED, delivery_of(rng, person), author="bot")
    at += timedelta(minutes=rng.uniform(5, 30))
    recorder.move(thread, at, "resolved", "bot_settled")
    return close(recorder, thread, at)


def purchases(
    campaign: Campaign, rng: Random, operator: Operator, begin: datetime, end: datetime
) -> Iterator[GoalRecorded]:
    """What everybody bought from `begin` to `end`: at the rate of his own, and more of it while a message works."""
    effects = campaign.effects
    factors = {"a": effects.addon_factor_a, "b": effects.addon_factor_b}
    for person in operator.people:
        a_day = rng.gammavariate(effects.addon_shape, effects.addon_rate / 30 / effects.addon_shape)
        left = _local(campaign, person.cancelled_on, 0) if person.cancelled_on else end
        moments = list(_moments(rng, begin, min(end, left), a_day))
        if reached := campaign.reached.get(person.id):
            variant, at = reached
            moments += _moments(
                rng, at, min(end, left, at + timedelta(days=WINDOW_DAYS)), a_day * (factors[variant] - 1)
            )
        for number, at in enumerate(sorted(moments)):
            key = f"PX{number}-{person.contract}"
            yield GoalRecorded(
                aggregate_id=goal_id(GOAL, key), aggregate_version=1, occurred_at=at, kind=GOAL,
                external_id=key, customer_id=person.id, value_micros=round(rng.choice(PRICES) * MICROS),
            )  # fmt: skip


async def record_opt_outs(services: Services, campaign: Campaign) -> int:
    """Who asked for no more promotions, by the hub's own door, with its proof and its event; how many did."""
    for start in range(0, len(campaign.opt_outs), OPT_OUTS_A_TRANSACTION):
        async with services.transaction() as tx:
            for customer_id, message_id, at in campaign.opt_outs[start : start + OPT_OUTS_A_TRANSACTION]:
                await consent.record(
                    tx, customer_id, "marketing", granted=False, source="customer_message",
                    evidence={"message_id": message_id}, occurred_at=at,
                )  # fmt: skip
    return len(campaign.opt_outs)


def _moments(rng: Random, begin: datetime, end: datetime, a_day: float) -> Iterator[datetime]:
    """Poisson arrivals. Who hardly ever buys may have to wait longer than a calendar can count."""
    if a_day <= 0:
        return
    days, length = rng.expovariate(a_day), (end - begin) / timedelta(days=1)
    while days < length:
        yield begin + timedelta(days=days)
        days += rng.expovariate(a_day)


def _local(campaign: Campaign, day: date, seconds: float) -> datetime:
    """A moment of the local day, in UTC."""
    return datetime.combine(day, time(), campaign.zone).astimezone(UTC) + timedelta(seconds=seconds)
