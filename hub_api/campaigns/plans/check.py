"""What would happen if a campaign began now: whom it would reach and whom not and why, what it costs, when it would be over,
whether its test can find anything, how its messages look, and what is in the way.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any
from uuid import UUID

from hub_api.campaigns.fill import Short, components_of, values_of
from hub_api.campaigns.languages import Language
from hub_api.campaigns.links import codes, targets
from hub_api.campaigns.links import variables as links
from hub_api.campaigns.links.targets import columns_in
from hub_api.campaigns.lists.freeze import HOLDOUT_SALT, cap_of, features_of, when_of
from hub_api.campaigns.lists.members import PORTION, Member, open_source, queries
from hub_api.campaigns.lists.sample import Sampled
from hub_api.campaigns.plans import words
from hub_api.campaigns.plans.schemas import TRIGGER_FIELDS, Advice, Checked, Forecast, Sample
from hub_api.campaigns.plans.words import Problem
from hub_api.campaigns.ports import Capacity, Channel, Template
from hub_api.campaigns.timing import Pacing, forecast
from hub_api.errors import HubError
from hub_api.platform.pgtypes import Row
from hub_api.platform.services import Services
from models_ml.experiments.assignment import in_holdout
from models_ml.experiments.running import units_needed

# More is judged by a sample, and told so: somebody waits for the answer. The freeze looks at everybody.
MOST_LOOKED_AT = 100_000
SAMPLES = 3
USUAL_RATE = {"reply": 0.05, "read": 0.6, "conversion": 0.03}


@dataclass(slots=True)
class _Found:
    """The audience as far as it was looked at."""

    members: int = 0
    looked_at: int = 0
    excluded: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    some: list[Member] = field(default_factory=list)


async def check(services: Services, channel: Channel, campaign: Row, language: Language = "pt-BR") -> Checked:
    """Everything about a campaign (a row of find_campaign) before it begins; faults of its audience are problems, not errors."""
    problems: list[Problem] = []
    found, as_of, version = _Found(), None, None
    try:
        source = await open_source(
            services,
            channel,
            {**dict(campaign), "id": None},
            features_of([v["variables"] for v in campaign["variants"]]),
        )
        as_of, version = source.as_of, source.version
        sample = Sampled(MOST_LOOKED_AT, Random(str(campaign["id"])))
        async for members in source.members:
            sample.take(members)
        found.members = sample.seen
        for start in range(0, len(sample.kept), PORTION):
            await _look(services, campaign, sample.kept[start : start + PORTION], found)
        found.some = sample.chance.sample(found.some, min(SAMPLES, len(found.some)))
    except HubError as error:
        problems.append(Problem(error.code, text=error.message))
    templates = await _templates(services, channel, campaign, problems)
    scale = found.members / found.looked_at if found.looked_at else 0.0
    eligible = round(sum(found.states.values()) * scale)
    control = sum(one["share"] for one in campaign["variants"] if one["template_name"] is None)
    messages = round(eligible * (1 - control))
    price = await channel.price(services, campaign["lane"])
    capacity = await _capacity(services, channel, templates)
    budget = _budget(campaign, price, messages, problems)
    told = _forecast(services, campaign, found, scale * (1 - control), capacity, budget, problems, language)
    if found.members and not eligible:
        problems.append(Problem("nobody"))
    return Checked(
        as_of=as_of, asset_version=version, members=found.members, looked_at=found.looked_at, eligible=eligible,
        excluded={reason: round(n * scale) for reason, n in sorted(found.excluded.items())},
        cost_micros=price[0] * messages if price else None, cost_currency=price[1] if price else None,
        forecast=told, advice=_advice(campaign, eligible, language), problems=[words.obstacle(one, language) for one in problems],
        samples=await _samples(services, channel, campaign, templates, found.some),
    )  # fmt: skip


async def _look(services: Services, campaign: Row, looked: Sequence[Member], found: _Found) -> None:
    found.looked_at += len(looked)
    share = float(campaign["experiment"].get("holdout") or 0)
    held = {one.customer_id for one in looked if share and in_holdout(HOLDOUT_SALT, one.customer_id, share)}
    found.excluded["holdout"] += len(held)
    found.excluded += Counter()  # drops a zero
    free = [one for one in looked if one.customer_id not in held]
    ids = [one.customer_id for one in free]
    rows = await services.db.fetch(queries.exclusions, ids, None, campaign["lane"], *cap_of(campaign))
    for row in rows:
        if row["reason"]:
            found.excluded[row["reason"]] += row["customers"]
        else:
            found.states[row["state_code"] or ""] += row["customers"]
    if missing := len(free) - sum(row["customers"] for row in rows):
        found.excluded["gone"] += missing
    found.some += free


async def _templates(
    services: Services, channel: Channel, campaign: Row, problems: list[Problem]
) -> dict[str, Template]:
    """The templates of the variants by variant; what is wrong with one is a problem that blocks."""
    found: dict[str, Template] = {}
    for one in campaign["variants"]:
        if one["template_name"] is None:
            continue
        template = await channel.template(services, one["template_name"], one["template_language"])
        who = {
            "variant": one["name"],
            "template": one["template_name"],
            "template_language": one["template_language"],
        }
        if template is None:
            problems.append(Problem("template_unknown", who))
            continue
        found[one["name"]] = template
        if template.status != "APPROVED":
            problems.append(Problem("template_not_approved", {**who, "status": template.status}))
        if (category := template.category.lower()) != campaign["lane"]:
            problems.append(Problem("template_category", {**who, "category": category, "lane": campaign["lane"]}))
        missing, extra = set(template.places) - set(one["variables"]), set(one["variables"]) - set(template.places)
        if missing or extra:
            problems.append(Problem("variables", {**who, "missing": sorted(missing), "extra": sorted(extra)}))
        problems += _links(services, who, template, one["variables"]) + _sources(campaign, who, one["variables"])
    return found


def _links(
    services: Services, who: Mapping[str, str], template: Template, variables: Mapping[str, Any]
) -> list[Problem]:
    """What is wrong with the links of a variant: where they lead, and whether a button leads to us."""
    problems = []
    for place, given in variables.items():
        if given["source"] != links.SOURCE:
            continue
        if reason := targets.refused(services.settings, given["url"]):
            problems.append(Problem("link", {**who, "place": place, "reason": reason}))
        ours, area = links.short(services.settings, "{{1}}"), place.partition(".")[0]
        if area == "button" and template.buttons.get(place) != ours:
            problems.append(Problem("link_button", {**who, "address": ours}))
    return problems


def _sources(campaign: Row, who: Mapping[str, str], variables: Mapping[str, Any]) -> list[Problem]:
    """Variables of an event that sets other campaigns off: everybody would read the fallback."""
    trigger = campaign["schedule"].get("trigger")
    known = {f"trigger.{name}" for name in (TRIGGER_FIELDS[trigger["event"]] if trigger else ())}
    used = {
        (place, source)
        for place, given in variables.items()
        for source in (given["source"], *columns_in(given.get("url") or ""))
    }
    return [
        Problem("trigger_field", {**who, "place": place, "source": source})
        for place, source in sorted(used)
        if source.startswith("trigger.") and source not in known
    ]  # fmt: skip


async def _capacity(services: Services, channel: Channel, templates: dict[str, Template]) -> Capacity:
    known = [await channel.capacity(services, one.name, one.language) for one in templates.values()]
    return min(known, key=lambda one: one.rate, default=Capacity(0.0, None, None))


def _budget(campaign: Row, price: tuple[int, str] | None, messages: int, problems: list[Problem]) -> Pacing:
    budget = campaign["budget_micros"]
    fits = price is not None and price[1] == campaign["budget_currency"].strip()
    if budget is not None and not fits:
        problems.append(Problem("no_price"))
    if budget is not None and price is not None and fits and price[0] * messages > budget:
        paid = budget // price[0] if price[0] else messages
        problems.append(Problem("budget_short", {"paid": paid, "messages": messages}, blocks=False))
    return Pacing(
        campaign["pacing"].get("per_day"), budget_micros=budget, price_micros=price[0] if price and fits else None
    )


def _forecast(
    services: Services,
    campaign: Row,
    found: _Found,
    scale: float,
    capacity: Capacity,
    pacing: Pacing,
    problems: list[Problem],
    language: Language,
) -> Forecast:
    now, zone = datetime.now(UTC), services.settings.zone
    if capacity.rate <= 0 and not any(one.code.startswith("template_") for one in problems):
        problems.append(Problem("no_number"))
    people = {state: round(count * scale) for state, count in found.states.items()}
    steps, left = forecast(
        when_of(campaign, services.settings.timezone, now), people, now=now, rate=capacity.rate, pacing=pacing,
        quota_left=capacity.quota_left, quota_a_day=capacity.quota_a_day,
    )  # fmt: skip
    by_day: Counter[Any] = Counter()
    for step in steps:
        by_day[step.begin.astimezone(zone).date()] += step.count
    return Forecast(
        words=words.forecast(steps, left, capacity, zone, language), begins_at=steps[0].begin if steps else None,
        ends_at=steps[-1].end if steps else None, rate_per_s=round(capacity.rate, 2), quota_left=capacity.quota_left,
        by_day=dict(by_day), left_over=left,
    )  # fmt: skip


def _advice(campaign: Row, eligible: int, language: Language) -> Advice | None:
    shares = [one["share"] for one in campaign["variants"] if one["share"] > 0]
    if len(shares) < 2:
        return None
    asked = campaign["experiment"]
    smallest = int(min(shares) * eligible)
    base, alpha = USUAL_RATE[asked.get("metric", "reply")], asked.get("alpha", 0.05)
    needed = units_needed(base, asked.get("effect", 0.03), alpha)
    grid = [step / 1000 for step in range(1, 500)]
    detectable = next((gap for gap in grid if base + gap < 1 and units_needed(base, gap, alpha) <= smallest), None)
    return Advice(
        needed_per_variant=needed, smallest_variant=smallest, detectable_effect=detectable,
        words=words.advice(needed, smallest, detectable, language),
    )  # fmt: skip


async def _samples(
    services: Services, channel: Channel, campaign: Row, templates: dict[str, Template], some: Sequence[Member]
) -> list[Sample]:
    known = {row["id"]: row for row in await services.db.fetch(queries.sources, [one.customer_id for one in some])}
    shown = []
    code = "0" * codes.LENGTH  # a link that leads nowhere: nobody is sent what is shown here
    for one in campaign["variants"]:
        template = templates.get(one["name"])
        example = {url: Short(code, links.short(services.settings, code)) for url in links.addresses(one["variables"])}
        for member in some if template else ():
            values = values_of(known.get(member.customer_id, {}), member.variables)
            components, fallbacks = components_of(one["variables"], values, example)
            message = channel.preview(template, components) if template else {}
            shown.append(
                Sample(variant=one["name"], customer_id=member.customer_id, message=message, fallbacks=fallbacks)
            )
    return shown


def blocking(checked: Checked) -> list[dict[str, Any]]:
    """What is in the way, as the context of an error."""
    return [one.model_dump() for one in checked.problems if one.blocks]


def shown_customers(checked: Checked) -> list[UUID]:
    """Whose data the samples show."""
    return sorted({one.customer_id for one in checked.samples or ()})
