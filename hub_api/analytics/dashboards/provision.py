"""Bring Superset to what the tree says: database, datasets, charts, dashboards, who sees them and which rows.

Superset's own import API overwrites what has the same id, so a run after a half one mends it. Each dashboard carries the
fingerprint of the tree that it was made of: when all do, nothing is sent.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import structlog

from hub_api.analytics.dashboards.row_rules import read_rules, superset_clause
from hub_api.analytics.dashboards.superset import Superset, connect
from hub_api.analytics.dashboards.tree import CERTIFIED_BY, DATABASE, Tree, bundle, read_tree
from hub_api.errors import HubError
from hub_api.settings import Settings

log = structlog.get_logger(__name__)

# Permission that a dashboard asks for -> Superset's role of whoever has it (dashboards/superset/hub_security.py).
ROLES = {"analytics:read": "hub_analytics", "campaigns:read": "hub_campaigns", "costs:read": "hub_costs"}
RULE_PREFIX = "hub: "


@dataclass(frozen=True, slots=True)
class Provisioned:
    """What a run found: `changed` is False when Superset was as the tree says."""

    fingerprint: str
    changed: bool
    dashboards: int
    charts: int


async def provision(settings: Settings, *, force: bool = False) -> Provisioned:
    """Make Superset what the tree says; `force` imports even if it is. Raises Unavailable, HubError, Invalid."""
    tree, rules = read_tree(), read_rules()
    address, password = warehouse_address(settings)
    packed, content = bundle(tree, address=address, timezone=settings.timezone)
    secret = f"{content} {address} {password} {[superset_clause(rule) for rule in rules.rules]}"
    fingerprint = f"{content}-{hashlib.sha256(secret.encode()).hexdigest()[:8]}"
    charts = sum(len(one.charts) for one in tree.dashboards.values())
    async with connect(settings) as superset:
        if not force and await is_there(superset, tree, fingerprint):
            return Provisioned(fingerprint, changed=False, dashboards=len(tree.dashboards), charts=charts)
        await send(superset, packed, password)
        await set_rules(superset, tree)
        await open_dashboards(superset, tree, fingerprint)
    log.info("dashboards_provisioned", fingerprint=fingerprint, dashboards=len(tree.dashboards), charts=charts)
    return Provisioned(fingerprint, changed=True, dashboards=len(tree.dashboards), charts=charts)


def warehouse_address(settings: Settings) -> tuple[str, str]:
    """Superset's address of the warehouse for the reader of gold, its password masked, and the password.

    The reader is HUB_WAREHOUSE_GOLD_URL, else the user `gold` at HUB_CLICKHOUSE_URL with HUB_WAREHOUSE_GOLD_PASSWORD.
    """
    parts = urlsplit(settings.clickhouse_url.get_secret_value())
    if settings.warehouse_gold_password is None:
        raise HubError("HUB_WAREHOUSE_GOLD_PASSWORD is not set: Superset reads the warehouse as its user gold")
    port = parts.port or (8443 if parts.scheme == "https" else 8123)
    secure = "?secure=true" if parts.scheme == "https" else ""
    return f"clickhousedb://gold:XXXXXXXXXX@{parts.hostname}:{port}/gold{secure}", settings.warehouse_gold_password.get_secret_value()  # fmt: skip


async def is_there(superset: Superset, tree: Tree, fingerprint: str) -> bool:
    """Whether every dashboard of the tree is there, made of this very tree, and open to its role."""
    found = await superset.rows("/dashboard/", ("slug", "certification_details"))
    details = {row["slug"]: row["certification_details"] for row in found}
    return all(details.get(slug) == fingerprint for slug in tree.dashboards)


async def send(superset: Superset, packed: bytes, password: str) -> None:
    """Import the bundle, whatever of it is there already."""
    form = aiohttp.FormData()
    form.add_field("bundle", packed, filename="hub.zip", content_type="application/zip")
    form.add_field("passwords", json.dumps({f"databases/{DATABASE}.yaml": password}))
    await superset.call("POST", "/assets/import/", data=form)


async def set_rules(superset: Superset, tree: Tree) -> None:
    """Superset's row level security is what the rules say, for everybody (base filters): a person of all teams is told apart by
    the condition itself, so a new role is never left out."""
    datasets = {row["table_name"]: row["id"] for row in await superset.rows("/dataset/", ("id", "table_name"))}
    rules, views = read_rules(), {one.spec["view"] for one in tree.datasets.values()}
    for view in views:
        rules.of_view(view)  # or Invalid: nothing is shown of which nobody said whose it is
    known = {row["name"]: row["id"] for row in await superset.rows("/rowlevelsecurity/", ("id", "name"))}
    wanted = {}
    for rule in rules.rules:
        if tables := sorted(datasets[view] for view in rule.views & views):
            wanted[RULE_PREFIX + rule.name] = {
                "filter_type": "Base", "tables": tables, "roles": [], "group_key": "", "clause": superset_clause(rule),
                "description": "dashboards/row_rules.yaml",
            }  # fmt: skip
    for name, content in wanted.items():
        body: dict[str, Any] = {"name": name, **content}
        if name in known:
            await superset.call("PUT", f"/rowlevelsecurity/{known[name]}", json=body)
        else:
            await superset.call("POST", "/rowlevelsecurity/", json=body)
    for name, number in known.items():
        if name.startswith(RULE_PREFIX) and name not in wanted:
            await superset.call("DELETE", f"/rowlevelsecurity/{number}")


async def open_dashboards(superset: Superset, tree: Tree, fingerprint: str) -> None:
    """Each dashboard is for the role of its permission, may be embedded, and says of which tree it is; dashboards that the tree
    no longer has go."""
    roles = {row["name"]: row["id"] for row in await superset.rows("/security/roles/")}
    found = await superset.rows("/dashboard/", ("id", "slug", "certified_by"))
    numbers = {row["slug"]: row["id"] for row in found}
    for row in found:
        if row["certified_by"] == CERTIFIED_BY and row["slug"] not in tree.dashboards:
            await superset.call("DELETE", f"/dashboard/{row['id']}")
    for slug, dashboard in tree.dashboards.items():
        number = numbers[slug]
        await superset.call("POST", f"/dashboard/{number}/embedded", json={"allowed_domains": []})
        # The fingerprint last: a run that ends before it begins anew.
        body = {"roles": [roles[ROLES[dashboard.permission]]], "published": True, "certification_details": fingerprint}
        await superset.call("PUT", f"/dashboard/{number}", json=body)
