"""Rules that watch a run: the smooth start, the mismatch of arms, the winner under guardrails, Thompson's shares. What a rule
decides is kept with its evidence, and a rule that has ended speaks no more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hub_api.campaigns.plans import states
from hub_api.campaigns.ports import Channel
from hub_api.campaigns.sending.turn import queries, tell_plan
from hub_api.platform.pgtypes import Row
from hub_api.platform.services import Services
from models_ml.experiments import running
from models_ml.experiments.running import Arm, Verdict

LOOK_EVERY_S = 30  # a look counts all recipients
REALLOCATE_AFTER = timedelta(hours=1)
# What Meta does to templates that people block and report.
COMPLAINED = frozenset({"LOW_QUALITY", "PAUSED", "DISABLED"})
# The rest goes by the planned shares: the time for a winner is over, or a person resumed a test that counts no more.
WITHOUT_WINNER = frozenset({("winner", "go_on"), ("mismatch", "go_on")})
# Between the test's end and the decision somebody may still be counted: less than this is not looked at as a smooth start.
BEGINS = "0001-01-01T00:00:00+00:00"


@dataclass(frozen=True, slots=True)
class Room:
    """How many turns more a rule allows now, and which one."""

    turns: int
    rule: str


async def room_by_rules(services: Services, campaign: Row, run: Row) -> Room | None:
    """How many more turns the rules allow the run now; None: as many as there are. A rule that stops it pauses the campaign."""
    decisions = await services.db.fetch(queries.decisions, run["id"])
    done = {(row["rule"], row["outcome"]) for row in decisions}
    smooth, asked = campaign["pacing"].get("smooth_start"), campaign["experiment"]
    if smooth and ("smooth_start", "go_on") not in done:
        return Room(await _smooth(services, campaign, run, smooth), "smooth_start")
    if asked.get("allocation") == "winner" and run["promoted"] is None and not WITHOUT_WINNER & done:
        turns = await _until_decided(services, campaign, run, asked)
        return None if turns is None else Room(turns, "winner")
    return None


async def _smooth(services: Services, campaign: Row, run: Row, smooth: Mapping[str, Any]) -> int:
    first = max(smooth["at_least"], int(run["eligible"] * smooth["share"]))
    if run["turns"] < min(first, run["eligible"]):
        return int(first - run["turns"])
    if run["last_turn_at"] and datetime.now(UTC) - run["last_turn_at"] < timedelta(minutes=smooth["wait_minutes"]):
        return 0
    if await services.db.fetchval(queries.in_outbox, [run["id"]]):
        return 0  # nobody knows yet what became of some
    async with services.transaction() as tx:
        row = await tx.db.fetchrow(queries.lock_working, campaign["id"])
        if row is None:
            return 0
        (seen,) = await tx.db.fetch(queries.failures, run["id"])
        n = max(seen["n"], 1)
        evidence = {**dict(seen), "most_failed": smooth["most_failed"], "most_opt_outs": smooth["most_opt_outs"]}
        good = seen["failed"] / n <= smooth["most_failed"] and seen["opt_outs"] / n <= smooth["most_opt_outs"]
        await states.decide(tx, campaign["id"], run["id"], "smooth_start", "go_on" if good else "stop", evidence)
        if not good:
            await states.move(tx, row, "paused", reason="smooth_start")
    return 0


async def _until_decided(services: Services, campaign: Row, run: Row, asked: Mapping[str, Any]) -> int | None:
    """Of a test with a share of the recipients, the rest waits for the winner, or for the end of the time for it."""
    test = int(run["eligible"] * asked.get("test_share", 1.0))
    if run["turns"] < test:
        return test - int(run["turns"])
    if test >= run["eligible"]:
        return None
    late = datetime.now(UTC) - (run["started_at"] or run["created_at"]) > timedelta(
        hours=asked.get("decide_within_hours", 72)
    )
    if not late:
        return 0
    async with services.transaction() as tx:
        await states.decide(tx, campaign["id"], run["id"], "winner", "go_on", {"why": "no winner within the time"})
    return None


@dataclass(frozen=True, slots=True)
class Seen:
    """A test as its rule sees it at a moment: `tested` are all its variants, `arms` the messages, `silent` those who get none."""

    tested: Sequence[Row]
    changes: Sequence[Row]
    arms: Mapping[str, Arm]
    silent: Mapping[str, Arm]
    verdict: Verdict


async def see(services: Services, campaign: Row, run_id: UUID, decisions: Sequence[Row]) -> Seen | None:
    """The run's test now, by the formulas of the rule; None where there is nothing to compare. `decisions`: those of the run.

    Whoever came after a promotion is not of the test: all of them got the winner, and the arms would look mismatched.
    """
    variants = await services.db.fetch(queries.variants, campaign["id"])
    tested = [one for one in variants if one["share"] > 0 or not one["active"]]
    if len(tested) < 2:
        return None
    asked = campaign["experiment"]
    changes = [row for row in decisions if row["rule"] == "thompson"]
    end = promoted_at(decisions)
    ends = [row["decided_at"] for row in changes] + ([end] if end else [])
    counts = await services.db.fetch(
        queries.looked, run_id, asked.get("metric", "reply"), ends, campaign["goal"] or "reply", campaign["window_days"]
    )
    counts = [row for row in counts if end is None or row["period"] < len(ends)]
    arms = _arms([one for one in tested if one["template_name"]], counts)
    silent = _arms([one for one in tested if not one["template_name"]], counts)
    verdict = running.judge(
        arms, effect=asked.get("effect", 0.03), alpha=asked.get("alpha", 0.05), margin=asked.get("most_opt_outs", 0.01),
        mismatch_p=running.mismatch(_periods(tested, changes, counts)),
        silent=silent if asked.get("metric") == "conversion" else None,
    )  # fmt: skip
    return Seen(tested, changes, arms, silent, verdict)


def promoted_at(decisions: Sequence[Row]) -> datetime | None:
    """When a winner was promoted, which ends the test; None while it goes on."""
    found = (row["decided_at"] for row in decisions if (row["rule"], row["outcome"]) == ("winner", "promote"))
    return next(found, None)


async def look(services: Services, campaign: Row, run: Row) -> str | None:
    """Look at a running test and act: the outcome of what was decided now, None where nothing was.

    A mismatch pauses the campaign, since no figure of the test counts; a winner is promoted to whoever is still to come.
    """
    decisions = await services.db.fetch(queries.decisions, run["id"])
    if run["promoted"] is not None or any(_ends_the_test(row) for row in decisions):
        return None
    seen = await see(services, campaign, run["id"], decisions)
    if seen is None:
        return None
    asked, verdict, arms = campaign["experiment"], seen.verdict, seen.arms
    evidence = {
        "metric": asked.get("metric", "reply"), "alpha": asked.get("alpha", 0.05), "effect": asked.get("effect", 0.03),
        "arms": {name: {"n": arm.n, "successes": arm.successes, "opt_outs": arm.opt_outs} for name, arm in arms.items()},
        "p": dict(verdict.p), "mismatch_p": verdict.mismatch_p, "opt_outs_beyond_at_most": dict(verdict.harm_high),
        "margin": asked.get("most_opt_outs", 0.01),
    }  # fmt: skip
    if evidence["metric"] == "conversion":
        # Whoever got nothing may pay too: not an arm that can win, but one that a winner has to beat.
        evidence["control"] = {name: {"n": arm.n, "successes": arm.successes} for name, arm in seen.silent.items()}
    if verdict.why == "mismatch":
        return await _stop(services, campaign["id"], run["id"], evidence, "mismatch")
    if asked.get("allocation") == "winner" and verdict.winner is not None:
        return await _promote(services, campaign["id"], run, seen.tested, verdict.winner, evidence)
    if asked.get("allocation") == "thompson":
        return await _reallocate(services, campaign, run, seen.tested, arms, seen.changes, evidence)
    return None


def _ends_the_test(decision: Row) -> bool:
    if (decision["rule"], decision["outcome"]) == ("mismatch", "go_on"):
        return True
    return decision["rule"] == "winner" and decision["outcome"] != "undecided" and bool(decision["evidence"].get("p"))


async def stop_unsendable(services: Services, channel: Channel, campaign: Row, run: Row, variant: str) -> None:
    """Stop a campaign of which Meta takes a template no more: whether it is sent again, and by which message, a person decides.

    A template of low quality, or paused for it, is one that people blocked and reported: the guardrail of complaints.
    """
    (sent,) = [one for one in await services.db.fetch(queries.variants, campaign["id"]) if one["name"] == variant]
    template = await channel.template(services, sent["template_name"], sent["template_language"])
    status = template.status if template else "DELETED"
    rule = "guardrail" if status in COMPLAINED else "template"
    named = {"template": sent["template_name"], "template_language": sent["template_language"]}
    await _stop(services, campaign["id"], run["id"], {"variant": variant, **named, "status": status}, rule)


async def _stop(
    services: Services, campaign_id: UUID, run_id: UUID, evidence: Mapping[str, Any], rule: str
) -> str | None:
    async with services.transaction() as tx:
        row = await tx.db.fetchrow(queries.lock_working, campaign_id)
        if row is None:
            return None
        await states.decide(tx, campaign_id, run_id, rule, "stop", evidence)
        await states.move(tx, row, "paused", reason=rule)
    return "stop"


async def _promote(
    services: Services, campaign_id: UUID, run: Row, tested: Sequence[Row], winner: str, evidence: Mapping[str, Any]
) -> str | None:
    """The winner for whoever is still to come. That is a plan with other shares: without it the arms would look mismatched in the
    warehouse, since all the rest fall to one."""
    shares = {one["name"]: 0.0 if one["template_name"] else float(one["share"]) for one in tested}
    shares[winner] = 1.0 - sum(shares.values())
    async with services.transaction() as tx:
        locked = await tx.db.fetchrow(queries.lock_working, campaign_id)
        if locked is None:
            return None
        await tx.db.execute(queries.promote, run["id"], winner)
        await tx.db.execute(queries.lose, campaign_id, winner)
        await states.decide(tx, campaign_id, run["id"], "winner", "promote", {**evidence, "winner": winner})
        await tell_plan(tx, locked, run, tested, shares)
    return "promote"


async def _reallocate(
    services: Services,
    campaign: Row,
    run: Row,
    tested: Sequence[Row],
    arms: Mapping[str, Arm],
    changes: Sequence[Row],
    evidence: Mapping[str, Any],
) -> str | None:
    """New shares for the messages among themselves; the control keeps its own."""
    since = changes[-1]["decided_at"] if changes else run["started_at"] or run["created_at"]
    if datetime.now(UTC) - since < REALLOCATE_AFTER or any(arm.n < running.MIN_UNITS for arm in arms.values()):
        return None
    control = sum(one["share"] for one in tested if not one["template_name"])
    floor = min(campaign["experiment"].get("floor", 0.1), 1 / len(arms))
    shares = {name: share * (1 - control) for name, share in running.thompson(arms, floor).items()}
    shares |= {one["name"]: one["share"] for one in tested if not one["template_name"]}
    before = {one["name"]: one["share"] for one in tested}
    async with services.transaction() as tx:
        locked = await tx.db.fetchrow(queries.lock_working, campaign["id"])
        if locked is None:
            return None
        await tx.db.execute(queries.set_shares, campaign["id"], list(shares), list(shares.values()))
        told = {**evidence, "shares": shares, "before": before}
        await states.decide(tx, campaign["id"], run["id"], "thompson", "reallocate", told)
        await tell_plan(tx, locked, run, await tx.db.fetch(queries.variants, campaign["id"]))
    return "reallocate"


def _arms(messages: Sequence[Row], counts: Sequence[Row]) -> dict[str, Arm]:
    return {
        one["name"]: Arm(*(sum(row[name] for row in counts if row["variant"] == one["name"]) for name in ("n", "successes", "opt_outs")))
        for one in messages
    }  # fmt: skip


def _periods(
    tested: Sequence[Row], changes: Sequence[Row], counts: Sequence[Row]
) -> list[tuple[dict[str, int], dict[str, float]]]:
    """Counts and shares of each time the shares were others."""
    now = {one["name"]: float(one["share"]) for one in tested}
    shares = [dict(row["evidence"]["before"]) for row in changes] + [now]
    return [
        ({row["variant"]: row["n"] for row in counts if row["period"] == number and row["variant"] in given}, given)
        for number, given in enumerate(shares)
    ]
