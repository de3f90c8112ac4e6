"""What users do towards the business: write, tap, call, change number, stop and resume marketing."""

from typing import Any

from hub_api.simulator import ids, limits
from hub_api.simulator.core import Core
from hub_api.simulator.errors import webhook_error
from hub_api.simulator.model import Number, User
from hub_api.simulator.payload import number_value
from hub_api.simulator.samples import sample_file

MEDIA_KINDS = ("image", "video", "audio", "document", "sticker")
INBOUND_MEDIA_TTL_S = 7 * 86_400.0
PREFERENCE_DETAIL = {
    "stop": "User requested to stop marketing messages",
    "resume": "User requested to resume marketing messages",
    "signup": "User signed up for marketing messages",
}


def write(
    core: Core,
    user: User,
    number: Number,
    type_: str,
    content: Any,
    *,
    quotes: str = "",
    context: dict[str, Any] | None = None,
    referral: dict[str, Any] | None = None,
    errors: list[int] | None = None,
    at: float | None = None,
) -> str:
    """A message of any type from a user; returns its wamid. `content` is the object of that type as webhooks carry it
    (None for types without one); a media message without `id` gets a sample file, or `content["base64"]`. `quotes` is
    the wamid it answers, `at` an earlier time than now. Opens the window, and with an ad's `referral` the free entry.
    """
    now = core.clock.now() if at is None else at
    pair = user.pair(number.id)
    pair.wrote_at = max(now, pair.wrote_at)
    if referral is not None:
        pair.ad_at = now
    core.ledger.tally(number.id).receive(core.clock.now())
    limits.take_throughput(number, core.clock.now(), inbound=True)
    visible = limits.phone_visible(user, number.id, now)
    if visible:
        pair.phone_used_at = max(now, pair.phone_used_at)
    item: dict[str, Any] = {
        **core.people.phone_fields("from", user, number, now),
        "from_user_id": user.bsuids[number.waba.portfolio.id],
        "id": ids.wamid(user.wa_id if visible else user.bsuids[number.waba.portfolio.id], core.rng, ids.INBOUND),
        "timestamp": str(int(now)),
        "type": type_,
    }
    if quotes:
        item["context"] = {"from": number.display, "id": quotes, **(context or {})}
    elif context:
        item["context"] = context
    if type_ in MEDIA_KINDS and "id" not in content:
        content = _with_file(core, number, type_, dict(content))
    if content is not None:
        item[type_] = content
    if referral is not None:
        item["referral"] = referral
    if errors:
        item["errors"] = [webhook_error(code) for code in errors]
    core.events[f"inbound_{type_}"] += 1
    core.tell(
        number, "messages", number_value(number, contacts=[core.people.contact(user, number, now)], messages=[item])
    )
    return str(item["id"])


def prefer(core: Core, user: User, number: Number, value: str, *, signup_id: str = "") -> None:
    """The user stops, resumes or signs up for marketing messages of this business. Raises ValueError otherwise."""
    if value not in PREFERENCE_DETAIL:
        raise ValueError(f"preference {value!r} must be one of {', '.join(PREFERENCE_DETAIL)}")
    portfolio = number.waba.portfolio.id
    if value == "stop":
        user.opted_out.add(portfolio)
    else:
        user.opted_out.discard(portfolio)
    now = core.clock.now()
    who = {**core.people.phone_fields("wa_id", user, number, now), "user_id": user.bsuids[portfolio]}
    preference = {
        **who,
        "detail": PREFERENCE_DETAIL[value],
        "category": "marketing_messages",
        "value": value,
        "timestamp": int(now),
    }
    if signup_id:
        preference["signup_id"] = signup_id
    core.events[f"preference_{value}"] += 1
    core.tell(number, "user_preferences", number_value(number, contacts=[who], user_preferences=[preference]))


def change_number(core: Core, user: User, number: Number, phone: str) -> None:
    """The user moves to another phone: a system message and a user_id_update, since the BSUID is regenerated.

    The system message has no contacts; where the phone is not shared it only says that the user id changed."""
    now = core.clock.now()
    visible = limits.phone_visible(user, number.id, now)
    previous, previous_wa_id = core.world.change_number(user, phone)
    portfolio = number.waba.portfolio.id
    current = user.bsuids[portfolio]
    system: dict[str, Any] = {"type": "user_changed_number" if visible else "user_changed_user_id"}
    if visible:
        system["wa_id"] = user.wa_id
        system["body"] = f"User {user.name} changed from {previous_wa_id} to {user.wa_id}"
    else:
        system["body"] = f"User {user.name} changed user id"
    system["user_id"] = current
    item = {
        **({"from": previous_wa_id} if visible else {}),
        "from_user_id": previous[portfolio],
        "id": ids.wamid(previous_wa_id if visible else previous[portfolio], core.rng, ids.INBOUND),
        "timestamp": str(int(now)),
        "type": "system",
        "system": system,
    }
    core.tell(number, "messages", number_value(number, messages=[item]))
    update = {
        "detail": f"User id for {user.name} has been updated.",
        "user_id": {"previous": previous[portfolio], "current": current},
        "timestamp": str(int(now)),
    }
    contacts = [{"profile": {"name": user.name}}]
    core.tell(number, "user_id_update", number_value(number, contacts=contacts, user_id_update=[update]))
    core.events["changed_number"] += 1


def call(core: Core, user: User, number: Number, duration_s: int = 60) -> str:
    """The user calls and hangs up; returns the call id. A call opens the window like a message."""
    now = core.clock.now()
    user.pair(number.id).wrote_at = now
    call_id = ids.wamid(user.phone, core.rng, ids.INBOUND).replace("wamid.", "wacid.")
    base = {
        "id": call_id,
        **core.people.phone_fields("from", user, number, now),
        "from_user_id": user.bsuids[number.waba.portfolio.id],
        "to": number.display,
        "direction": "USER_INITIATED",
    }
    ended = {"start_time": str(int(now)), "end_time": str(int(now) + duration_s), "duration": duration_s}
    for event, at, extra in (("connect", now, {}), ("terminate", now + duration_s, {"status": "COMPLETED", **ended})):
        item = {**base, "event": event, "timestamp": str(int(at)), **extra}
        core.tell(number, "calls", number_value(number, contacts=[core.people.contact(user, number, at)], calls=[item]))
    core.events["calls"] += 1
    return call_id


def click(core: Core, user: User, number: Number, component: str = "cta") -> None:
    """The user follows the link of a marketing message (`component` cta or body)."""
    now = core.clock.now()
    data = {"click_component": component, "click_id": f"clk_{core.rng.getrandbits(48):x}", "tracking_token": user.bsuids[
        number.waba.portfolio.id]}  # fmt: skip
    action = {
        "action_type": "marketing_messages_link_click",
        "timestamp": str(int(now)),
        "marketing_messages_link_click_data": data,
    }
    contact = core.people.contact(user, number, now)
    core.tell(number, "messages", number_value(number, contacts=[contact], user_actions=[action]))
    core.events["clicks"] += 1


def _with_file(core: Core, number: Number, kind: str, content: dict[str, Any]) -> dict[str, Any]:
    data, mime_type = sample_file(kind, content.pop("base64", None), content.pop("mime_type", None))
    media = core.world.add_media(number.id, data, mime_type, core.clock.now() + INBOUND_MEDIA_TTL_S)
    file = {"id": media.id, "mime_type": mime_type, "sha256": media.sha256}
    if kind == "audio":
        file["voice"] = content.pop("voice", True)
    if kind == "document":
        file["filename"] = content.pop("filename", "documento.pdf")
    if kind == "sticker":
        file["animated"] = content.pop("animated", False)
    return {**file, **content}
