"""Rows of conversations and messages as the API and the WebSocket show them to a caller."""

from datetime import UTC, datetime

from hub_api.auth.principal import Principal
from hub_api.chat import masking, schemas, windows
from hub_api.platform.pgtypes import Row


def message_for(caller: Principal, row: Row) -> schemas.Message:
    """A row of `list_messages`, with numbers of people masked for who may not see them."""
    return schemas.Message.model_validate(
        masking.words_for(caller, row, "content", "payload", "media", "error_title", "reactions")
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
