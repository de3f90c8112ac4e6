"""The settings that an organisation asks about, as they are in force: no secret, no address with a password in it."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import SecretStr

from hub_api.settings import Settings

# By group, in the order in which they are read. Secrets are told as set or not.
SHOWN: Mapping[str, tuple[str, ...]] = {
    "service": (
        "timezone", "business_hours", "holiday_state", "reopen_hours", "bot_quiet_hours", "stale_inbound_minutes",
        "sla_first_response_s", "sla_resolution_hours", "survey_template", "survey_nps", "nps_flow",
    ),
    "keeping": ("retention_days", "media_retention_days", "inbox_retention_days", "events_months", "history_start"),
    "channel": (
        "meta_base_url", "meta_version", "reply_headroom", "template_sync_hours", "media_max_bytes",
        "media_serve_unscanned", "clamd_url",
    ),
    "access": (
        "public_url", "trusted_proxies", "signin_per_minute", "send_per_minute", "user_rate_per_minute",
        "key_rate_per_minute", "oidc_issuer", "oidc_create_users", "oidc_roles", "outbound_hosts",
    ),
    "notices": ("smtp_url", "mail_from", "sms_url", "sign_in_template", "alert_url", "alert_mail"),
    "apps": ("dagster_url", "superset_url"),
    "model": ("llm_url", "llm_model", "llm_key"),
}  # fmt: skip


def in_force(settings: Settings) -> Iterator[dict[str, Any]]:
    """Each as name (its variable), group, value as text, whether it is the default, and what it means."""
    for group, names in SHOWN.items():
        for name in names:
            field, value = Settings.model_fields[name], getattr(settings, name)
            yield {
                "name": f"HUB_{name}".upper(),
                "group": group,
                "value": _text(value),
                "is_default": value == field.get_default(),
                "description": field.description or "",
            }


def _text(value: Any) -> str:
    if isinstance(value, SecretStr):
        return "•••" if value.get_secret_value() else ""
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ", ".join(" ".join(map(str, one)) if isinstance(one, tuple) else str(one) for one in value)
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
