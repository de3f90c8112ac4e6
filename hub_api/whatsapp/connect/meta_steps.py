"""Steps that ask Meta: token, secret, permissions, account, subscription, callback, number, name, quality, payment."""

import hashlib
import hmac
import re
from datetime import UTC, datetime
from typing import Any

from hub_api.whatsapp import accounts
from hub_api.whatsapp.connect.setup import Facts, Failed, Setup
from hub_api.whatsapp.cost import billing

PERMISSIONS = ("whatsapp_business_management", "whatsapp_business_messaging")
SECRET_LENGTH = 8
# States of a number that a registration with its PIN can lead out of; the others are Meta's verdicts.
_REGISTRABLE = frozenset({"PENDING", "DISCONNECTED", "UNVERIFIED", "OFFLINE", "UNKNOWN", "DELETED"})
_NAME_FINE = frozenset({"APPROVED", "AVAILABLE_WITHOUT_REVIEW"})
_NO_PAYMENT = frozenset({141006, 131042})
_PIN_ERRORS = {133005: "pin_wrong", 133008: "pin_locked", 133009: "pin_locked", 133016: "registered_too_often",
               133015: "deleted_lately", 133006: "phone_not_verified"}  # fmt: skip
_NUMBER_FIELDS = (
    "id,display_phone_number,verified_name,status,name_status,quality_rating,throughput,is_on_biz_app,"
    "whatsapp_business_manager_messaging_limit,webhook_configuration"
)


async def settings(setup: Setup) -> Facts:
    """App secret and verify token are there, and are no placeholders."""
    known = setup.services.settings
    secret, token = known.meta_app_secret.get_secret_value(), known.meta_verify_token.get_secret_value()
    for name, value in (("HUB_META_APP_SECRET", secret), ("HUB_META_VERIFY_TOKEN", token)):
        if len(value) < SECRET_LENGTH:
            raise Failed("secret_too_short", name=name, least=SECRET_LENGTH)
    if secret == token:
        raise Failed("secrets_equal")
    return {"meta": known.meta_base_url, "version": known.meta_version}


async def token(setup: Setup) -> Facts:
    """The token is valid, of a system user, and does not end soon. Asks Meta about the token with the token itself."""
    given = setup.need("token")
    try:
        data = (await setup.get("debug_token", input_token=given)).get("data") or {}
    except Failed as failure:
        if failure.facts.get("meta_code") in (0, 190):
            raise Failed("token_invalid", words=failure.facts["words"]) from failure
        raise
    if data.get("is_valid") is False:
        raise Failed("token_invalid", words=(data.get("error") or {}).get("message", ""))
    if (kind := str(data.get("type", "SYSTEM_USER"))) != "SYSTEM_USER":
        raise Failed("token_of_a_person", kind=kind)
    expires = int(data.get("expires_at") or 0)
    if expires and (left := datetime.fromtimestamp(expires, UTC) - datetime.now(UTC)).days < 7:
        raise Failed("token_ends", days=max(left.days, 0))
    setup.token_data = data
    return {"app": data.get("application") or data.get("app_id"), "expires": expires}


async def app_secret(setup: Setup) -> Facts:
    """Our app secret is that of the token's app: Meta checks `appsecret_proof`, an HMAC of the token under it."""
    secret = setup.services.settings.meta_app_secret.get_secret_value().encode()
    proof = hmac.new(secret, setup.need("token").encode(), hashlib.sha256).hexdigest()
    try:
        me = await setup.get("me", fields="id,name", appsecret_proof=proof)
    except Failed as failure:
        if failure.facts.get("meta_code") == 100:
            raise Failed("secret_of_another_app") from failure
        raise
    return {"user": me.get("name") or me.get("id")}


async def permissions(setup: Setup) -> Facts:
    """Both permissions are granted."""
    scopes = setup.token_data.get("scopes")
    if not isinstance(scopes, list):
        granted = (await setup.get("me/permissions")).get("data") or []
        scopes = [one.get("permission") for one in granted if one.get("status") == "granted"]
    missing = [name for name in PERMISSIONS if name not in scopes]
    if missing:
        raise Failed("permission_missing", missing=", ".join(missing))
    return {"granted": ", ".join(PERMISSIONS)}


async def waba(setup: Setup) -> Facts:
    """The account can be read with this token; it is registered here with the token, which is stored encrypted,
    and with currency and time zone."""
    setup.answers.waba_id = setup.answers.waba_id or _only_account(setup.token_data)
    waba_id = setup.need("waba_id")
    try:
        setup.waba = await setup.get(
            waba_id, fields="id,name,currency,timezone_id,account_review_status,owner_business_info,health_status"
        )
    except Failed as failure:
        if failure.facts.get("meta_code") in (100, 10, 200):
            raise Failed("waba_unreadable", waba=waba_id, words=failure.facts["words"]) from failure
        raise
    if (review := setup.waba.get("account_review_status", "APPROVED")) not in ("APPROVED", "PENDING"):
        raise Failed("waba_refused", review=review)
    setup.answers.portfolio_id = setup.answers.portfolio_id or (setup.waba.get("owner_business_info") or {}).get("id")
    name = str(setup.waba.get("name") or waba_id)
    setup.account_id = await accounts.add_account(
        setup.services, waba_id=waba_id, portfolio_id=setup.need("portfolio_id"), name=name, token=setup.need("token")
    )
    await billing.learn(setup.services, setup.account_id, setup.waba)
    return {"name": name, "waba": waba_id, "currency": setup.waba.get("currency", "?")}


async def subscription(setup: Setup) -> Facts:
    """The account sends its webhooks to the token's app: the field subscriptions of the dashboard alone are not enough."""
    path, app_id = f"{setup.need('waba_id')}/subscribed_apps", str(setup.token_data.get("app_id", ""))
    was_there = app_id in _apps(await setup.get(path))
    if not was_there:
        await setup.post(path, {})
        if app_id not in _apps(await setup.get(path)):
            raise Failed("not_subscribed", app=app_id)
    return {"app": app_id, "done": "" if was_there else "*"}


async def callback(setup: Setup) -> Facts:
    """Webhooks of the number come to our address. What Meta prefers: number, then account, then app (§2)."""
    ours, number_id = setup.webhook_url(), setup.need("phone_number_id")
    level, found = _callback(await setup.get(number_id, fields="id,webhook_configuration"))
    if found != ours and setup.answers.override_callback:
        verify = setup.services.settings.meta_verify_token.get_secret_value()
        await setup.post(
            f"{setup.need('waba_id')}/subscribed_apps", {"override_callback_uri": ours, "verify_token": verify}
        )
        if level == "phone_number":
            await setup.post(number_id, {"webhook_configuration": {"override_callback_uri": ""}})
        level, found = _callback(await setup.get(number_id, fields="id,webhook_configuration"))
    if not found:
        raise Failed("callback_not_set", ours=ours)
    if found != ours:
        raise Failed("callback_elsewhere", ours=ours, found=found, level=level)
    return {"level": level, "url": ours}


async def number(setup: Setup) -> Facts:
    """The number is connected, registered with its PIN when it is not, and known to the hub."""
    setup.answers.phone_number_id = setup.answers.phone_number_id or await _only_number(setup)
    number_id = setup.need("phone_number_id")
    found = await _number(setup, number_id)
    if found.get("status") in _REGISTRABLE:
        await _register(setup, number_id)
        found = await _number(setup, number_id)
    if found.get("status") != "CONNECTED":
        raise Failed("number_state", status=found.get("status", "?"))
    display = re.sub(r"\D", "", str(found.get("display_phone_number", "")))
    setup.number = found
    setup.number_id = await accounts.add_number(
        setup.services,
        waba_id=setup.need("waba_id"),
        phone_number_id=number_id,
        display_phone_number=display,
        verified_name=found.get("verified_name"),
        throughput_mps=_throughput(found),
    )
    return {"display": found.get("display_phone_number"), "status": found["status"]}


async def name(setup: Setup) -> Facts:
    """The display name is approved."""
    status = str(setup.number.get("name_status", "?"))
    if status not in _NAME_FINE:
        raise Failed("name_not_approved", status=status, name=setup.number.get("verified_name") or "?")
    return {"name": setup.number.get("verified_name") or "?"}


async def quality(setup: Setup) -> Facts:
    """Quality is not RED; tells throughput and messaging limit."""
    rating = str(setup.number.get("quality_rating") or "UNKNOWN")
    if rating == "RED":
        raise Failed("quality_red")
    limit = setup.number.get("whatsapp_business_manager_messaging_limit") or "?"
    return {"quality": rating, "mps": _throughput(setup.number), "limit": limit}


async def payment(setup: Setup) -> Facts:
    """Meta says that the account can pay: one read of `health_status`, no message is risked for it."""
    answer = await setup.get(setup.need("waba_id"), fields="id,health_status")
    health = answer.get("health_status") or {}
    for entity in health.get("entities") or []:
        for error in entity.get("errors") or []:
            if error.get("error_code") in _NO_PAYMENT:
                raise Failed("no_payment", words=error.get("error_description", ""))
            if entity.get("can_send_message") == "BLOCKED":
                raise Failed("blocked", entity=entity.get("entity_type", "?"), words=_words(error))
    if health.get("can_send_message") == "BLOCKED":
        raise Failed("blocked", entity="WABA", words="")
    return {"state": health.get("can_send_message", "?")}


def _only_account(token_data: Facts) -> str | None:
    """The one account that the token may manage, when it is one."""
    for scope in token_data.get("granular_scopes") or []:
        targets = scope.get("target_ids") or []
        if scope.get("scope") == "whatsapp_business_management" and len(targets) == 1:
            return str(targets[0])
    return None


async def _only_number(setup: Setup) -> str | None:
    listed = (await setup.get(f"{setup.need('waba_id')}/phone_numbers", fields="id")).get("data") or []
    return str(listed[0]["id"]) if len(listed) == 1 else None


async def _number(setup: Setup, number_id: str) -> Facts:
    try:
        return await setup.get(number_id, fields=_NUMBER_FIELDS)
    except Failed as failure:
        if failure.facts.get("meta_code") in (100, 33):
            raise Failed("number_unreadable", number=number_id, words=failure.facts["words"]) from failure
        raise


async def _register(setup: Setup, number_id: str) -> None:
    """Register the number; one try, since Meta locks the PIN after some and the number after ten registrations."""
    pin = setup.need("pin")
    try:
        await setup.post(f"{number_id}/register", {"messaging_product": "whatsapp", "pin": pin})
    except Failed as failure:
        setup.answers.pin = None  # a wrong one must not be tried again by itself
        if code := _PIN_ERRORS.get(failure.facts.get("meta_code", 0)):
            raise Failed(code, words=failure.facts["words"]) from failure
        raise


def _throughput(found: Facts) -> int:
    if found.get("is_on_biz_app"):
        return 20
    return 1_000 if (found.get("throughput") or {}).get("level") == "HIGH" else 80


def _apps(answer: Facts) -> list[str]:
    return [str((app.get("whatsapp_business_api_data") or {}).get("id")) for app in answer.get("data") or []]


def _callback(answer: Facts) -> tuple[str, str | None]:
    configured: Facts = answer.get("webhook_configuration") or {}
    for level in ("phone_number", "whatsapp_business_account", "application"):
        if configured.get(level):
            return level, str(configured[level])
    return "application", None


def _words(error: dict[str, Any]) -> str:
    return " ".join(str(error[name]) for name in ("error_description", "possible_solution") if error.get(name))
