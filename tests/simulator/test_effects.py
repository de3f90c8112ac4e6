"""What is planted in a history can be found again, in rows that the product would have written, whatever the seed."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import fmean
from zoneinfo import ZoneInfo

import asyncpg
import holidays
import pytest

from hub_api.platform.services import open_services
from hub_api.simulator.corpus import load_corpus
from hub_api.simulator.history.days import NEW_DAYS, contacts
from hub_api.simulator.history.effects import Effects, draw_effects
from hub_api.simulator.history.operator import make_operator
from hub_api.simulator.history.rhythm import Rhythm
from hub_api.simulator.history.run import Plan, make_history
from hub_api.simulator.history.script import TECHNICAL
from tests.support.chance import drawn_seed
from tests.support.hub import make_settings
from tests.support.postgres import Databases
from tests.support.waiting import run_async

SEED = drawn_seed()
DAYS, CUSTOMERS = 63, 4_000
ZONE = ZoneInfo("America/Sao_Paulo")
HOLIDAYS = holidays.country_holidays("BR")
INTENT_OF = {line.text: line.intent for line in load_corpus().utterances}
DISPUTE_DAYS = 21

# One row per conversation: who wrote when, from which region, on which plan, and the first thing said that was no greeting.
TALKS = """
SELECT v.opened_at, c.region_code, c.plan_id, v.satisfaction, extract(epoch FROM v.first_response_at - v.queued_at) AS waited_s,
    array(SELECT m.content FROM messages m WHERE m.conversation_id = v.id AND m.direction = 'in' ORDER BY m.created_at LIMIT 2) AS said
FROM conversations v JOIN contracts c USING (customer_id)
WHERE v.origin = 'customer'
"""


class Story:
    """A history as an analyst finds it, and what its manifest says was planted."""

    def __init__(self, talks: list[asyncpg.Record], invoices: list[asyncpg.Record], manifest: dict) -> None:
        self.talks, self.invoices = talks, invoices
        self.planted = {name: effect["value"] for name, effect in manifest["effects"].items()}
        self.manifest = manifest

    def intents(self, talk: asyncpg.Record) -> set[str]:
        return {INTENT_OF.get(text, "") for text in talk["said"]}


@pytest.fixture(scope="module")
def story(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    url, file = databases.create(), tmp_path_factory.mktemp("history") / "manifest.json"
    yield run_async(tell(url, file))
    databases.drop(url)


async def tell(url: str, file: Path) -> Story:
    async with open_services(make_settings(url, "redis://127.0.0.1:1"), lambda events: (), "test") as services:
        await make_history(services, Plan(DAYS, CUSTOMERS, SEED), manifest=file)
        talks = await services.db.fetch(TALKS)
        invoices = await services.db.fetch(
            "SELECT i.reference_month, i.amount_micros, c.plan_id FROM invoices i JOIN contracts c ON c.external_id = i.contract_id"
        )
    return Story(talks, invoices, json.loads(file.read_text()))


def test_the_manifest_tells_each_effect_with_its_meaning(story: Story) -> None:
    assert set(story.manifest["effects"]) == set(Effects.__dataclass_fields__)
    assert all(effect["meaning"] for effect in story.manifest["effects"].values())
    assert story.manifest["seed"] == SEED


def test_an_outage_is_a_wave_of_no_signal_in_its_region(story: Story) -> None:
    began = datetime.fromisoformat(story.planted["outage_at"])
    lasted = timedelta(hours=story.planted["outage_hours"])
    of_region = [talk for talk in story.talks if talk["region_code"] == story.planted["outage_region"]]

    def complaints(since: datetime) -> int:
        inside = [talk for talk in of_region if since <= talk["opened_at"] < since + lasted]
        return sum("no_signal" in story.intents(talk) for talk in inside)

    usual = [complaints(began + timedelta(weeks=week)) for week in range(-4, 4) if week]
    assert complaints(began) > 5 + 5 * fmean(usual), f"seed {SEED}"


def test_a_dearer_plan_is_billed_and_disputed(story: Story) -> None:
    plan, raised_on = story.planted["raised_plan"], date.fromisoformat(story.planted["raised_on"])
    amounts = {
        after: {
            row["amount_micros"]
            for row in story.invoices
            if row["plan_id"] == plan and (row["reference_month"] >= raised_on.replace(day=1)) is after
        }
        for after in (False, True)
    }
    (before,), (since,) = amounts[False], amounts[True]
    assert since / before - 1 == pytest.approx(story.planted["raise_share"], abs=1e-6)
    disputes = Counter(
        0 <= (talk["opened_at"].astimezone(ZONE).date() - raised_on).days < DISPUTE_DAYS
        for talk in story.talks
        if talk["plan_id"] == plan and "bill_dispute" in story.intents(talk)
    )
    factor = (disputes[True] / DISPUTE_DAYS) / (disputes[False] / (DAYS - DISPUTE_DAYS))
    assert 0.45 < factor / story.planted["dispute_factor"] < 2.2, f"seed {SEED}: {factor} times as many disputes"


def test_waiting_costs_satisfaction(story: Story) -> None:
    rated = [
        (float(talk["waited_s"]) / 600, talk["satisfaction"])
        for talk in story.talks
        if talk["satisfaction"] and talk["waited_s"] is not None
    ]
    mean_x, mean_y = fmean(x for x, _ in rated), fmean(y for _, y in rated)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in rated) / sum((x - mean_x) ** 2 for x, _ in rated)
    assert -0.9 < slope < -0.05, f"seed {SEED}: slope per ten minutes is {slope}"


def test_mondays_are_busier_and_nights_are_quiet(story: Story) -> None:
    opened = [talk["opened_at"].astimezone(ZONE) for talk in story.talks]
    usual = Counter(at.weekday() for at in opened if at.date() not in HOLIDAYS)
    days = Counter(day.weekday() for day in sorted({at.date() for at in opened}) if day not in HOLIDAYS)
    ratio = (usual[0] / days[0]) / (usual[2] / days[2])
    assert 0.75 < ratio / story.planted["monday_factor"] < 1.3, f"seed {SEED}: Monday is {ratio} Wednesdays"
    hours = Counter(at.hour for at in opened)
    assert sum(hours[hour] for hour in range(9, 19)) > 20 * sum(hours[hour] for hour in range(1, 6)), f"seed {SEED}"


def test_trouble_makes_customers_leave_and_the_volume_grows() -> None:
    """Rare things need more people than a database of a test should hold, so who writes when is looked at directly."""
    rng, first_day, days = Random(SEED), date(2026, 6, 1), 84
    effects = draw_effects(rng, first_day, days)
    operator = make_operator(rng, 15_000, first_day, days, effects)
    calm, troubled, new_left, left = 0, 0, 0, Counter[bool]()
    troubles: dict[str, list[date]] = {}
    volume = []
    for offset, todays in enumerate(contacts(rng, operator, Rhythm(ZONE, first_day, effects), days, effects)):
        day = first_day + timedelta(days=offset)
        burdened = {key for key, on in troubles.items() if sum((day - one).days <= 30 for one in on) >= 2}
        for contact in todays:
            if contact.intent == "cancel_service":
                left[contact.person.phone in burdened] += 1
                new_left += (day - contact.person.since).days < NEW_DAYS
            if contact.intent in TECHNICAL:
                troubles.setdefault(contact.person.phone, []).append(contact.at.astimezone(UTC).date())
        troubled += len(burdened)
        calm += len(operator.people) - len(burdened)
        if day.weekday() in (1, 2, 3) and day not in HOLIDAYS:
            stayed = sum(person.cancelled_on is None for person in operator.people)
            volume.append((offset / 7, sum(one.intent not in {"bill_dispute", "no_signal"} for one in todays) / stayed))
    young = sum(min(days, max(0, NEW_DAYS - (first_day - person.since).days)) for person in operator.people)
    newcomers = (new_left / young) / ((left.total() - new_left) / (days * len(operator.people) - young))
    assert 0.6 < newcomers / effects.newcomer_factor < 1.6, f"seed {SEED}: newcomers leave {newcomers} times as often"
    factor = (left[True] / troubled) / (left[False] / calm)
    assert 0.4 < factor / effects.churn_factor < 1.8, f"seed {SEED}: those in trouble leave {factor} times as often"
    mean_week, mean_volume = fmean(week for week, _ in volume), fmean(share for _, share in volume)
    slope = sum((week - mean_week) * share for week, share in volume) / sum(
        (week - mean_week) ** 2 for week, _ in volume
    )
    assert slope / mean_volume == pytest.approx(effects.weekly_growth, abs=0.008), f"seed {SEED}"
