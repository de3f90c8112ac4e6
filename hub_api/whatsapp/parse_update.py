"""Management fields as typed updates (channel document §1.5); a field without a struct of its own is a plain `Update`."""

from collections.abc import Callable
from typing import Any

import msgspec

from hub_api.whatsapp.inbound import Update
from hub_api.whatsapp.updates import (
    AccountAlert,
    AccountReview,
    AccountUpdate,
    CapabilityUpdate,
    FlowUpdate,
    NumberNameUpdate,
    NumberQualityUpdate,
    Restriction,
    SecurityUpdate,
    TemplateCategoryUpdate,
    TemplateComponentsUpdate,
    TemplateQualityUpdate,
    TemplateStatusUpdate,
)
from hub_api.whatsapp.wire import Number, decode, decode_object, label, required, whole


class _Template(msgspec.Struct):
    class Other(msgspec.Struct):
        title: str | None = None
        description: str | None = None

    class Disable(msgspec.Struct):
        disable_date: Number | None = None

    class Rejection(msgspec.Struct):
        reason: str | None = None
        recommendation: str | None = None

    message_template_id: Number
    message_template_name: str | None = None
    message_template_language: str | None = None
    message_template_category: str | None = None
    event: str | None = None
    reason: str | None = None
    other_info: Other | None = None
    disable_info: Disable | None = None
    rejection_info: Rejection | None = None
    previous_quality_score: str | None = None
    new_quality_score: str | None = None
    previous_category: str | None = None
    new_category: str | None = None
    correct_category: str | None = None
    category_update_timestamp: Number | None = None

    def naming(self) -> dict[str, Any]:
        """What all template updates say first."""
        return {
            "template_id": required(label(self.message_template_id), "message_template_id"),
            "name": self.message_template_name,
            "language": self.message_template_language,
        }


class _Number(msgspec.Struct):
    display_phone_number: str | None = None
    event: str | None = None
    decision: str | None = None
    requester: Number | None = None
    requested_verified_name: str | None = None
    rejection_reason: str | None = None
    max_daily_conversations_per_business: Number | None = None
    current_limit: Number | None = None
    old_limit: Number | None = None


class _Capability(msgspec.Struct):
    max_daily_conversations_per_business: Number | None = None
    max_daily_conversation_per_phone: Number | None = None
    max_phone_numbers_per_business: Number | None = None
    max_phone_numbers_per_waba: Number | None = None


class _Account(msgspec.Struct):
    class Restriction(msgspec.Struct):
        restriction_type: str
        expiration: Number | None = None

    class Violation(msgspec.Struct):
        violation_type: str | None = None

    class Ban(msgspec.Struct):
        waba_ban_state: str | None = None

    event: str
    restriction_info: list[Restriction] | None = None
    violation_info: Violation | None = None
    ban_info: Ban | None = None
    phone_number: Number | None = None


class _Alert(msgspec.Struct):
    class Info(msgspec.Struct):
        alert_severity: str | None = None
        alert_status: str | None = None
        alert_type: str | None = None
        alert_description: str | None = None

    entity_type: str | None = None
    entity_id: Number | None = None
    alert_info: Info | None = None


class _Flow(msgspec.Struct):
    event: str
    flow_id: Number | None = None
    new_status: str | None = None
    alert_state: str | None = None
    message: str | None = None


def read_update(field: str, raw: bytes, time: Number | None, origin: dict[str, Any]) -> Update:
    """The update of one field. Raises Unparsable when a part we act on has a wrong type."""
    about = {**origin, "field": field, "value": decode_object(raw), "time": whole(time)}
    reader = _READERS.get(field)
    return reader(raw, about) if reader else Update(**about)


def _template_status(raw: bytes, about: dict[str, Any]) -> Update:
    template = decode(raw, _Template)
    other = template.other_info or _Template.Other()
    rejection = template.rejection_info or _Template.Rejection()
    return TemplateStatusUpdate(
        **about,
        **template.naming(),
        event=required(template.event, "event"),
        category=template.message_template_category,
        reason=template.reason or rejection.reason,
        title=other.title,
        description=other.description,
        recommendation=rejection.recommendation,
        disable_date=whole(template.disable_info.disable_date) if template.disable_info else None,
    )


def _template_quality(raw: bytes, about: dict[str, Any]) -> Update:
    template = decode(raw, _Template)
    return TemplateQualityUpdate(
        **about,
        **template.naming(),
        previous=template.previous_quality_score,
        current=required(template.new_quality_score, "new_quality_score"),
    )


def _template_category(raw: bytes, about: dict[str, Any]) -> Update:
    # In the 24 h notice `new_category` is what holds now and `correct_category` what is to come.
    template = decode(raw, _Template)
    return TemplateCategoryUpdate(
        **about,
        **template.naming(),
        current=required(template.new_category, "new_category"),
        previous=template.previous_category,
        upcoming=template.correct_category,
        changes_at=whole(template.category_update_timestamp),
    )


def _template_components(raw: bytes, about: dict[str, Any]) -> Update:
    return TemplateComponentsUpdate(**about, **decode(raw, _Template).naming())


def _number_quality(raw: bytes, about: dict[str, Any]) -> Update:
    number = decode(raw, _Number)
    return NumberQualityUpdate(
        **about,
        display_phone_number=number.display_phone_number,
        event=required(number.event, "event"),
        limit=label(number.max_daily_conversations_per_business) or label(number.current_limit),
        previous_limit=label(number.old_limit),
    )


def _number_name(raw: bytes, about: dict[str, Any]) -> Update:
    number = decode(raw, _Number)
    return NumberNameUpdate(
        **about,
        display_phone_number=number.display_phone_number,
        decision=required(number.decision, "decision"),
        requested_name=number.requested_verified_name,
        reason=number.rejection_reason,
    )


def _capability(raw: bytes, about: dict[str, Any]) -> Update:
    limits = decode(raw, _Capability)
    return CapabilityUpdate(
        **about,
        limit=label(limits.max_daily_conversations_per_business),
        limit_per_phone=label(limits.max_daily_conversation_per_phone),
        max_numbers_per_business=whole(limits.max_phone_numbers_per_business),
        max_numbers_per_waba=whole(limits.max_phone_numbers_per_waba),
    )


def _account(raw: bytes, about: dict[str, Any]) -> Update:
    account = decode(raw, _Account)
    return AccountUpdate(
        **about,
        event=required(account.event, "event"),
        restrictions=tuple(
            Restriction(type=restriction.restriction_type, expires=whole(restriction.expiration))
            for restriction in account.restriction_info or ()
        ),
        violation=account.violation_info.violation_type if account.violation_info else None,
        ban_state=account.ban_info.waba_ban_state if account.ban_info else None,
        display_phone_number=label(account.phone_number),
    )


def _account_review(raw: bytes, about: dict[str, Any]) -> Update:
    return AccountReview(**about, decision=required(decode(raw, _Number).decision, "decision"))


def _account_alert(raw: bytes, about: dict[str, Any]) -> Update:
    alert = decode(raw, _Alert)
    info = alert.alert_info or _Alert.Info()
    return AccountAlert(
        **about,
        entity_type=alert.entity_type,
        entity_id=label(alert.entity_id),
        severity=info.alert_severity,
        status=info.alert_status,
        alert_type=info.alert_type,
        description=info.alert_description,
    )


def _security(raw: bytes, about: dict[str, Any]) -> Update:
    number = decode(raw, _Number)
    return SecurityUpdate(
        **about,
        event=required(number.event, "event"),
        display_phone_number=number.display_phone_number,
        requester=label(number.requester),
    )


def _flow(raw: bytes, about: dict[str, Any]) -> Update:
    flow = decode(raw, _Flow)
    return FlowUpdate(
        **about,
        event=required(flow.event, "event"),
        flow_id=label(flow.flow_id),
        state=flow.new_status,
        alert_state=flow.alert_state,
        message=flow.message,
    )


_READERS: dict[str, Callable[[bytes, dict[str, Any]], Update]] = {
    "message_template_status_update": _template_status,
    "message_template_quality_update": _template_quality,
    "template_category_update": _template_category,
    "message_template_components_update": _template_components,
    "phone_number_quality_update": _number_quality,
    "phone_number_name_update": _number_name,
    "business_capability_update": _capability,
    "account_update": _account,
    "account_review_update": _account_review,
    "account_alerts": _account_alert,
    "security": _security,
    "flows": _flow,
}
