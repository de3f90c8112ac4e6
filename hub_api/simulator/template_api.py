"""Templates: list, read, create, edit, delete and unpause, with the limits and refusals of the management API."""

import itertools
import re
from typing import Any

from aiohttp import web

from hub_api.simulator import review
from hub_api.simulator.core import Core
from hub_api.simulator.errors import MetaError
from hub_api.simulator.fields import optional_text, parts, text
from hub_api.simulator.model import Template, Waba
from hub_api.simulator.render import VARIABLE
from hub_api.simulator.web_common import Handler, answer, json_object, paged, selected, waba_of

Json = dict[str, Any]

NAME = re.compile(r"[a-z0-9_]{1,512}")
CATEGORIES = ("MARKETING", "UTILITY", "AUTHENTICATION")
EDITABLE = ("APPROVED", "REJECTED", "PAUSED")
DAY_S = 86_400.0
USUAL_FIELDS = ("name", "parameter_format", "components", "language", "status", "category", "id")


def list_handler(core: Core) -> Handler:
    """`GET /{version}/{waba_id}/message_templates` with filters, fields and pages."""

    async def list_templates(request: web.Request) -> web.Response:
        waba = waba_of(core, request)
        query = request.query
        found = [
            t
            for t in waba.templates.values()
            if query.get("name", "") in t.name
            and all(
                not query.get(key) or value in query[key].split(",")
                for key, value in (("status", t.status), ("category", t.category), ("language", t.language))
            )
        ]
        data = [selected(_fields(t), USUAL_FIELDS, request, "MessageTemplate") for t in found]
        extra: Json = {}
        if "summary" in query:
            limit = 6_000 if waba.portfolio.verified else 250
            extra["summary"] = {
                "total_count": len(found),
                "message_template_count": len(waba.templates),
                "message_template_limit": limit,
                "are_translations_complete": True,
            }
        return answer(paged(data, request, **extra))

    return list_templates


def create_handler(core: Core) -> Handler:
    """`POST /{version}/{waba_id}/message_templates`: accepted as PENDING, reviewed a little later."""

    async def create(request: web.Request) -> web.Response:
        waba = waba_of(core, request)
        payload = await json_object(request)
        now = core.clock.now()
        fields = _checked(payload)
        _check_room(core, waba, fields, now)
        waba.created_at.append(now)
        template = core.world.add_template(waba, created_at=now, **fields)
        review.submit(core, template)
        return answer({"id": template.id, "status": template.status, "category": template.category})

    return create


def delete_handler(core: Core) -> Handler:
    """`DELETE /{version}/{waba_id}/message_templates?name=…[&hsm_id=…]`: all languages, or the one with that id."""

    async def delete(request: web.Request) -> web.Response:
        waba = waba_of(core, request)
        name, template_id = request.query.get("name", ""), request.query.get("hsm_id")
        doomed = [t for t in waba.templates.values() if t.name == name and template_id in (None, t.id)]
        if not doomed:
            raise MetaError(
                100, f"Message template not found: {name or 'the parameter name is required'}.", subcode=2593002
            )
        for template in doomed:
            review.set_status(core, template, "PENDING_DELETION")
            del waba.templates[(template.name, template.language)]
            del core.world.templates[template.id]
        waba.deleted_names[name] = core.clock.now()
        return answer({"success": True})

    return delete


async def template_node(core: Core, template: Template, request: web.Request) -> web.Response:
    """`GET` a template, or `POST` to edit it. Raises MetaError when it may not be edited now."""
    if request.method == "GET":
        return answer(selected(_fields(template), USUAL_FIELDS, request, "MessageTemplate"))
    payload = await json_object(request)
    now = core.clock.now()
    if template.status not in EDITABLE:
        raise MetaError(100, f"A template that is {template.status} cannot be edited.", subcode=2388025)
    if template.status == "APPROVED":
        if "category" in payload and payload["category"] != template.category:
            raise MetaError(100, "The category of an approved template cannot be edited.", subcode=2388025)
        recent = [at for at in template.edits if now - at < 30 * DAY_S]
        if len(recent) >= 10 or (recent and now - recent[-1] < DAY_S):
            raise MetaError(100, "An approved template can be edited once in 24 hours and 10 times in 30 days.",
                            subcode=2388025)  # fmt: skip
    merged = {**_fields(template), **payload, "name": template.name, "language": template.language}
    fields = _checked(merged)
    template.components, template.category = fields["components"], fields["category"]
    template.parameter_format = fields["parameter_format"]
    template.edits.append(now)
    review.submit(core, template)
    return answer({"success": True, "id": template.id, "name": template.name, "category": template.category})


async def unpause_template(core: Core, template: Template) -> web.Response:
    """`POST /{version}/{template_id}/unpause`: ends a pause that came from pacing."""
    if template.status != "PAUSED" and not template.pacing:
        return answer({"success": False, "reason": "The template is not paused."})
    review.unpause(core, template)
    return answer({"success": True})


def _check_room(core: Core, waba: Waba, fields: Json, now: float) -> None:
    if (fields["name"], fields["language"]) in waba.templates:
        raise MetaError(100, f"There is already content in {fields['language']} for template {fields['name']}.",
                        subcode=2388024)  # fmt: skip
    if now - waba.deleted_names.get(fields["name"], float("-inf")) < 30 * DAY_S:
        raise MetaError(100, f"The name {fields['name']} was deleted; it can be used again after 30 days.",
                        subcode=2388023)  # fmt: skip
    limit = 6_000 if waba.portfolio.verified else 250
    if len(waba.templates) >= limit:
        raise MetaError(100, f"The account has its {limit} templates.", subcode=2388019)
    created = waba.created_at
    if core.enforces("management") and len(created) == created.maxlen and now - created[0] < 3_600:
        raise MetaError(80007, "At most 100 templates can be created in an hour.")


def _checked(payload: Json) -> Json:
    """Template fields of a request. Raises MetaError 100 on what the review would not even look at."""
    name = text(payload, "name", "template", maximum=512)
    if not NAME.fullmatch(name):
        raise MetaError(100, "Param name must have lower case letters, digits and underscores only.")
    language = text(payload, "language", "template")
    category = text(payload, "category", "template").upper()
    if category not in CATEGORIES:
        raise MetaError(100, f'Param category must be one of {{{", ".join(CATEGORIES)}}} - got "{category}".')
    form = str(payload.get("parameter_format") or "POSITIONAL").upper()
    components = [
        {**component, "type": str(component.get("type", "")).upper()}
        for component in parts(payload, "components", "template", maximum=10, code=100)
    ]
    body = next((c for c in components if c["type"] == "BODY"), None)
    if body is None:
        raise MetaError(100, "A template needs a component of type BODY.")
    if category == "AUTHENTICATION":
        body.setdefault("text", "*{{1}}* é seu código de verificação.")
    _check_text(body, form)
    for component in components:
        if component["type"] == "HEADER":
            optional_text(component, "text", "header", maximum=60)
        elif component["type"] == "FOOTER" and not (category == "AUTHENTICATION" and "text" not in component):
            text(component, "text", "footer", maximum=60)
        elif component["type"] == "BUTTONS":
            for button in parts(component, "buttons", "template", maximum=10, code=100):
                button["type"] = str(button.get("type", "")).upper()
                optional_text(button, "text", "button", maximum=25)
    return {
        "name": name,
        "language": language,
        "category": category,
        "components": components,
        "parameter_format": form,
        "ttl_s": payload.get("message_send_ttl_seconds"),
    }


def _check_text(body: Json, form: str) -> None:
    value = text(body, "text", "body", maximum=1_024).strip()
    found = list(VARIABLE.finditer(value))
    authentication = value.startswith("*{{1}}*")
    if found and not authentication and (found[0].start() == 0 or found[-1].end() == len(value)):
        raise MetaError(100, "Variables can't be at the start or end of the template.", subcode=2388299)
    if any(not value[a.end() : b.start()].strip() for a, b in itertools.pairwise(found)):
        raise MetaError(100, "Variables must not be next to each other.", subcode=2388299)
    names = list(dict.fromkeys(match[1] for match in found))
    positional = names == [str(i) for i in range(1, len(names) + 1)]
    if form == "NAMED" and any(name.isdigit() for name in names):
        raise MetaError(100, "Named parameters must have names of lower case letters and underscores.")
    if form != "NAMED" and not positional:
        raise MetaError(100, "Positional parameters must be numbered from 1 without gaps.")


def _fields(template: Template) -> Json:
    return {
        "id": template.id,
        "name": template.name,
        "language": template.language,
        "status": template.status,
        "category": template.category,
        "previous_category": None,
        "correct_category": None,
        "parameter_format": template.parameter_format,
        "components": template.components,
        "rejected_reason": template.rejected_reason,
        "quality_score": {"score": template.quality, "date": 0},
        "message_send_ttl_seconds": template.ttl_s,
        "library_template_name": None,
        "cta_url_link_tracking_opted_out": None,
        "sub_category": None,
        "degrees_of_freedom_spec": None,
        "created_time": None,
        "last_updated_time": None,
    }
