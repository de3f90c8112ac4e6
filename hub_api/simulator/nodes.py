"""Numbers, accounts and businesses as Graph nodes: their fields, lists, subscriptions, registration and block list."""

from typing import Any

from aiohttp import web

from hub_api.simulator import limits, media_api, template_api
from hub_api.simulator.config import APP_ID
from hub_api.simulator.core import Core
from hub_api.simulator.errors import MetaError, unknown_object, webhook_error
from hub_api.simulator.model import Number, User, Waba
from hub_api.simulator.web_common import Handler, answer, json_object, number_of, paged, selected, waba_of

Json = dict[str, Any]

BLOCK_LIST_LIMIT = 64_000
NUMBER_FIELDS = (
    "verified_name", "code_verification_status", "display_phone_number", "quality_rating", "platform_type",
    "throughput", "last_onboarded_time", "webhook_configuration", "id",
)  # fmt: skip
WABA_FIELDS = ("id", "name", "timezone_id", "message_template_namespace")


def node_handler(core: Core) -> Handler:
    """`GET`, `POST` and `DELETE /{version}/{id}` of whatever has that id."""

    async def node(request: web.Request) -> web.StreamResponse:
        object_id, world = request.match_info["object_id"], core.world
        if (number := world.numbers.get(object_id)) is not None:
            return await _number_node(core, number, request)
        if (waba := world.wabas.get(object_id)) is not None:
            return answer(selected(_waba_fields(core, waba), WABA_FIELDS, request, "WhatsAppBusinessAccount"))
        if (template := world.templates.get(object_id)) is not None and request.method != "DELETE":
            return await template_api.template_node(core, template, request)
        if (media := world.media.get(object_id)) is not None:
            return media_api.media_node(core, media, request)
        if (portfolio := world.portfolios.get(object_id)) is not None:
            fields = {
                "id": portfolio.id,
                "name": portfolio.name,
                "verification_status": "verified" if portfolio.verified else "not_verified",
                "whatsapp_business_manager_messaging_limit": portfolio.tier,
            }
            return answer(selected(fields, ("id", "name"), request, "Business"))
        raise unknown_object(object_id, request.method)

    return node


def phone_numbers_handler(core: Core) -> Handler:
    """`GET /{version}/{waba_id}/phone_numbers`."""

    async def phone_numbers(request: web.Request) -> web.Response:
        waba = waba_of(core, request)
        numbers = [n for n in core.world.numbers.values() if n.waba is waba]
        data = [
            selected(_number_fields(core, n), NUMBER_FIELDS, request, "WhatsAppBusinessPhoneNumber") for n in numbers
        ]
        return answer(paged(data, request))

    return phone_numbers


def owned_accounts_handler(core: Core) -> Handler:
    """`GET /{version}/{business_id}/owned_whatsapp_business_accounts`."""

    async def owned(request: web.Request) -> web.Response:
        object_id = request.match_info["object_id"]
        if object_id not in core.world.portfolios:
            raise unknown_object(object_id, "get")
        wabas = [w for w in core.world.wabas.values() if w.portfolio.id == object_id]
        data = [selected(_waba_fields(core, w), WABA_FIELDS, request, "WhatsAppBusinessAccount") for w in wabas]
        return answer(paged(data, request))

    return owned


def subscribed_apps_handler(core: Core) -> Handler:
    """`GET`, `POST` (also with an override of the callback) and `DELETE /{version}/{waba_id}/subscribed_apps`."""

    async def subscribed_apps(request: web.Request) -> web.Response:
        waba = waba_of(core, request)
        if request.method == "POST":
            payload = await json_object(request) if request.can_read_body else {}
            waba.subscribed = True
            waba.webhook_override = payload.get("override_callback_uri")
        elif request.method == "DELETE":
            waba.subscribed = False
        else:
            app: Json = {
                "whatsapp_business_api_data": {"id": APP_ID, "name": "hub", "link": "https://telecom.example/"}
            }
            if waba.webhook_override:
                app["override_callback_uri"] = waba.webhook_override
            return answer({"data": [app] if waba.subscribed else []})
        return answer({"success": True})

    return subscribed_apps


def registration_handler(core: Core) -> Handler:
    """`POST /{version}/{phone_number_id}/register` with the PIN, or `/deregister`."""

    async def register(request: web.Request) -> web.Response:
        number = number_of(core, request)
        if request.path.endswith("/deregister"):
            number.status = "DISCONNECTED"
            return answer({"success": True})
        payload = await json_object(request)
        if str(payload.get("pin", "")) != number.pin:
            raise MetaError(133005, "Two-step verification PIN mismatch.")
        number.status = "CONNECTED"
        return answer({"success": True})

    return register


def profile_handler(core: Core) -> Handler:
    """`GET` and `POST /{version}/{phone_number_id}/whatsapp_business_profile`."""

    async def profile(request: web.Request) -> web.Response:
        number = number_of(core, request)
        if request.method == "POST":
            number.about |= {k: v for k, v in (await json_object(request)).items() if k != "messaging_product"}
            return answer({"success": True})
        return answer({"data": [{"messaging_product": "whatsapp", "vertical": "OTHER", **number.about}]})

    return profile


def block_users_handler(core: Core) -> Handler:
    """`GET`, `POST` and `DELETE /{version}/{phone_number_id}/block_users`: users who wrote in the last 24 h."""

    async def block_users(request: web.Request) -> web.Response:
        number = number_of(core, request)
        if request.method == "GET":
            data = [{"messaging_product": "whatsapp", "wa_id": phone} for phone in sorted(number.blocked_users)]
            return answer(paged(data, request))
        payload = await json_object(request)
        done, failed = [], []
        for item in payload.get("block_users", []):
            given = str(item.get("user") or item.get("user_id") or "")
            user = core.world.find_user(given)
            code = _block_refusal(core, number, user, request.method)
            if user is None or code:
                failed.append({"input": given, "errors": [webhook_error(code)]})
                continue
            (number.blocked_users.add if request.method == "POST" else number.blocked_users.discard)(user.phone)
            done.append({"input": given, "wa_id": user.wa_id})
        key = "added_users" if request.method == "POST" else "removed_users"
        result: Json = {"messaging_product": "whatsapp", "block_users": {key: done}}
        if failed:
            result["block_users"]["failed_users"] = failed
            result["error"] = webhook_error(139100, "Failed to block some of the users.")
        return answer(result, 400 if failed and not done else 200)

    return block_users


def _block_refusal(core: Core, number: Number, user: User | None, method: str) -> int:
    """0, or the code that keeps a user from being blocked."""
    if user is None:
        return 131021
    if method == "POST" and len(number.blocked_users) >= BLOCK_LIST_LIMIT:
        return 139101
    if method == "POST" and not limits.window_open(user.pair(number.id), core.clock.now()):
        return 131047
    return 0


async def _number_node(core: Core, number: Number, request: web.Request) -> web.Response:
    if request.method == "POST":
        payload = await json_object(request)
        if "webhook_configuration" in payload:
            number.webhook_override = payload["webhook_configuration"].get("override_callback_uri") or None
        if "pin" in payload:
            number.pin = str(payload["pin"])
        return answer({"success": True})
    return answer(selected(_number_fields(core, number), NUMBER_FIELDS, request, "WhatsAppBusinessPhoneNumber"))


def _number_fields(core: Core, number: Number) -> Json:
    display = number.display
    shown = f"+{display[:2]} {display[2:4]} {display[4:8]}-{display[8:]}" if len(display) == 12 else f"+{display}"
    return {
        "id": number.id,
        "verified_name": number.verified_name,
        "display_phone_number": shown,
        "code_verification_status": "VERIFIED",
        "quality_rating": number.quality,
        "quality_score": {"score": number.quality},
        "platform_type": "CLOUD_API",
        "throughput": {"level": "HIGH" if number.mps > 80 else "STANDARD"},
        "status": number.status,
        "name_status": number.name_status,
        "new_name_status": "NONE",
        "account_mode": "LIVE",
        "is_on_biz_app": number.coexistence,
        "is_official_business_account": False,
        "is_pin_enabled": True,
        "is_preverified_number": False,
        "search_visibility": "VISIBLE",
        "eligibility_for_api_business_global_search": "NON_ELIGIBLE_UNDEFINED_COUNTRY",
        "last_onboarded_time": "2026-01-02T12:00:00+0000",
        "webhook_configuration": _webhooks_of(core, number),
        "whatsapp_business_manager_messaging_limit": number.waba.portfolio.tier,
        "messaging_limit_tier": number.waba.portfolio.tier,
        "health_status": health_status(core, number.waba, number),
        "country_code": "BR",
        "country_dial_code": "55",
        "certificate": None,
        "new_certificate": None,
        "conversational_automation": None,
    }


def _webhooks_of(core: Core, number: Number) -> Json:
    """Where webhooks of a number go: Meta prefers the number's address, then the account's, then the app's."""
    levels = {
        "phone_number": number.webhook_override,
        "whatsapp_business_account": number.waba.webhook_override,
        "application": core.webhook_url,
    }
    return {level: url for level, url in levels.items() if url} or {"application": ""}


# Meta's numbers of time zones (Marketing API).
_ZONES = {"America/Noronha": "22", "America/Campo_Grande": "23", "America/Belem": "24", "America/Sao_Paulo": "25"}


def _waba_fields(core: Core, waba: Waba) -> Json:
    terms = "ONBOARDED" if waba.marketing_messages_terms else "ELIGIBLE"
    return {
        "id": waba.id,
        "name": waba.name,
        "currency": waba.currency,
        "country": "BR",
        "timezone_id": _ZONES.get(waba.timezone),
        "status": "ACTIVE",
        "account_review_status": "APPROVED",
        "business_verification_status": "verified" if waba.portfolio.verified else "not_verified",
        "ownership_type": "SELF",
        "message_template_namespace": "00000000_0000_4000_8000_000000000001",
        "marketing_messages_onboarding_status": terms,
        "marketing_messages_lite_api_status": terms,
        "disable_marketing_messages_on_cloud_api": not waba.marketing_on_cloud_api,
        "is_enabled_for_insights": True,
        "health_status": health_status(core, waba, None),
        "owner_business_info": {"id": waba.portfolio.id, "name": waba.portfolio.name},
        "primary_funding_id": "1" if waba.payment_method else None,
        "on_behalf_of_business_info": None,
        "subscribed_apps": None,
    }


def health_status(core: Core, waba: Waba, number: Number | None) -> Json:
    """Whether messages can be sent, with a verdict for each entity on the way: number, account, business, app."""
    blocked = waba.restricted_until > core.clock.now()
    waba_state = "BLOCKED" if blocked else "AVAILABLE" if waba.payment_method else "LIMITED"
    entities: list[Json] = []
    if number is not None:
        state = "AVAILABLE" if number.status == "CONNECTED" else "BLOCKED"
        state = "LIMITED" if state == "AVAILABLE" and number.quality == "RED" else state
        entities.append({"entity_type": "PHONE_NUMBER", "id": number.id, "can_send_message": state})
    entities.append({"entity_type": "WABA", "id": waba.id, "can_send_message": waba_state})
    if not waba.payment_method:
        entities[-1]["errors"] = [{"error_code": 141006, "error_description": "There is an error with your payment method.",
                                   "possible_solution": "Add a payment method to the account."}]  # fmt: skip
    entities.append({"entity_type": "BUSINESS", "id": waba.portfolio.id, "can_send_message": "AVAILABLE"})
    entities.append({"entity_type": "APP", "id": APP_ID, "can_send_message": "AVAILABLE"})
    states = {entity["can_send_message"] for entity in entities}
    overall = next(state for state in ("BLOCKED", "LIMITED", "AVAILABLE") if state in states)
    return {"can_send_message": overall, "entities": entities}
