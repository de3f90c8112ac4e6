"""What a segment may ask for, over HTTP. Before `routes`, whose `/{segment_id}` would take these addresses."""

from typing import Annotated

from fastapi import APIRouter, Query

from hub_api.analytics.segments import offer, schemas
from hub_api.analytics.segments.routes import ASKED, READ, Hub

router = APIRouter(prefix="/api/v1/segments", tags=["segments"], dependencies=[READ])


@router.get("/catalogue", summary="What a definition may ask for")
async def get_catalogue() -> schemas.Catalogue:
    """Fields with their kinds, operators, actions with what their detail is, and the limits of a tree."""
    return schemas.Catalogue.model_validate(offer.shape())


@router.get("/values", responses=ASKED, summary="Values that occur")
async def get_values(
    services: Hub,
    of: Annotated[
        str,
        Query(
            max_length=80,
            description="an attribute of kind text, a place, `tags`, or an action with its detail",
            examples=["plan_kind", "state_code", "tags", "campaign_received.template"],
        ),
    ],
) -> schemas.ValueList:
    """The values of a field that customers have, those of most customers first, at most 200."""
    found = await offer.values(services, of)
    return schemas.ValueList(items=[schemas.FoundValue(value=value, customers=count) for value, count in found])


@router.get("/sizes", responses=ASKED, summary="Sizes by the last run")
async def get_sizes(services: Hub) -> schemas.SizeList:
    """Of each segment that the last run of the tables knew: members, from which version, and when."""
    return schemas.SizeList(items=[schemas.Size.model_validate(one) for one in await offer.sizes(services)])
