"""The door of the audit log's verification, beside `hub audit verify`, and of the settings in force."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from hub_api.auth import audit_verify
from hub_api.auth.decide import require
from hub_api.auth.jobs import verify_audit
from hub_api.auth.principal import Principal
from hub_api.auth.schemas import Shown
from hub_api.auth.settings_shown import in_force
from hub_api.platform.services import Services
from hub_api.platform.web import get_services

router = APIRouter(prefix="/api/v1")

Hub = Annotated[Services, Depends(get_services)]
Reader = Annotated[Principal, Depends(require("audit:read"))]


class Verification(Shown):
    """A walk over the whole chain; without `finished_at` it waits or runs."""

    id: UUID
    requested_by: UUID | None = Field(description="null: the clock, once a day")
    requested_by_name: str | None
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    links: int | None = Field(description="rows whose link was checked")
    signatures: int | None
    archived: int | None = Field(description="links whose row went with its month; gaps between them would be found")
    unsealed: int | None = Field(description="rows so new that the sealer had not linked them")
    head: str | None = Field(description="hash of the last link: note it elsewhere to notice a chain that was cut off")
    other_keys: list[str] | None = Field(description="keys beside today's that signed")
    faults: list[str] | None = Field(examples=[[]], description="what is wrong; empty: the log is as it was written")


class VerificationState(BaseModel):
    """The newest verification."""

    verification: Verification | None = Field(description="null: none was ever asked for")


class SettingShown(BaseModel):
    """A setting in force."""

    name: str = Field(examples=["HUB_BUSINESS_HOURS"], description="its environment variable")
    group: str = Field(examples=["service"])
    value: str = Field(
        examples=["1-5 08:00-20:00"], description="as it is in force; secrets say only whether they are set"
    )
    is_default: bool
    description: str


class SettingsShown(BaseModel):
    """What the organisation decides in the environment, by group."""

    items: list[SettingShown]


@router.get("/audit/verification", tags=["audit"], summary="Whether the audit log is as it was written")
async def get_verification(services: Hub, caller: Reader) -> VerificationState:
    """What the newest walk over the hash chain found."""
    row = await audit_verify.newest(services.db)
    return VerificationState(verification=Verification.model_validate(dict(row)) if row else None)


@router.post("/audit/verification", status_code=202, tags=["audit"], summary="Verify the audit log")
async def post_verification(services: Hub, caller: Reader) -> VerificationState:
    """A job walks the chain; ask for the state until it is finished. Who asks while one runs gets that one."""
    async with services.transaction() as tx:
        await audit_verify.ask(tx, caller)
        tx.ring(verify_audit)
    return await get_verification(services, caller)


@router.get(
    "/settings", tags=["settings"], dependencies=[Depends(require("settings:read"))], summary="Settings in force"
)
async def get_settings(services: Hub) -> SettingsShown:
    """What this process was started with. They are set in the environment and change with the next start."""
    return SettingsShown(items=[SettingShown(**one) for one in in_force(services.settings)])
