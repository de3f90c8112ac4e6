"""Dashboards of Superset for the console: which there are for the caller, and a token to show one in a frame."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field

from hub_api.analytics.dashboards.guest import admit, has_superset, visible
from hub_api.analytics.dashboards.superset import PATH
from hub_api.analytics.dashboards.tree import read_tree
from hub_api.auth.keys import Principal, require
from hub_api.platform.services import Services
from hub_api.platform.web import get_services

router = APIRouter(prefix="/api/v1/analytics/dashboards", tags=["analytics"])

Hub = Annotated[Services, Depends(get_services)]
Viewer = Annotated[Principal, Depends(require("analytics:read"))]
Slug = Annotated[str, Path(max_length=60, examples=["operacao"])]


class DashboardOut(BaseModel):
    """A dashboard that the caller may see."""

    slug: str = Field(examples=["operacao"])
    title: str = Field(examples=["Operação"])
    description: str
    path: str = Field(examples=["/apps/superset/superset/dashboard/operacao/"], description="as a page of its own")


class DashboardList(BaseModel):
    """In the order in which they are to be shown."""

    items: list[DashboardOut]
    available: bool = Field(description="whether a Superset runs with this hub that can show them")


class GuestToken(BaseModel):
    """What the frame needs: Superset's embedded SDK asks for `token` before it ends."""

    token: str
    expires_in: int = Field(examples=[300], description="seconds")
    path: str = Field(description="what the frame loads, from the hub's own address")


@router.get("", summary="Dashboards that I may see")
def list_dashboards(services: Hub, caller: Viewer) -> DashboardList:
    """Those of whose permission the caller's role has; whose rows he sees in them is his teams' (`dashboards/row_rules.yaml`)."""
    return DashboardList(
        items=[
            DashboardOut(
                slug=one.slug,
                title=one.spec["title"],
                description=one.spec["description"],
                path=f"{PATH}/superset/dashboard/{one.slug}/",
            )
            for one in visible(read_tree(), caller)
        ],
        available=has_superset(services.settings),
    )


@router.post(
    "/{slug}/guest-token",
    summary="A token to show one dashboard in a frame",
    responses={
        404: {"description": "`not_found`: no such dashboard"},
        503: {"description": "`unavailable`: Superset does not answer, or the dashboard is not there yet"},
    },
)
async def make_guest_token(services: Hub, caller: Viewer, slug: Slug) -> GuestToken:
    """For this session and five minutes; it is of no use in another session, nor without one."""
    guest = await admit(services.settings, caller, slug)
    return GuestToken(token=guest.token, expires_in=guest.expires_in, path=guest.path)
