"""The life of templates: review after creation and edit, pacing, pauses, quality, category; each change is told."""

from typing import Any

from hub_api.simulator import statuses
from hub_api.simulator.core import Core
from hub_api.simulator.model import Template

PAUSE_S = (3 * 3_600.0, 6 * 3_600.0)  # first and second pause; the third time the template is disabled


def submit(core: Core, template: Template) -> None:
    """Put a new or edited template under review; it is approved after `template_review_s`."""
    template.status = "PENDING"
    template.compiled = None
    core.timeline.after(core.config.template_review_s, _approve, core, template, len(template.edits))


def set_status(core: Core, template: Template, status: str, *, reason: str | None = None, **extra: Any) -> None:
    """Change a template's status and tell it; `extra` are further keys of the webhook, such as `other_info`."""
    template.status = status
    template.rejected_reason = reason or "NONE"
    value = {"event": status, **_named(template), "message_template_category": template.category, "reason": reason}
    core.tell_account(core.world.waba_of(template), "message_template_status_update", {**value, **extra})


def pause(core: Core, template: Template) -> None:
    """Pause for low quality: 3 h the first time, 6 h the second, disabled the third; it resumes by itself."""
    if template.pauses >= len(PAUSE_S):
        now = int(core.clock.now())
        info = {"title": "DISABLED", "description": "Your WhatsApp message template has been disabled."}
        set_status(core, template, "DISABLED", disable_info={"disable_date": now}, other_info=info)
        return
    hours = PAUSE_S[template.pauses] / 3_600
    title = ("FIRST_PAUSE", "SECOND_PAUSE")[template.pauses]
    template.pauses += 1
    description = f"Your WhatsApp message template has been paused for {hours:.0f} hours because of low quality."
    set_status(core, template, "PAUSED", other_info={"title": title, "description": description})
    core.timeline.after(PAUSE_S[template.pauses - 1], _resume, core, template, template.pauses)


def unpause(core: Core, template: Template) -> None:
    """End a pause and release what pacing held."""
    template.pacing = ""
    if template.status == "PAUSED":
        info = {"title": "UNPAUSE", "description": "Your WhatsApp message template has been unpaused."}
        set_status(core, template, "APPROVED", other_info=info)
    settle_held(core, template, deliver=True)


def set_quality(core: Core, template: Template, quality: str) -> None:
    """Change the quality score and tell it."""
    previous, template.quality = template.quality, quality
    value = {"previous_quality_score": previous, "new_quality_score": quality, **_named(template)}
    core.tell_account(core.world.waba_of(template), "message_template_quality_update", value)


def announce_category(core: Core, template: Template, category: str, *, notice_s: float = 86_400.0) -> None:
    """Reclassify: a notice now, in which `new_category` is still the current one, and the change after `notice_s`."""
    waba = core.world.waba_of(template)
    if not notice_s:
        _reclassify(core, template, category)
        return
    at = core.clock.now() + notice_s
    notice = {
        **_named(template),
        "correct_category": category,
        "new_category": template.category,
        "category_update_timestamp": int(at),
    }
    core.tell_account(waba, "template_category_update", notice)
    core.timeline.at(at, _reclassify, core, template, category)


def settle_held(core: Core, template: Template, *, deliver: bool) -> int:
    """Decide about messages held by pacing: deliver them, or drop them with 132015. Returns how many."""
    held = list(template.held.values())
    for message in held:
        if deliver:
            statuses.release(core, message)
        else:
            del template.held[message.wamid]
            statuses.fail(core, message, 132015, "The message was held for quality assessment and then dropped.")
    return len(held)


def _approve(core: Core, template: Template, version: int) -> None:
    if template.status == "PENDING" and len(template.edits) == version:
        set_status(core, template, "APPROVED", reason="NONE")


def _resume(core: Core, template: Template, pause_number: int) -> None:
    if template.status == "PAUSED" and template.pauses == pause_number:
        unpause(core, template)


def _reclassify(core: Core, template: Template, category: str) -> None:
    previous, template.category = template.category, category
    value = {**_named(template), "previous_category": previous, "new_category": category}
    core.tell_account(core.world.waba_of(template), "template_category_update", value)


def _named(template: Template) -> dict[str, Any]:
    return {
        "message_template_id": int(template.id),
        "message_template_name": template.name,
        "message_template_language": template.language,
    }
