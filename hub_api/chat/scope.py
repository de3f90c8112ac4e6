"""Whose conversations a caller sees, for routes that have the conversation's id in their path."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends

from hub_api.auth.identify import principal
from hub_api.auth.principal import Principal
from hub_api.chat import views
from hub_api.platform.services import Services
from hub_api.platform.web import get_services


async def seen(
    services: Annotated[Services, Depends(get_services)],
    caller: Annotated[Principal, Depends(principal)],
    conversation_id: UUID,
) -> None:
    """FastAPI dependency: raises NotFound for a conversation of another team, as for one that does not exist.

    It comes before the body is looked at, so that nobody learns from an error what exists.
    """
    await views.find_conversation(services, caller, str(conversation_id))
