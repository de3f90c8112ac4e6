"""Marks of a person that were put through every door of a running hub: the simulator's, the webhook's, each route's.

Routes come from the application's own description, so that one added later is walked through as it is.
"""

import asyncio
import json
from typing import Any

import aiohttp

from tests.auth.routes import all_routes
from tests.support.hub import signed

NAME, WORDS, FILE = "Zuleica Zyxplantada", "zyxsegredo", "zyxcontrato.pdf"
CPF, CARD, EMAIL, PASSWORD = "529.982.247-25", "4111 1111 1111 1111", "zyxcaixa@example.com", "zyxsenha-muito-longa"
TOKEN = "zyx.bearer.token.that.nobody.issued"
PHONE, BSUID, WAMID = "5511912345987", "BR.7770000777", "wamid.ZYXPLANTED"
TEXT = f"{NAME} {WORDS} {CPF} {CARD} +{PHONE} {EMAIL}"
MARKS = (
    NAME,
    "zyx",
    "ZYXPLANTED",
    CPF,
    "52998224725",
    CARD,
    "4111111111111111",
    PHONE,
    PHONE[2:],
    "11 91234-5987",
    BSUID,
)

# Signing out, ending keys or sessions would end the walk.
SPARED = ("/auth/logout", "/auth/sessions", "/keys/")
SECRETS_OF_FILES = ("hub.env", "state.json")


async def walk(url: str, api_key: str, webhook_secret: str) -> int:
    """Call every route with the marks in path, query, headers and body, and the webhook with what it cannot take; how many calls."""
    calls = 0
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        for route in all_routes():
            if any(part in route.path for part in SPARED):
                continue
            for arguments in _requests(route):
                for token in (api_key, TOKEN):
                    headers = {
                        "Authorization": f"Bearer {token}",
                        "User-Agent": f"zyxagent {PHONE}",
                        "If-Match": f'"{PHONE}"',
                    }
                    path = route.url(**dict.fromkeys(route.parameters, PHONE))
                    async with session.request(route.method, url + path, headers=headers, **arguments) as answer:
                        await answer.read()
                    calls += 1
        for body in (
            b'{"entry": "' + TEXT.encode(),
            b"\x00" + TEXT.encode(),
            json.dumps({"entry": [{"changes": TEXT}]}).encode(),
            *_broken(),
        ):
            for secret in (webhook_secret, "zyx-wrong-secret"):
                async with session.post(f"{url}/webhooks/whatsapp?hub.mode={WORDS}", **signed(body, secret)) as answer:
                    await answer.read()
                calls += 1
    return calls


def _requests(route: Any) -> list[dict[str, Any]]:
    given = route.request()
    known = [one["name"] for one in route.operation.get("parameters", ()) if one["in"] == "query"]
    query = {**given.get("params", {}), **dict.fromkeys(known, TEXT)}
    found = [{**given, "params": query}]
    if "json" in given:
        found.append({**given, "json": _planted(given["json"])})
        found.append(
            {"data": b'{"password": "' + PASSWORD.encode(), "headers": {}} | {"params": given.get("params", {})}
        )
    return [{name: value for name, value in one.items() if name != "headers"} for one in found]


def _planted(value: Any) -> Any:
    """The same JSON with the marks in each text that no fixed choice is expected of."""
    if isinstance(value, dict):
        return {
            name: PASSWORD if "password" in name else EMAIL if "email" in name else _planted(one)
            for name, one in value.items()
        }
    if isinstance(value, list):
        return [_planted(one) for one in value]
    return TEXT if isinstance(value, str) else value


def _broken() -> list[bytes]:
    """Messages that cannot be parsed, of a type nobody knows, with signs that PostgreSQL refuses; a status of nothing."""
    item = {"from": PHONE, "from_user_id": BSUID, "id": WAMID, "timestamp": "1764140000"}
    messages = [
        {**item, "type": "text", "text": 7},
        {**item, "id": f"{WAMID}2", "type": "text", "text": {"body": f"{TEXT}\u0000"}},
        {**item, "id": f"{WAMID}3", "type": "zyxfuture", "zyxfuture": {"body": TEXT}},
    ]
    statuses = [{"id": f"{WAMID}4", "status": "zyxread", "timestamp": "x", "recipient_id": PHONE}]
    return [_body(messages=[message]) for message in messages] + [_body(statuses=statuses)]


def _body(**items: Any) -> bytes:
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "551130001000", "phone_number_id": "106540000000001"},
        "contacts": [{"profile": {"name": NAME}, "wa_id": PHONE, "user_id": BSUID}],
        **items,
    }
    changes = [{"field": "messages", "value": value}]
    return json.dumps(
        {"object": "whatsapp_business_account", "entry": [{"id": "102290000000001", "changes": changes}]}
    ).encode()


def inbound() -> list[dict[str, Any]]:
    """What the person writes at the simulator, of each kind that carries something personal."""
    return [
        {"text": TEXT},
        {"text": f"falar com atendente {WORDS}"},
        {"type": "document", "content": {"filename": FILE, "caption": TEXT}},
        {"type": "image", "content": {"caption": TEXT}},
        {"type": "location", "content": {"latitude": -23.5, "longitude": -46.6, "name": WORDS, "address": TEXT}},
    ]


def run(url: str, api_key: str, webhook_secret: str) -> int:
    """`walk` from a test without a loop."""
    return asyncio.run(walk(url, api_key, webhook_secret))
