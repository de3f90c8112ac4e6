"""What a visitor is told: his conversation and its messages, and nothing of how we work. Pure."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

_FROM = {"customer": "visitor", "agent": "agent", "phone_app": "agent"}


def message_frame(row: Mapping[str, Any], visitor_id: UUID) -> dict[str, Any]:
    """A row of `history` as the widget draws it; what was deleted has no words."""
    payload = row["payload"] or {}
    shown: dict[str, Any] = {
        "id": str(row["id"]),
        "at": row["created_at"].isoformat(),
        "talk": str(row["conversation_id"]),
        "from": _FROM.get(row["author"], "bot"),
        "kind": row["type"],
        "text": None if row["revoked_at"] else row["content"],
        "state": row["state"],
    }
    if row["author"] == "agent" and row["agent_name"]:
        shown["name"] = row["agent_name"].split()[0]
    prefix = f"site.{visitor_id.hex}."
    if row["direction"] == "in" and (row["wamid"] or "").startswith(prefix):
        shown["client_id"] = row["wamid"].removeprefix(prefix)
    if row["revoked_at"]:
        return shown
    if row["files"]:
        shown["files"] = row["files"]
        caption = (payload.get("detail") or payload.get(row["type"]) or {}).get("caption")
        shown["text"] = caption
    if row["type"] == "interactive" and row["direction"] == "out":
        shown |= _offered(payload.get("interactive") or {})
    return shown


def talk_frame(row: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A row of `talk`: protocol, where it stands, who answers, the place in line."""
    if row is None:
        return None
    name = row["agent_name"].split()[0] if row["agent_name"] else None
    return {
        "id": str(row["id"]), "protocol": row["protocol"], "state": row["state"], "agent": name, "position": row["position"],
    }  # fmt: skip


def _offered(interactive: Mapping[str, Any]) -> dict[str, Any]:
    """What can be tapped under a message, whether the channel calls it buttons, a list or a link."""
    action = interactive.get("action") or {}
    options = [one["reply"] for one in action.get("buttons", ()) if one.get("type") == "reply"]
    options += [row for section in action.get("sections", ()) for row in section.get("rows", ())]
    link = action.get("parameters") or {}
    shown: dict[str, Any] = {"options": [{"id": one["id"], "title": one["title"]} for one in options]}
    if interactive.get("type") == "cta_url" and str(link.get("url", "")).startswith(("https://", "http://")):
        shown["link"] = {"title": link.get("display_text"), "url": link["url"]}
    return shown
