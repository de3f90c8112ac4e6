"""The part of the control API that plays people: register them, let them write and act, move messages on."""

from typing import Any

from hub_api.simulator import inbound, statuses
from hub_api.simulator.core import Core
from hub_api.simulator.model import NEVER, Number, User
from hub_api.simulator.payload import answer_flow
from hub_api.simulator.render import choices_of, text_of
from hub_api.simulator.world import NewUser

Json = dict[str, Any]


def add_users(core: Core, body: Json) -> Json:
    """Register `users`, objects with the fields of `NewUser`, any number of them."""
    users = core.world.register(NewUser(**given) for given in body["users"])
    return {"registered": len(users), "users": [user_shown(user) for user in users[:100]]}


def show_user(core: Core, query: Json) -> Json:
    """The user at `address`: phone in any form, or BSUID."""
    return user_shown(_user(core, query["address"]))


def inbound_messages(core: Core, body: Json) -> Json:
    """A message from a user, or `messages`, a list of such: `from` (phone or BSUID), `type`, `content` (the object of
    that type; `text` is short for a text, `flow` for the answers of a finished flow), optionally `number_id`, `quotes`, `context`, `referral`, `errors`, `at`, `traits` (for the behaviour)."""
    wamids = []
    for given in body.get("messages") or [body]:
        _user(core, given["from"]).traits.update(given.get("traits", {}))
        type_, content = given.get("type", "text"), given.get("content")
        if "text" in given:
            content = {"body": given["text"]}
        elif "flow" in given:
            type_, content = "interactive", answer_flow(given["flow"], given.get("flow_token", "unused"))
        wamids.append(
            inbound.write(
                core,
                _user(core, given["from"]),
                _number(core, given),
                type_,
                content,
                quotes=given.get("quotes", ""),
                context=given.get("context"),
                referral=given.get("referral"),
                errors=given.get("errors"),
                at=given.get("at"),
            )
        )
    return {"wamids": wamids}


def act(core: Core, body: Json) -> Json:
    """What user `from` does: `do` is block, unblock, stop, resume, signup, change_number (`phone`), call
    (`duration_s`), click, or set with `fields` of the user such as username, hides_phone, on_whatsapp, marketing_cap."""
    user, number = _user(core, body["from"]), _number(core, body)
    match body.get("do"):
        case "block":
            user.pair(number.id).blocked = True
        case "unblock":
            user.pair(number.id).blocked = False
        case "stop" | "resume" | "signup" as value:
            inbound.prefer(core, user, number, value, signup_id=body.get("signup_id", ""))
        case "change_number":
            inbound.change_number(core, user, number, body["phone"])
        case "call":
            inbound.call(core, user, number, int(body.get("duration_s", 60)))
        case "click":
            inbound.click(core, user, number, body.get("component", "cta"))
        case "set":
            for name, value in body["fields"].items():
                if name in ("phone", "bsuids", "pairs", "pair") or not hasattr(user, name):
                    raise ValueError(f"a user's {name!r} cannot be set")
                setattr(user, name, value)
        case other:
            raise ValueError(f"a user cannot {other!r}")
    return user_shown(user)


def progress(core: Core, body: Json) -> Json:
    """Move accepted message `wamid` to `status` now; failed takes `code`."""
    message = core.messages[body["wamid"]]
    if body["status"] == "failed":
        statuses.fail(core, message, int(body.get("code", 131026)), body.get("details", ""))
    else:
        statuses.move(core, message, body["status"])
    return {"wamid": message.wamid, "status": message.status}


def show_message(core: Core, query: Json) -> Json:
    """An accepted message by `wamid`: its status, text and choices."""
    message = core.messages[query["wamid"]]
    return {
        "wamid": message.wamid,
        "type": message.type,
        "status": message.status,
        "category": message.category,
        "to": message.user.phone if message.user is not None else None,
        "opaque": message.opaque,
        "text": text_of(message),
        "choices": [{"kind": c.kind, "id": c.id, "title": c.title} for c in choices_of(message)],
        "body": message.body,
    }


def user_shown(user: User) -> Json:
    """A user as JSON."""
    return {
        "phone": user.phone,
        "wa_id": user.wa_id,
        "bsuid": next(iter(user.bsuids.values())),
        "name": user.name,
        "username": user.username,
        "hides_phone": user.hides_phone,
        "on_whatsapp": user.on_whatsapp,
        "opted_out": sorted(user.opted_out),
        "blocks": sorted(number_id for number_id, pair in user.pairs.items() if pair.blocked),
        "wrote_at": {number_id: pair.wrote_at for number_id, pair in user.pairs.items() if pair.wrote_at > NEVER},
    }


def _user(core: Core, address: str) -> User:
    user = core.world.find_user(address)
    if user is None:
        raise ValueError(f"no user {address!r} here")
    return user


def _number(core: Core, body: Json) -> Number:
    number_id = body.get("number_id") or next(iter(core.world.numbers))
    if number_id not in core.world.numbers:
        raise ValueError(f"no number {number_id!r} here")
    return core.world.numbers[number_id]
