"""The turn of recipients: who may still get it gets his variant and a place in the outbox, in one transaction for a portion.

The campaign's row is locked for as long, so that a pause waits for the portion under way and none begins after it. A recipient
leaves `pending` in the transaction that writes his message: a process that dies has done both or neither.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid5

import structlog

from hub_api.campaigns.fill import Short, components_of, values_of
from hub_api.campaigns.links import variables as links
from hub_api.campaigns.lists.freeze import cap_of, when_of
from hub_api.campaigns.lists.members import queries as lists
from hub_api.campaigns.plans import states
from hub_api.campaigns.ports import Channel, Message
from hub_api.campaigns.sending import journey
from hub_api.campaigns.timing import may_go, turn_at
from hub_api.events import ExperimentAssigned, ExperimentPlanned, PlannedMetric, assignment_id
from hub_api.platform import sqlfile
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services
from models_ml.experiments.assignment import variant_of

log = structlog.get_logger(__name__)
queries = sqlfile.load(__package__)

PORTION = 500
# Who could not be placed for a reason that passes by itself waits so long.
WAITS_S = 60
_UNSENDABLE = "template_not_approved"
_PASSES = frozenset({"no_number", _UNSENDABLE})


@dataclass(slots=True)
class Portion:
    """What became of a portion: how many were looked at, and how many messages were placed. `blocked`: a code that keeps all
    of them from being placed. `unsendable`: a variant whose template Meta takes no more."""

    looked_at: int = 0
    placed: int = 0
    blocked: str | None = None
    unsendable: str | None = None


@dataclass(slots=True)
class _Sorted:
    """Recipients by what becomes of them."""

    excluded: list[tuple[Row, str]] = field(default_factory=list)
    postponed: list[tuple[Row, datetime | None]] = field(default_factory=list)
    able: list[Row] = field(default_factory=list)


async def take_turns(services: Services, channel: Channel, campaign_id: UUID, run: Row, most: int) -> Portion | None:
    """Give up to `most` recipients of a run their turn. None when the campaign does not run, or another process is at it."""
    now = datetime.now(UTC)
    async with services.transaction() as tx:
        if not await tx.db.fetchval(queries.one_at_a_time, str(campaign_id)):
            return None
        await tx.db.execute(queries.caps_in_turn, campaign_id)
        campaign = await tx.db.fetchrow(queries.lock_working, campaign_id)
        if campaign is None:
            return None
        found_rows = await tx.db.fetch(queries.due, run["id"], now, min(most, PORTION))
        if not found_rows:
            return Portion()
        # One message a person and portion: a try of the first step may wait beside the second one.
        rows = list({row["customer_id"]: row for row in reversed(found_rows)}.values())
        variants = await tx.db.fetch(queries.variants, campaign_id)
        if astray := await links.led_astray(tx, services.settings, campaign_id, variants):
            log.warning("campaign_link_leads_nowhere", campaign_id=str(campaign_id), host=urlsplit(astray).hostname)
            await states.move(tx, campaign, "paused", reason="link")
            return None
        found = await _sort(tx, services, campaign, run, rows, now)
        await _put_aside(tx, services, campaign, run, found)
        portion = await _give(tx, services, channel, campaign, run, variants, found.able, now)
        portion.looked_at = len(rows)
    return portion


async def _sort(
    tx: Transaction, services: Services, campaign: Row, run: Row, rows: Sequence[Row], now: datetime
) -> _Sorted:
    ids = [row["customer_id"] for row in rows]
    found = await tx.db.fetch(queries.exclusions, ids, run["id"], campaign["lane"], *cap_of(campaign))
    reasons = {row["customer_id"]: row["reason"] for row in found}
    when, sorted_ = when_of(campaign, services.settings.timezone, now), _Sorted()
    skipped = await journey.unmet(tx, campaign, run, rows)
    for row in rows:
        reason = reasons.get(row["customer_id"], "gone") or skipped.get((row["customer_id"], row["step"]))
        if reason:
            sorted_.excluded.append((row, reason))
        elif may_go(when, row["state_code"], now):
            sorted_.able.append(row)
        else:
            sorted_.postponed.append((row, turn_at(when, row["state_code"], None, now)))
    return sorted_


async def _put_aside(tx: Transaction, services: Services, campaign: Row, run: Row, found: _Sorted) -> None:
    key = (campaign["id"], run["id"])
    if found.postponed:
        await tx.db.execute(
            queries.postpone, *key, *_keys([row for row, _ in found.postponed]), [at for _, at in found.postponed]
        )
    if found.excluded:
        await tx.db.execute(
            queries.exclude, *key, *_keys([row for row, _ in found.excluded]), [why for _, why in found.excluded]
        )
        unmet = [row for row, why in found.excluded if why == journey.UNMET]
        await journey.go_on(tx, campaign, run, unmet, services.settings.timezone)


async def _give(
    tx: Transaction,
    services: Services,
    channel: Channel,
    campaign: Row,
    run: Row,
    variants: Sequence[Row],
    able: Sequence[Row],
    now: datetime,
) -> Portion:
    chosen = {row["customer_id"]: _variant(campaign, run, variants, row) for row in able}
    by_name = {one["name"]: one for one in variants}
    controls = [row for row in able if by_name[chosen[row["customer_id"]]]["template_name"] is None]
    receivers = [row for row in able if by_name[chosen[row["customer_id"]]]["template_name"] is not None]
    known = {row["id"]: row for row in await tx.db.fetch(lists.sources, [row["customer_id"] for row in receivers])}
    issue, messages, issued = links.issuer(services.settings, campaign["id"], run["id"]), [], {}
    for row in receivers:
        variant, customer_id = by_name[chosen[row["customer_id"]]], row["customer_id"]
        values = values_of(known.get(customer_id, {}), row["variables"])
        codes = issued[customer_id] = issue(variant["variables"], customer_id, row["step"], variant["name"], values)
        shorts = {url: Short(one.code, links.short(services.settings, one.code)) for url, one in codes.items()}
        messages.append(_message(variant, row, values, shorts))
    placed, refused = await channel.place(tx, services.settings, messages, campaign["id"]) if messages else ({}, {})
    sent = [row for row in receivers if row["customer_id"] in placed]
    key = (campaign["id"], run["id"])
    tag = await tx.db.execute(
        queries.queued, *key, *_keys(sent), [chosen[row["customer_id"]] for row in sent],
        [placed[row["customer_id"]].message_id for row in sent], [placed[row["customer_id"]].created_at for row in sent], now,
    )  # fmt: skip
    if tag != f"UPDATE {len(sent)}":
        raise RuntimeError(
            f"{tag} for {len(sent)} messages of campaign {campaign['id']}: rolled back, to be done again"
        )
    carried = [
        (placed[one].message_id, code) for one in (row["customer_id"] for row in sent) for code in issued[one].values()
    ]
    await links.keep(tx, campaign["id"], carried)
    if controls:
        control = next(one["name"] for one in variants if one["template_name"] is None)
        await tx.db.execute(queries.control, *key, [row["customer_id"] for row in controls], control, now)
    blocked = await _refuse(tx, key, [row for row in receivers if row["customer_id"] in refused], refused, now)
    first = [row for row in (*sent, *controls) if row["step"] == 0 and row["attempt"] == 0]
    _tell(tx, campaign, run, variants, [(row["customer_id"], chosen[row["customer_id"]]) for row in first], now)
    today = now.astimezone(services.settings.zone).date()
    await tx.db.execute(queries.count_turns, *key, len(first), len(sent), today)
    unsendable = next((chosen[one] for one, code in refused.items() if code == _UNSENDABLE), None)
    return Portion(placed=len(sent), blocked=blocked if refused and not sent else None, unsendable=unsendable)


def _variant(campaign: Row, run: Row, variants: Sequence[Row], row: Row) -> str:
    """The variant of a recipient: of a step its own, else by salted hash; once there is a winner, all but the control get it."""
    if row["step"] > 0 or (row["attempt"] > 0 and row["variant"]):
        return str(row["variant"])
    shares = {one["name"]: one["share"] for one in variants if one["share"] > 0}
    total = sum(shares.values())
    name = variant_of(
        salt_of(campaign["id"]), row["customer_id"], {key: share / total for key, share in shares.items()}
    )
    silent = {one["name"] for one in variants if one["template_name"] is None}
    return run["promoted"] if run["promoted"] and name not in silent else name


def salt_of(campaign_id: UUID) -> str:
    """The salt of a campaign's assignment: a customer keeps his variant in all its runs."""
    return f"campaign:{campaign_id}"


def _message(variant: Row, row: Row, values: Mapping[str, Any], shorts: Mapping[str, Short]) -> Message:
    components, _ = components_of(variant["variables"], values, shorts)
    return Message(
        row["customer_id"], variant["template_name"], variant["template_language"], components, variant["name"]
    )


async def _refuse(
    tx: Transaction, key: tuple[UUID, UUID], rows: Sequence[Row], refused: Mapping[UUID, str], now: datetime
) -> str | None:
    """Who could not be placed waits when it may pass, and is left out by name of the fault when it may not."""
    waiting = [row for row in rows if refused[row["customer_id"]] in _PASSES]
    over = [row for row in rows if refused[row["customer_id"]] not in _PASSES]
    if waiting:
        later = datetime.fromtimestamp(now.timestamp() + WAITS_S, UTC)
        await tx.db.execute(queries.postpone, *key, *_keys(waiting), [later] * len(waiting))
    if over:
        await tx.db.execute(queries.exclude, *key, *_keys(over), [refused[row["customer_id"]] for row in over])
    return refused[waiting[0]["customer_id"]] if waiting else None


def _keys(rows: Sequence[Row]) -> tuple[list[UUID], list[int]]:
    return [row["customer_id"] for row in rows], [row["step"] for row in rows]


def experiment_of(run_id: UUID) -> UUID:
    """The experiment of a run: its looks and windows are its own."""
    return uuid5(run_id, "experiment")


def _tell(
    tx: Transaction,
    campaign: Row,
    run: Row,
    variants: Sequence[Row],
    assigned: Sequence[tuple[UUID, str]],
    now: datetime,
) -> None:
    """The assignments as the warehouse counts them: also of those who get nothing, and from the same moment on."""
    if sum(one["share"] > 0 for one in variants) < 2:
        return
    experiment_id, name = experiment_of(run["id"]), experiment_name(campaign, run)
    tx.emit(*(
        ExperimentAssigned(
            aggregate_id=assignment_id(experiment_id, customer_id), aggregate_version=1, occurred_at=now,
            experiment_id=experiment_id, experiment=name, variant=variant, customer_id=customer_id, campaign_id=campaign["id"],
        )
        for customer_id, variant in assigned
    ))  # fmt: skip


def experiment_name(campaign: Row, run: Row) -> str:
    """How people find the experiment: the campaign's name, of later runs with their occurrence."""
    return str(campaign["name"]) if run["occurrence"] == "once" else f"{campaign['name']} · {run['occurrence']}"


async def tell_plan(
    tx: Transaction, campaign: Row, run: Row, variants: Sequence[Row], shares: Mapping[str, float] | None = None
) -> None:
    """What is decided before the first assignment, or the new shares since (left out: those of the variants). A campaign with one
    variant is no experiment, and its plan says what it wants and for how long: replies and payments of no other campaign are goals
    of it."""
    shares = dict(shares) if shares else {one["name"]: one["share"] for one in variants if one["share"] > 0}
    asked, experiment_id = campaign["experiment"], experiment_of(run["id"])
    control = next((one["name"] for one in variants if one["template_name"] is None), next(iter(shares)))
    metrics = [PlannedMetric(name="opt_out", role="guardrail", effect=0.01, margin=asked.get("most_opt_outs", 0.01))]
    for name in ("conversion", "reply"):
        converts = asked.get("metric") == "conversion" or control in _silent(variants)
        primary = name == ("conversion" if converts else "reply")
        metrics.append(
            PlannedMetric(name=name, role="primary" if primary else "secondary", effect=asked.get("effect", 0.03))
        )
    version = await tx.db.fetchval(queries.experiment_version, experiment_id)
    tx.emit(ExperimentPlanned(
        aggregate_id=experiment_id, aggregate_version=version + 1, occurred_at=datetime.now(UTC),
        experiment=experiment_name(campaign, run), control=control, shares=shares, goal=campaign["goal"] or "reply",
        window_days=campaign["window_days"], metrics=tuple(metrics), alpha=asked.get("alpha", 0.05), campaign_id=campaign["id"],
    ))  # fmt: skip


def _silent(variants: Sequence[Row]) -> set[str]:
    return {one["name"] for one in variants if one["template_name"] is None}
