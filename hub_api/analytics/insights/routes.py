"""The door to what the tables know of a customer."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from hub_api.analytics.insights import schemas
from hub_api.analytics.insights.read import insights_of
from hub_api.auth.decide import require
from hub_api.auth.principal import Principal
from hub_api.chat import views
from hub_api.chat.viewed import note_view
from hub_api.platform.services import Services
from hub_api.platform.web import get_services

router = APIRouter(prefix="/api/v1/customers", tags=["analytics"])


@router.get(
    "/{customer_id}/insights",
    responses={404: {"description": "no such customer"}},
    summary="What the tables know of a customer",
)
async def get_insights(
    services: Annotated[Services, Depends(get_services)],
    caller: Annotated[Principal, Depends(require("customers:read"))],
    customer_id: UUID,
) -> schemas.Insights:
    """Segments, risk of leaving, value, mood, habits; each with the day it is of. Without the warehouse it says so and is empty."""
    customer = await views.find_customer(services, caller, customer_id)
    await note_view(services, caller, "customer", [customer["id"]], "insights")
    return await insights_of(services, customer["id"])
