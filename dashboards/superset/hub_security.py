"""Who is there, for Superset: whom the hub's proxy vouches for, request by request.

The proxy sends a signed statement that lives a minute (`X-Hub-Assertion`: who, which permissions, which rows). Nothing of
it is kept in a session, so a session's end, a lost permission and another person in the next tab hold at the next
request. A guest token narrows that person to one dashboard; it never stands for a person by itself.
"""

import logging
from collections.abc import Iterable
from typing import Any

import jwt
from flask import Flask, Request, current_app, g, has_request_context, request
from flask_appbuilder.security.sqla.models import PermissionView, Role, User
from flask_login import current_user
from sqlalchemy.exc import IntegrityError
from superset.security.manager import SupersetSecurityManager

log = logging.getLogger(__name__)

HEADER, AUDIENCE = "X-Hub-Assertion", "superset"
VIEWER, GUEST = "hub_viewer", "hub_guest"
# Permission of the hub -> role here. Which dashboards a role sees is in dashboards/*.yaml.
ROLES = {
    "analytics:read": (VIEWER, "hub_analytics"),
    "campaigns:read": ("hub_campaigns",),
    "costs:read": ("hub_costs",),
    "analytics:export": ("hub_analyst", "Alpha", "sql_lab"),
    "settings:write": ("Admin",),
}
# Beside what Superset itself gives to somebody who only looks at dashboards.
_VIEWER_MORE = {
    ("menu_access", "Dashboards"),
    ("menu_access", "Home"),
    ("can_recent_activity", "Log"),
    ("can_log", "Superset"),
    ("can_language_pack", "Superset"),
    ("can_welcome", "Superset"),
    ("can_read", "SecurityRestApi"),
    ("can_get_embedded", "Dashboard"),
}
_GUEST_MORE = {("can_log", "Superset")}  # or each look at a chart in a frame is a refusal in the log


class HubSecurityManager(SupersetSecurityManager):
    """Superset's rules with the hub's people."""

    def load_user(self, pk: int) -> None:
        """A session tells nothing: people are told by the hub with every request."""

    def request_loader(self, request: Request) -> Any | None:
        """The person of this request; with a guest token, the guest that he is for one dashboard; None for nobody."""
        g.hub = claims = read_assertion(request)
        if claims is None:
            return None
        if current_app.config["GUEST_TOKEN_HEADER_NAME"] in request.headers or "guest_token" in request.form:
            guest = self.get_guest_user_from_request(request)
            # One person's token in another's browser, or in a later session, is nobody's.
            if (
                guest is None
                or guest.guest_token.get("sub") != claims["sub"]
                or guest.guest_token.get("sid") != claims["sid"]
            ):
                return None
            return guest
        # Storing a person asks who does it (`created_by`): nobody yet, instead of asking for the person who is being stored.
        g._login_user = self.lm.anonymous_user()
        return self._person(claims)

    def _person(self, claims: dict[str, Any]) -> User | None:
        names = {name for permission in claims["permissions"] for name in ROLES.get(permission, ())}
        if not names:
            return None
        roles = [role for name in sorted(names) if (role := self.find_role(name)) is not None]
        first, _, last = claims["name"].partition(" ")
        told = {"first_name": first[:64], "last_name": last[:64] or "·", "email": claims["email"]}
        user = self.find_user(username=claims["sub"])
        try:
            if user is None:
                return (
                    self.add_user(claims["sub"], told["first_name"], told["last_name"], told["email"], role=roles)
                    or None
                )
            changed = {field: value for field, value in told.items() if getattr(user, field) != value}
            if changed or {role.id for role in user.roles} != {role.id for role in roles}:
                for field, value in changed.items():
                    setattr(user, field, value)
                user.roles = roles
                self.session.commit()
        except IntegrityError:  # two first requests at once: the other has made him
            self.session.rollback()
            user = self.find_user(username=claims["sub"])
        return user

    def sync_role_definitions(self) -> None:
        """With `superset init`: the roles of this module beside Superset's own."""
        super().sync_role_definitions()
        pvms = self._get_all_pvms()
        self.set_role(GUEST, self._is_guest_pvm, pvms)
        self.set_role(VIEWER, self._is_viewer_pvm, pvms)
        for name in sorted({name for names in ROLES.values() for name in names if name.startswith("hub_")} - {VIEWER}):
            self.add_role(name)  # they say which dashboards; what one may do there is VIEWER's and Alpha's

    def _is_guest_pvm(self, pvm: PermissionView) -> bool:
        return self._is_public_pvm(pvm) or (pvm.permission.name, pvm.view_menu.name) in _GUEST_MORE

    def _is_viewer_pvm(self, pvm: PermissionView) -> bool:
        return self._is_public_pvm(pvm) or (pvm.permission.name, pvm.view_menu.name) in _VIEWER_MORE

    def get_user_roles(self, user: User | None = None) -> list[Role]:
        """Roles as FAB has them; nobody has none, not even Superset's public role."""
        found: Iterable[Role | None] = super().get_user_roles(user)
        return [role for role in found if role is not None]


def know_first(app: Flask) -> None:
    """Ask who is there before anything else: a new person cannot be stored in the middle of another write."""

    @app.before_request
    def know() -> None:
        if request.endpoint != "static" and HEADER in request.headers:
            _ = current_user.is_authenticated


def read_assertion(request: Request) -> dict[str, Any] | None:
    """What the hub says of who is there; None when it says nothing, or nothing that it has signed within the minute."""
    token = request.headers.get(HEADER)
    if not token:
        return None
    try:
        return jwt.decode(
            token,
            current_app.config["HUB_ASSERTION_SECRET"],
            algorithms=["HS256"],
            audience=AUDIENCE,
            options={"require": ["exp", "sub", "sid", "permissions", "email", "name", "all_rows", "queues"]},
        )
    except jwt.InvalidTokenError as error:
        log.warning("assertion refused: %s", type(error).__name__)
        return None


def hub_rows(column: str) -> str:
    """For row rules (dashboards/row_rules.yaml): the condition on `column`, a queue, of the person of this request.

    Of all teams: every row. Otherwise rows of his teams' queues; nobody, and who has no queue, sees none.
    """
    claims = getattr(g, "hub", None)
    if claims is None and has_request_context():  # flask-login has not been asked yet
        claims = read_assertion(request)
    if claims is None:
        return "1 = 0"
    if claims["all_rows"]:
        return "1 = 1"
    names = ", ".join(quoted(name) for name in claims["queues"])
    return f"{column} IN ({names})" if names else "1 = 0"


def quoted(text: str) -> str:
    """A text in ClickHouse's SQL; a colon would be read as a parameter by SQLAlchemy."""
    inner = text.replace("\\", "\\\\").replace("'", "\\'").replace(":", "\\x3A")
    return f"'{inner}'"
