"""The door for whoever answers for personal data: the register of processing."""

from typing import Annotated

from fastapi import APIRouter, Depends

from hub_api.auth.decide import require
from hub_api.auth.principal import Principal
from hub_api.chat.privacy import schemas
from hub_api.chat.privacy.inventory import register

router = APIRouter(prefix="/api/v1/privacy", tags=["privacy"])

Reader = Annotated[Principal, Depends(require("privacy:read"))]


@router.get("/register", summary="Register of processing")
async def get_register(caller: Reader) -> schemas.Register:
    """Which personal data the hub holds, where, why, on what legal basis and for how long (LGPD art. 37)."""
    return schemas.Register.model_validate({"items": list(register())})
