"""What becomes of an accepted message: its statuses, forward only, told by webhook with pricing and contacts."""

from typing import Any
from urllib.parse import urlsplit

from hub_api.simulator import ids, inbound, planted
from hub_api.simulator.behaviour import Reaction
from hub_api.simulator.core import Core
from hub_api.simulator.errors import webhook_error
from hub_api.simulator.model import Outbound, User
from hub_api.simulator.payload import number_value

RANK = {"accepted": 0, "held": 0, "paused": 0, "sent": 1, "delivered": 2, "read": 3, "played": 4}
SENT_AFTER_S = 0.05
PRICED_STATUSES = (("sent", "delivered"), ("sent", "read"), ("sent",), ("delivered",))


def set_off(core: Core, message: Outbound, user: User) -> None:
    """Plan the statuses of a message that goes out now, and what its user does about it."""
    now = core.clock.now()
    message.pricing_on = PRICED_STATUSES[core.rng.choice((0, 0, 0, 1, 2, 3))]
    core.timeline.at(now + SENT_AFTER_S, move, core, message, "sent")
    for reaction in planted.reactions(core.planted, core.behaviour, user, message, core.rng):
        after = max(reaction.after_s, SENT_AFTER_S)
        core.timeline.at(now + after, _react, core, message, user, reaction)


def release(core: Core, message: Outbound) -> None:
    """Let a message go that pacing held; nothing when that was decided before."""
    held = message.template.held.pop(message.wamid, None) if message.template is not None else None
    if held is not None and message.user is not None:
        message.status = "accepted"
        set_off(core, message, message.user)


def move(core: Core, message: Outbound, status: str) -> None:
    """Take the message to a later status and tell it; earlier or impossible ones are passed over."""
    user = message.user
    if user is None or RANK.get(message.status, 9) >= RANK[status]:
        return
    if status != "sent" and (message.type == "reaction" or user.pair(message.number.id).blocked):
        return
    if status == "read" and not user.read_receipts:
        return
    if status != "sent" and RANK[message.status] < RANK["delivered"] and core.clock.now() > message.expires_at:
        core.events["expired"] += 1
        return
    message.status = status
    core.events[status] += 1
    if status in core.delivery.knobs.statuses and core.address_for(message.number):
        core.tell(message.number, "messages", _status_value(core, message, user, status))


def fail(core: Core, message: Outbound, code: int, details: str = "") -> None:
    """End the message with a failed status: without contacts, and with the BSUID only if it was addressed by it."""
    if RANK.get(message.status, 9) >= RANK["delivered"]:
        return
    message.status = "failed"
    core.events["failed"] += 1
    if "failed" not in core.delivery.knobs.statuses:
        return
    now = core.clock.now()
    item: dict[str, Any] = {"id": message.wamid, "status": "failed", "timestamp": str(int(now))}
    if message.user is not None:
        item |= core.people.phone_fields("recipient_id", message.user, message.number, now, always=not message.to_bsuid)
        if message.to_bsuid:
            item["recipient_user_id"] = message.user.bsuids[message.number.waba.portfolio.id]
    item["errors"] = [webhook_error(code, details)]
    core.tell(message.number, "messages", number_value(message.number, statuses=[item]))


def _status_value(core: Core, message: Outbound, user: User, status: str) -> dict[str, Any]:
    number, now = message.number, core.clock.now()
    by_phone = not message.to_bsuid
    contact = core.people.contact(user, number, now, username=status != "sent", always=by_phone)
    item: dict[str, Any] = {
        "id": message.wamid,
        "status": status,
        "timestamp": str(int(now)),
        **core.people.phone_fields("recipient_id", user, number, now, always=by_phone),
        "recipient_user_id": contact["user_id"],
    }
    if message.opaque:
        item["biz_opaque_callback_data"] = message.opaque
    if message.free_entry_until:
        item["conversation"] = {"id": ids.conversation_id(message.wamid), "origin": {"type": "referral_conversion"}}
        if status == "sent":
            item["conversation"]["expiration_timestamp"] = str(int(message.free_entry_until))
    if message.pricing is not None and status in message.pricing_on:
        item["pricing"] = message.pricing
    return number_value(number, contacts=[contact], statuses=[item])


def _react(core: Core, message: Outbound, user: User, reaction: Reaction) -> None:
    match reaction.act:
        case "delivered" | "read" | "played":
            move(core, message, reaction.act)
        case "failed":
            fail(core, message, reaction.code or 131026)
        case "writes":
            quoted = message.wamid if reaction.quotes else ""
            inbound.write(core, user, message.number, reaction.type, reaction.content, quotes=quoted)
        case "blocks":
            user.pair(message.number.id).blocked = True
        case "unblocks":
            user.pair(message.number.id).blocked = False
        case "opens":
            _open(core, message, str(dict(reaction.content)["url"]))
        case "opts_out":
            inbound.prefer(core, user, message.number, "stop")
        case "opts_in":
            inbound.prefer(core, user, message.number, "resume")


def _open(core: Core, message: Outbound, url: str) -> None:
    """Only links to where the webhooks go: people here visit nobody else."""
    ours, theirs = urlsplit(core.address_for(message.number) or ""), urlsplit(url)
    if ours.netloc and (theirs.scheme, theirs.netloc) == (ours.scheme, ours.netloc):
        core.events["opened"] += 1
        core.delivery.visit(url)
