"""The bot's job: conversations whose turn it is are answered, each in the transaction that ends its turns."""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import structlog

from hub_api.ai.bot import (
    Decision,
    Facts,
    HandOver,
    Rate,
    Recommend,
    Reopen,
    Resolve,
    Say,
    State,
    Survey,
    ask_satisfaction,
    decide,
    late_answers,
)
from hub_api.ai.hear import Inbound
from hub_api.ai.rules import Rules, load_rules
from hub_api.chat import conversations
from hub_api.chat.business.answers import Known, link_contracts, load_known
from hub_api.chat.outgoing import queue_message, text
from hub_api.chat.resolve import rate, recommend, resolve
from hub_api.chat.survey import note
from hub_api.chat.transfer import transfer
from hub_api.errors import HubError
from hub_api.platform import sqlfile
from hub_api.platform.dberrors import RETRYABLE
from hub_api.platform.ids import uuid7
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction
from hub_api.platform.queue import job
from hub_api.platform.services import Services

queries = sqlfile.load(__package__)
log = structlog.get_logger(__name__)

BATCH = 100
# A job hands the worker back after this long and rings itself again: other queues wait behind it.
WORK_S = 2.0


@job("bot", timeout_s=60)
async def answer(services: Services) -> None:
    """Answer conversations until none waits or time is up. One that cannot be answered goes to a person instead."""
    stop_at = time.monotonic() + WORK_S
    while time.monotonic() < stop_at:
        waiting = await services.db.fetch(queries.waiting_turns, BATCH)
        if not waiting:
            await services.db.execute(queries.delete_orphaned_turns)
            return
        if not await _answer_or_part(services, waiting):
            return  # all in other hands, which look again when they are done
    await services.bells.ring([(answer, ())])


async def _answer_or_part(services: Services, waiting: Sequence[Row]) -> int:
    """Answer these conversations together; if that fails, one by one. Returns how many were answered or handed over."""
    try:
        return await _answer(services, waiting)
    except Exception as error:
        if _may_pass(error):
            raise
        log.warning("bot_batch_parted", conversations=len(waiting), error=type(error).__name__)
    done = 0
    for row in waiting:
        try:
            done += await _answer(services, [row])
        except Exception as error:
            if _may_pass(error):
                raise
            log.exception("bot_turn_failed", conversation_id=str(row["conversation_id"]))
            done += await _give_to_a_person(services, row["conversation_id"])
    return done


def _may_pass(error: Exception) -> bool:
    return error.retryable if isinstance(error, HubError) else isinstance(error, RETRYABLE)


async def _answer(services: Services, waiting: Sequence[Row]) -> int:
    rules, now = load_rules(), datetime.now(UTC)
    async with services.transaction() as tx:
        await link_contracts(tx, {row["customer_id"] for row in waiting})
        waiting_ids = [row["conversation_id"] for row in waiting]
        taken = await tx.db.fetch(queries.take_conversations, waiting_ids, services.settings.nps_flow)
        turns: dict[UUID, list[Row]] = defaultdict(list)
        for turn in await tx.db.fetch(queries.read_turns, [row["id"] for row in taken], _stale_after(services)):
            turns[turn["conversation_id"]].append(turn)
        known = await load_known(tx, {row["customer_id"] for row in taken}, now, services.settings.zone)
        states: dict[UUID, State] = {}
        for row in taken:
            decision = _decide(rules, row, turns[row["id"]], _facts(row, turns[row["id"]], known, now, services))
            states[row["id"]] = decision.state
            await _act(tx, rules, row["id"], decision)
        await tx.db.execute(queries.save_states, list(states), [msgspec.to_builtins(one) for one in states.values()])
        await tx.db.execute(queries.delete_turns, [turn["id"] for each in turns.values() for turn in each])
    return len(taken)


def _stale_after(services: Services) -> timedelta:
    return timedelta(minutes=services.settings.stale_inbound_minutes)


def _facts(row: Row, turns: Sequence[Row], known: Known, now: datetime, services: Services) -> Facts:
    return Facts(
        protocol=row["protocol"],
        now=now,
        zone=services.settings.zone,
        name=row["name"],
        contracts=known.contracts.get(row["customer_id"], ()),
        plans=known.plans,
        conversation_id=row["id"],
        asks_nps=services.settings.survey_nps,
        nps_form=services.settings.nps_flow if row["may_open_form"] else None,
        window_open=conversations.window_open(row, now),
        has_template=services.settings.survey_template is not None,
        surveyed=row["survey"] is not None,
        resolved=row["state"] == "resolved",
        for_people=row["agent_id"] is not None or any(turn["stale"] for turn in turns),
    )


def _decide(rules: Rules, row: Row, turns: Sequence[Row], facts: Facts) -> Decision:
    """What the turns call for; what somebody says of an earlier end, and no more, when a person has the conversation by now or the 24 h
    window has closed."""
    state = msgspec.convert(row["bot_state"], State)
    if facts.resolved and any(turn["trigger"] == "resolved" for turn in turns):
        return ask_satisfaction(rules, state, facts)
    inbound = [_inbound(turn) for turn in turns if turn["message_id"] is not None and not turn["revoked"]]
    if row["state"] not in ("bot", "resolved") or not facts.window_open:
        return Decision(late_answers(inbound, ended=row["state"] in ("resolved", "closed")), state)
    return decide(rules, state, inbound, facts)


def _inbound(turn: Row) -> Inbound:
    """A message's row as the bot sees it: the words in brackets that people read are no words of the customer."""
    detail: Mapping[str, object] = turn["detail"] or {}
    carries = str(detail.get("carries", "unknown"))
    own = {"text": turn["content"], "choice": turn["content"], "media": detail.get("caption")}.get(carries)
    choice = detail.get("id") if carries == "choice" else None
    form = detail.get("response") if carries == "flow_reply" else None
    return Inbound(
        carries=carries,
        text=own if isinstance(own, str) else None,
        choice=choice if isinstance(choice, str) else None,
        form=form if isinstance(form, Mapping) else None,
        voice=bool(detail.get("voice")),
        wamid=turn["wamid"],
        consent=(turn["scope"], turn["granted"]) if turn["scope"] else None,
    )


async def _act(tx: Transaction, rules: Rules, conversation_id: UUID, decision: Decision) -> None:
    for action in decision.actions:
        match action:
            case Say(draft=draft):
                await queue_message(tx, conversation_id, draft)
            case HandOver(reason=reason):
                await _to_queue(tx, rules, conversation_id, f"bot_{reason}")
            case Resolve(reason=reason):
                await resolve(tx, conversation_id, reason=f"bot_{reason}")
            case Reopen(to_queue=True):
                await _to_queue(tx, rules, conversation_id, "reopened")
            case Reopen():
                await conversations.move(tx, conversation_id, "bot", reason="reopened")
            case Rate(grade=grade, about=about):
                if (end := await _end(tx, conversation_id, about)) is not None:
                    await rate(tx, end, grade)
            case Recommend(score=score, about=about):
                if (end := await _end(tx, conversation_id, about)) is not None:
                    await recommend(tx, end, score)
            case Survey(outcome=outcome):
                await note(tx, conversation_id, outcome)


async def _end(tx: Transaction, conversation_id: UUID, about: UUID | None) -> UUID | None:
    """The conversation that is graded: this one, or another of the same customer; None for a stranger's or one that is gone."""
    if about is None or about == conversation_id:
        return conversation_id
    return await tx.db.fetchval(queries.same_customer, conversation_id, about)  # type: ignore[no-any-return]


async def _to_queue(tx: Transaction, rules: Rules, conversation_id: UUID, reason: str) -> None:
    await tx.db.execute(queries.ensure_queue, uuid7(), rules.queue.key, rules.queue.name)
    # Out of use it is no reason to keep the customer with the bot: the router finds a queue for who has none.
    in_use = await tx.db.fetchval(queries.queue_in_use, rules.queue.key)
    await transfer(tx, conversation_id, in_use, reason=reason)


async def _give_to_a_person(services: Services, conversation_id: UUID) -> int:
    """End the turns of a conversation the bot cannot answer, so that no customer waits for a bot that fails."""
    rules = load_rules()
    try:
        async with services.transaction() as tx:
            taken = await tx.db.fetch(queries.take_conversations, [conversation_id], None)
            for row in taken:
                ended = await tx.db.fetch(queries.end_turns, conversation_id)
                if row["state"] in ("bot", "resolved") and any(turn["trigger"] == "message" for turn in ended):
                    await queue_message(
                        tx, conversation_id, text(rules.texts["handed_over_failed"].format(protocol=row["protocol"]))
                    )
                    await _to_queue(tx, rules, conversation_id, "bot_failed")
            return len(taken)
    except Exception as error:
        if _may_pass(error):
            raise
        log.exception("bot_turn_dead", conversation_id=str(conversation_id), remedy="answer this conversation by hand")
    await services.db.execute(queries.end_turns, conversation_id)
    return 1
