"""The HTTP application of a process: which services it mounts, what it opens, how errors leave it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib import import_module

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException

from hub_api import __version__, console_pages, health, roles
from hub_api.auth.apps.listed import listed
from hub_api.auth.openid.errors import OAuthError, on_oauth_error
from hub_api.auth.pages.routes import on_unauthorized
from hub_api.campaign_channel import WhatsApp
from hub_api.errors import HubError, Unauthorized
from hub_api.platform import openapi, web
from hub_api.platform.body_limit import MEGABYTE, BodyLimit
from hub_api.platform.dberrors import RETRYABLE, UNSTORABLE
from hub_api.platform.headers import SecurityHeaders
from hub_api.platform.http_server import raise_file_limit
from hub_api.platform.logging import configure
from hub_api.platform.request_info import ClientAddress
from hub_api.platform.service_levels import recorded
from hub_api.settings import Settings, load_settings
from hub_api.whatsapp.inbox import Inbox
from hub_api.whatsapp.webhook import webhook

# The six services of the product and the routers each one mounts. A Deployment names one; the embedded API all.
SERVICES: dict[str, tuple[str, ...]] = {
    "auth": tuple(
        f"hub_api.auth.{one}"
        for one in (
            "routes",
            "routes_token",
            "routes_account",
            "routes_users",
            "routes_access",
            "routes_audit",
            "single_sign_on.routes",
            "openid.routes",
            "openid.routes_clients",
            "apps.routes",
            "pages.routes",
        )
    ),
    "chat": (
        "hub_api.chat.routes",
        "hub_api.chat.routes_merge",
        "hub_api.chat.live.routes",
        "hub_api.chat.routes_consent",
        "hub_api.chat.queues.routes",
        "hub_api.chat.agents.routes",
        "hub_api.chat.agents.socket",
        "hub_api.chat.site.routes",
        "hub_api.chat.site.socket",
        "hub_api.site_files",
        "hub_api.widget_pages",
        "hub_api.chat.sla.routes",
        "hub_api.chat.desk.routes",
        "hub_api.chat.desk.routes_canned",
        "hub_api.chat.desk.routes_later",
        "hub_api.chat.desk.routes_macros",
        "hub_api.chat.business.routes",
        "hub_api.chat.privacy.routes",
        "hub_api.chat.privacy.routes_keeping",
        "hub_api.chat.privacy.routes_documents",
    ),
    "whatsapp": (
        "hub_api.whatsapp.routes",
        "hub_api.whatsapp.compose.routes",
        "hub_api.whatsapp.cost.routes",
        "hub_api.whatsapp.pool.routes",
        "hub_api.whatsapp.templates.routes",
        "hub_api.whatsapp.media.routes",
    ),
    "ai": (),
    "campaigns": (
        "hub_api.campaigns.plans.routes",
        "hub_api.campaigns.plans.routes_calendar",
        "hub_api.campaigns.lists.routes",
        "hub_api.campaigns.goals.routes",
        "hub_api.campaigns.links.routes",
        "hub_api.campaigns.results.routes",
        "hub_api.campaigns.suppressions.routes",
    ),
    "analytics": (
        "hub_api.analytics.routes",
        "hub_api.analytics.routes_export",
        "hub_api.analytics.dashboards.routes",
        "hub_api.analytics.segments.routes_offer",
        "hub_api.analytics.segments.routes",
        "hub_api.analytics.reports.routes",
        "hub_api.analytics.alerts.routes",
        "hub_api.analytics.returns.routes",
        "hub_api.analytics.insights.routes",
    ),
}

# Paths that take files, with the most bytes of one; the routes behind them stream.
UPLOADS = {
    "/api/v1/campaign-audiences": 65 * MEGABYTE,
    "/api/v1/business": 201 * MEGABYTE,
    "/api/v1/media": 101 * MEGABYTE,
    "/widget/files": 11 * MEGABYTE,
    "/api/v1/goals/import": 201 * MEGABYTE,
    "/api/v1/suppressions/import": 201 * MEGABYTE,
}


def create_app(settings: Settings, mounted: Sequence[str] = tuple(SERVICES)) -> FastAPI:
    """The application with the routers of `mounted`. Pools open with its lifespan. Raises KeyError on an unknown service."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with roles.services(settings, "api") as services, recorded(services.db):
            app.state.services = services
            app.state.campaign_channel = WhatsApp()
            if "whatsapp" not in mounted:
                yield
                return
            async with Inbox(services) as inbox:
                app.state.inbox = inbox
                yield

    if "auth" in mounted:
        listed(settings)  # an operator's mistake in HUB_APPS is told now and not at the first request

    app = FastAPIOffline(  # a FastAPI whose /docs loads nothing from elsewhere
        title="Telecom hub",
        version=__version__,
        summary="WhatsApp engagement hub for Brazilian telecoms",
        lifespan=lifespan,
        docs_url="/docs",
        openapi_url="/openapi.json",
        redoc_url=None,
    )
    app.add_middleware(web.RequestContext)
    app.add_exception_handler(HubError, web.on_hub_error)
    app.add_exception_handler(OAuthError, on_oauth_error)
    app.add_exception_handler(Unauthorized, on_unauthorized)
    app.add_exception_handler(HTTPException, web.on_http_error)
    app.add_exception_handler(RequestValidationError, web.on_invalid_request)
    for away_or_collided in RETRYABLE:
        app.add_exception_handler(away_or_collided, web.on_interrupted)
    for unstorable in UNSTORABLE:
        app.add_exception_handler(unstorable, web.on_unstorable)
    app.add_exception_handler(Exception, web.on_unexpected)
    app.include_router(health.router)
    for service in mounted:
        for module in SERVICES[service]:
            app.include_router(import_module(module).router)
    if settings.console and "chat" in mounted:
        app.include_router(console_pages.router)
    openapi.describe(app)
    app.add_middleware(BodyLimit, larger=UPLOADS)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(ClientAddress, trusted=settings.trusted_proxies)
    if "whatsapp" in mounted:
        # Outermost: the hot path passes no other layer (FastAPI's cost two to three times on this route).
        app.add_middleware(web.AtPath, path="/webhooks/whatsapp", endpoint=webhook(settings, lambda: app.state.inbox))
    return app


def create_app_from_env() -> FastAPI:
    """For uvicorn's factory: settings, `HUB_API_SERVICES` among them, from the environment."""
    raise_file_limit()
    settings = load_settings()
    configure(settings.log_level, process="api")
    return create_app(settings, settings.api_services or tuple(SERVICES))
