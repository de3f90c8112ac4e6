"""Which event rings which jobs: the fan-out of the hub on one screen.

A ring only says "look again": the job finds its work by its mark in PostgreSQL. Jobs that follow from no domain event
(a stored webhook, a split batch) are rung where their mark is made.
"""

from collections.abc import Iterable, Iterator
from uuid import UUID

from hub_api.events import (
    AgentPresenceChanged,
    ConversationAssigned,
    ConversationOpened,
    ConversationStateChanged,
    ConversationSurveyed,
    MessageQueued,
    MessageReceived,
)
from hub_api.platform.eventlog import Event
from hub_api.platform.queue import REGISTRY, Ring


def fan_out(events: Iterable[Event]) -> Iterator[Ring]:
    """The rings that follow from `events`; duplicates are fine, the caller keeps one of each."""
    for event in events:
        match event:
            case MessageReceived():
                yield REGISTRY["ai.jobs.answer"], ()
            case ConversationStateChanged(to_state="resolved"):
                yield REGISTRY["ai.jobs.answer"], ()
                yield REGISTRY["chat.routing.jobs.route"], ()  # a slot is free
                yield REGISTRY["ai.summaries.summarise"], ()
            case ConversationStateChanged(to_state="queued" | "closed"):
                yield REGISTRY["chat.routing.jobs.route"], ()
                yield REGISTRY["ai.summaries.summarise"], ()
            case ConversationOpened(state="queued"):
                yield REGISTRY["chat.routing.jobs.route"], ()
            case ConversationAssigned(strategy=None):  # by hand, maybe from a colleague
                yield REGISTRY["ai.summaries.summarise"], ()
            case ConversationSurveyed(reason="due"):
                yield REGISTRY["whatsapp.survey.jobs.ask"], ()
            case AgentPresenceChanged(presence="online"):
                yield REGISTRY["chat.routing.jobs.route"], ()
            case MessageQueued(number_id=UUID(), shard=shard):  # without a number it is a website's, and sent already
                yield REGISTRY["whatsapp.send.jobs.drain_outbox"], (shard,)
