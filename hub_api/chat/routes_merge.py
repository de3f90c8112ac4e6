"""The door of merging: two open conversations become one."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import Field

from hub_api.auth.decide import require
from hub_api.auth.principal import Principal
from hub_api.chat import schemas, views
from hub_api.chat.join import join
from hub_api.chat.scope import seen
from hub_api.chat.shown import conversation_for
from hub_api.platform.services import Services
from hub_api.platform.web import get_services

router = APIRouter(prefix="/api/v1", tags=["chat"])

may_write = require("conversations:write")
WRITE, SEEN = Depends(may_write), Depends(seen)
REFUSED: dict[int | str, dict[str, Any]] = {
    404: {"description": "no such conversation, or no such other"},
    409: {
        "description": "`conversation_state`: not both are open · `other_customer`: they are of two customers, and "
        "`same_person` is not said · `conflict`: a customer is erased"
    },
}


class Merging(schemas.Strict):
    """What is taken in."""

    other: str = Field(
        min_length=1, max_length=40, examples=["2026112300001234"], description="its id or protocol number"
    )
    same_person: bool = Field(
        False, description="two customers are one person: they are merged too (`customers:write`), for good"
    )


@router.post(
    "/conversations/{conversation_id}/merge", dependencies=[WRITE, SEEN], responses=REFUSED, summary="Take in another"
)
async def post_merge(
    services: Annotated[Services, Depends(get_services)],
    caller: Annotated[Principal, Depends(may_write)],
    conversation_id: UUID,
    body: Merging,
) -> schemas.Conversation:
    """The other is closed, its messages and notes are shown here from now on; both protocol numbers stay. There is no way back."""
    kept = await views.find_conversation(services, caller, str(conversation_id))
    other = await views.find_conversation(services, caller, body.other)
    async with services.transaction() as tx:
        await join(tx, caller, kept, other, same_person=body.same_person)
    return conversation_for(caller, await views.find_conversation(services, caller, str(conversation_id)))
