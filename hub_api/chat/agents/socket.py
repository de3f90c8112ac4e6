"""Presence over a WebSocket: while it is open and speaks, its agent is there."""

from typing import Annotated

from fastapi import APIRouter, Depends

from hub_api.auth.sockets import Guarded, converse, require_socket
from hub_api.chat.agents.heartbeat import open_heartbeats
from hub_api.chat.agents.profile import user_of
from hub_api.chat.agents.schemas import Beat
from hub_api.platform.services import Services

router = APIRouter()


@router.websocket("/ws/presence")
async def presence(guarded: Annotated[Guarded, Depends(require_socket("presence:use"))]) -> None:
    """Each message is a heartbeat; the answer says when the next is due. It ends with the session."""
    services: Services = guarded.websocket.app.state.services
    heartbeats, user_id = await services.shared(open_heartbeats), user_of(guarded.caller)

    async def answer(guarded: Guarded, _message: str | bytes) -> None:
        heartbeats.beat(user_id)
        await guarded.send(Beat().model_dump_json())

    await converse(guarded, answer)
