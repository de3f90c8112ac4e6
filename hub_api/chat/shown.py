"""Rows of conversations and messages as the API and the WebSocket show them to a caller."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from hub_api.auth.principal import Principal
from hub_api.chat import masking, schemas, windows
from hub_api.platform.pgtypes import Row


def message_for(caller: Principal, row: Row) -> schemas.Message:
    """A row of `list_messages`, with numbers of people masked for who may not see them."""
    return schemas.Message.model_validate(
        masking.words_for(caller, row, "content", "payload", "media", "error_title", "reactions")
    )


def found_for(caller: Principal, row: Mapping[str, Any]) -> schemas.Found:
    """A row of `search_messages`: the customer's name as his conversations show it, his phone as the list of customers does."""
    phone = masking.customer_for(caller, {"phone": row["customer_phone"]})["phone"]
    return schemas.Found.model_validate(
        {
            **masking.words_for(caller, row, "content", "customer_name"),
            "customer_phone": phone if caller.may("customers:read") else None,
        }
    )


def conversation_for(caller: Principal, row: Row) -> schemas.Conversation:
    """A row of `find_conversation`, with the windows that are open now."""
    now = datetime.now(UTC)
    spoke_at = row["last_customer_message_at"]
    open_until = windows.service_until(spoke_at) if windows.service_open(spoke_at, now) else None
    free_until = windows.free_entry_until(row["ad_arrivals"] or (), row["ad_answers"] or (), now)
    return schemas.Conversation.model_validate(
        {
            **masking.words_for(caller, row, "customer_name", "ai_summary", "tags"),
            "window_open_until": open_until,
            "free_entry_until": free_until,
        }
    )
