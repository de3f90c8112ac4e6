"""The send call: checked as Meta checks it, accepted with a wamid, and on its way."""

from dataclasses import dataclass
from typing import Any

from hub_api.simulator import ids, limits, pricing, statuses
from hub_api.simulator.check_message import check_content
from hub_api.simulator.check_template import check_template
from hub_api.simulator.core import Core
from hub_api.simulator.errors import MetaError
from hub_api.simulator.model import Number, Outbound, Template, User

Json = dict[str, Any]

STATUS_REFUSALS = {
    "PENDING": (133010, "The phone number is not registered on the Cloud API. Register it first."),
    "DISCONNECTED": (133010, "The phone number is disconnected. Register it again."),
    "UNVERIFIED": (133010, "The phone number is not verified."),
    "DELETED": (33, "The business phone number has been deleted."),
    "MIGRATED": (33, "The business phone number was migrated to another account."),
    "BANNED": (131031, "The account has been locked for violating a policy."),
    "RESTRICTED": (131031, "The account is restricted; see Business Support Home."),
    "RATE_LIMITED": (131048, "There are restrictions on how many messages this phone number may send."),
    "OFFLINE": (131016, "The phone number is offline."),
}


PACING_DECISION_S = 3_600.0  # held messages are decided about within the hour; without a verdict they go out
MARKETING_SYNC_S = 600.0
DIGITS_ONLY = {ord(c): None for c in "+ -()."}
FAILURE_DETAILS = {
    130472: "The user is part of an experiment.",
    131026: "Message undeliverable.",
    131042: "Message failed to send because there is no payment method on the account.",
    131047: "Message failed to send because more than 24 hours have passed since the customer last replied to this "
    "number.",
    131049: "In order to maintain a healthy ecosystem engagement, the message failed to be delivered.",
    131050: "The recipient has chosen to stop receiving marketing messages from your business.",
}


@dataclass(slots=True)
class Address:
    """Whom a call names: digits of a phone, a BSUID in `recipient`, or a BSUID wrongly put in `to`."""

    shown: str
    value: str
    is_bsuid: bool = False
    misplaced: bool = False


@dataclass(slots=True)
class Request:
    """A checked call. `forced_failure` is a code with which the message shall fail after it was accepted."""

    payload: Json
    type: str
    template: Template | None
    address: Address
    marketing_api: bool = False
    forced_failure: int | None = None


def address_of(payload: Json, number: Number) -> Address:
    """Read `to` (which wins) or `recipient`. A number without `+` and country code gets the business's own country
    code. Raises MetaError on neither, or on something that is no address."""
    to = payload.get("to")
    if to:
        shown = str(to)
        if ids.is_bsuid(shown):
            return Address(shown, shown, is_bsuid=True, misplaced=True)
        digits = shown.translate(DIGITS_ONLY)
        if not shown.startswith("+") and len(digits) in (10, 11) and number.display.startswith("55"):
            digits = "55" + digits
        if not 8 <= len(digits) <= 15 or not digits.isascii() or not digits.isdigit():
            raise MetaError(131009, f"to: {shown} is not a phone number with country code.")
        return Address(shown, digits)
    recipient = payload.get("recipient")
    if not recipient:
        raise MetaError(100, "The parameter to is required.")
    if not isinstance(recipient, str) or not ids.is_bsuid(recipient):
        raise MetaError(131009, "recipient must be a business-scoped user id such as BR.1502576394655843.")
    return Address(recipient, recipient, is_bsuid=True)


def check_call(core: Core, number: Number, payload: Json, *, marketing_api: bool) -> tuple[str, Template | None]:
    """Everything about a call that does not depend on its recipient; returns type and template. Raises MetaError."""
    if payload.get("messaging_product") != "whatsapp":
        raise MetaError(100, "The parameter messaging_product is required and must be whatsapp.")
    if payload.get("recipient_type", "individual") != "individual":
        raise MetaError(100, "Param recipient_type must be one of {individual}; groups are not enabled here.")
    opaque = payload.get("biz_opaque_callback_data", "")
    if not isinstance(opaque, str) or len(opaque) > 512:
        raise MetaError(100, "Param biz_opaque_callback_data must be at most 512 characters long.")
    context = payload.get("context")
    if context is not None and not (isinstance(context, dict) and isinstance(context.get("message_id"), str)):
        raise MetaError(100, "Param context must have a message_id.")
    type_ = payload.get("type", "text")
    if not isinstance(type_, str):
        raise MetaError(100, "Param type must be a string.")
    if type_ != "template":
        if marketing_api:
            raise MetaError(131055, "The Marketing Messages API sends template messages only.")
        check_content(type_, payload.get(type_), number, core.find_media)
        return type_, None
    body = payload.get("template")
    if not isinstance(body, dict):
        raise MetaError(100, "The parameter template is required.")
    template = check_template(number.waba, body, core.find_media)
    if marketing_api and template.category != "MARKETING":
        raise MetaError(134100, f"Template {template.name} is {template.category}: only marketing templates here.")
    if marketing_api and core.clock.now() - template.created_at < MARKETING_SYNC_S:
        raise MetaError(
            134101, f"Template {template.name} is syncing with the Marketing Messages API. Wait 10 minutes."
        )
    if marketing_api and not number.waba.marketing_messages_terms:
        raise MetaError(134102, "The Marketing Messages API terms are not accepted for this account.")
    if not marketing_api and template.category == "MARKETING" and not number.waba.marketing_on_cloud_api:
        raise MetaError(131063, "Marketing templates of this account go through the Marketing Messages API.")
    return type_, template


def check_sender(core: Core, number: Number) -> None:
    """The number's and account's state and the number's throughput. Raises MetaError."""
    now = core.clock.now()
    if number.status != "CONNECTED" and number.status in STATUS_REFUSALS:
        raise MetaError(*STATUS_REFUSALS[number.status])
    if number.waba.restricted_until > now:
        raise MetaError(368, "The WhatsApp Business Account is restricted for violating a platform policy.")
    if number.upgrading_until > now:
        raise MetaError(131057, "The number's throughput is being upgraded. Try again in a minute.")
    if core.enforces("throughput") and not limits.take_throughput(number, now):
        raise MetaError(
            130429,
            "Message failed to send because there were too many messages sent from this phone number in a short "
            "period of time.",
        )


def accept(core: Core, number: Number, request: Request) -> tuple[Json, str]:
    """Accept a checked call: response and wamid; statuses follow by themselves. Raises MetaError on what the recipient
    forbids."""
    now = core.clock.now()
    payload, address, template = request.payload, request.address, request.template
    message = Outbound(
        wamid=ids.wamid(address.value, core.rng),
        number=number,
        user=None,
        type=request.type,
        body=payload[request.type],
        accepted_at=now,
        expires_at=now + ttl_s(template),
        template=template,
        opaque=payload.get("biz_opaque_callback_data", ""),
        context_id=(payload.get("context") or {}).get("message_id", ""),
        to_bsuid=address.is_bsuid,
    )
    if template is not None:
        message.category = "marketing_lite" if request.marketing_api else template.category.lower()
    if address.misplaced:
        message.status = "lost"
        core.events["lost_bsuid_in_to"] += 1
        core.keep(message)
        digits = "".join(c for c in address.shown if c.isdigit())
        return _response(message, {"input": address.shown, "wa_id": digits}), message.wamid
    user = _recipient(core, number, address, template)
    message.user = user
    failure: int | None = 131026
    if user is not None:
        _check_recipient(core, number, payload, user, now)
        failure = _why_not(core, message, user, now)
        if not address.is_bsuid:
            user.pair(number.id).phone_used_at = now
    if failure is not None and failure not in core.asynchronous_codes:
        raise MetaError(failure, FAILURE_DETAILS[failure])
    core.keep(message)
    _go(core, message, user, request.forced_failure or failure, now)
    if address.is_bsuid:
        contact = {"input": address.shown, "user_id": address.value}
    else:
        contact = {"input": address.shown, "wa_id": user.wa_id if user is not None else address.value}
    return _response(message, contact), message.wamid


def ttl_s(template: Template | None) -> float:
    """How long delivery is tried: 30 days, or what the template says (authentication: 10 minutes)."""
    if template is None:
        return 30 * limits.DAY_S
    if template.ttl_s is not None:
        return float(template.ttl_s)
    return 600.0 if template.category == "AUTHENTICATION" else 30 * limits.DAY_S


def mark_read(core: Core, payload: Json) -> Json:
    """Read receipt, with or without a typing indicator, for a message of the last 30 days. Raises MetaError."""
    if payload.get("messaging_product") != "whatsapp":
        raise MetaError(100, "The parameter messaging_product is required and must be whatsapp.")
    message_id = payload.get("message_id")
    if not isinstance(message_id, str) or not message_id.startswith("wamid."):
        raise MetaError(131009, "message_id must be the id of a message you received.")
    typing = payload.get("typing_indicator")
    if typing is not None and (not isinstance(typing, dict) or typing.get("type") != "text"):
        raise MetaError(100, "Param typing_indicator['type'] must be text.")
    core.events["typing" if typing else "marked_read"] += 1
    return {"success": True}


def _recipient(core: Core, number: Number, address: Address, template: Template | None) -> User | None:
    if not address.is_bsuid:
        if ids.canonical_phone(address.value) == ids.canonical_phone(number.display):
            raise MetaError(131021, "Recipient phone number and sender phone number are the same.")
        return core.world.user_by_phone(address.value)
    if template is not None and template.category == "AUTHENTICATION":
        raise MetaError(131062, "Authentication templates need a phone number, not a business-scoped user id.")
    return core.world.user_by_bsuid(address.value, number.waba.portfolio.id)


def _check_recipient(core: Core, number: Number, payload: Json, user: User, now: float) -> None:
    if user.phone in number.blocked_users:
        raise MetaError(130403, "You have blocked this user. Unblock them first.")
    identity = payload.get("recipient_identity_key_hash")
    if identity is not None and user.identity_hash and identity != user.identity_hash:
        raise MetaError(137000, "The recipient's identity changed: the hash does not match the current one.")
    if core.enforces("pair") and not limits.take_pair(user.pair(number.id), now):
        raise MetaError(
            131056,
            "Message failed to send because there were too many messages sent from this phone number to the same "
            "phone number in a short period of time.",
        )


def _why_not(core: Core, message: Outbound, user: User, now: float) -> int | None:
    """The code of what will keep the message from its user; without one it is priced, or lost for the portfolio."""
    number, category = message.number, message.category
    marketing = category in ("marketing", "marketing_lite")
    pair = user.pair(number.id)
    in_window = limits.window_open(pair, now)
    message.free_entry_until = limits.free_entry_until(pair, now)
    free = message.free_entry_until > 0
    charged = pricing.is_charged(category, now, in_window=in_window, free_entry=free)
    for limit, applies, code in (
        ("blocks", not user.on_whatsapp or pair.blocked, 131026),
        ("window", category == "service" and not in_window, 131047),
        ("opt_out", marketing and number.waba.portfolio.id in user.opted_out, 131050),
        ("marketing_cap", marketing and user.in_experiment, 130472),
        ("marketing_cap", marketing and user.marketing_cap and not in_window, 131049),
        ("payment", charged and not number.waba.payment_method, 131042),
    ):
        if applies and core.enforces(limit):
            return code
    within = in_window or limits.take_portfolio(number.waba.portfolio, user.phone, now)
    if not within and core.enforces("portfolio"):
        message.status = "lost"
        core.events["lost_over_portfolio_limit"] += 1
        return None
    message.pricing = pricing.price(number, category, now, in_window=in_window, free_entry=free)
    return None


def _go(core: Core, message: Outbound, user: User | None, failure: int | None, now: float) -> None:
    template = message.template
    if message.status == "lost":
        return
    if failure is not None:
        details = FAILURE_DETAILS.get(failure, "")
        core.timeline.at(now + statuses.SENT_AFTER_S, statuses.fail, core, message, failure, details)
    elif template is not None and template.pacing:
        message.status = "held" if template.pacing == "hold" else "paused"
        template.held[message.wamid] = message
        if template.pacing == "hold":
            core.timeline.after(PACING_DECISION_S, statuses.release, core, message)
    elif user is not None:
        statuses.set_off(core, message, user)


def _response(message: Outbound, contact: Json) -> Json:
    sent: Json = {"id": message.wamid}
    if message.template is not None:
        named = {"held": "held_for_quality_assessment", "paused": "paused"}
        sent["message_status"] = named.get(message.status, "accepted")
    return {"messaging_product": "whatsapp", "contacts": [contact], "messages": [sent]}
