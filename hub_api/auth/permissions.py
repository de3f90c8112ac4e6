"""What may be done, and which role may do it: data only. `decide.py` judges by it, a test walks every route with it.

A permission is `area:verb`. A route names one; a role is a set of them. Add a permission here before a route names it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

ALL = "*"
OWN_ACCOUNT = "account:use"
FIRST_ADMIN = "admin@hub.local"  # who is there when a hub is new

PERMISSIONS: Mapping[str, str] = {
    OWN_ACCOUNT: "own profile, password, second factor and sessions",
    "conversations:read": "conversations and messages within the team scope",
    "conversations:write": "write to customers; assign, transfer, resolve, close, rate",
    "presence:use": "one's own presence: get conversations from queues",
    "queues:read": "queues, their rules, and who waits how long",
    "queues:write": "make and change queues and promises of service (SLA)",
    "agents:read": "presence and load of agents within the team scope",
    "agents:write": "set capacity, skills and languages of agents",
    "customers:read": "customers within the team scope",
    "customers:write": "correct customers, their tags and consent",
    "messages:read": "messages of all teams whose sending is in doubt",
    "messages:write": "send templates from programs; settle sends in doubt, of all teams",
    "business:read": "plans, contracts, invoices, payments, outages, tickets",
    "business:write": "load the operator's business data",
    "numbers:read": "WhatsApp accounts and numbers, their state and quality",
    "numbers:write": "add, pause, drain, remove and register accounts and numbers",
    "templates:read": "message templates and their state",
    "templates:write": "make, change and submit templates",
    "media:read": "files of conversations",
    "media:write": "upload files to send",
    "costs:read": "what messages cost, and the rate cards",
    "webhooks:read": "what could not be handled",
    "webhooks:write": "handle it again",
    "campaigns:read": "campaigns and their results",
    "campaigns:write": "make and change campaigns and segments",
    "campaigns:approve": "start, pause and stop campaigns",
    "analytics:read": "dashboards and key figures",
    "analytics:export": "take data out of the hub",
    "pipelines:operate": "Dagster's UI: see, start and stop the building of the warehouse's tables",
    "notebooks:use": "notebooks, which run code beside the data and in the browser as the hub's own pages",
    "ai:read": "the bot's rules and the knowledge base",
    "ai:write": "change the bot's rules and the knowledge base",
    "personal_data:read": "CPFs and phones unmasked",
    "privacy:read": "consent, requests of data subjects, retention",
    "privacy:write": "answer requests of data subjects, erase, hold",
    "users:read": "users and their sessions",
    "users:write": "invite, change and deactivate users; end their sessions",
    "roles:read": "roles and what they may do",
    "roles:write": "make and change roles",
    "teams:read": "teams, their members and queues",
    "teams:write": "make and change teams",
    "keys:read": "API keys, without their secret",
    "keys:write": "make and revoke API keys",
    "clients:read": "apps that let people sign in by the hub",
    "clients:write": "register and change them",
    "audit:read": "the audit log",
    "settings:read": "settings of the hub",
    "settings:write": "change settings of the hub",
}


@dataclass(frozen=True, slots=True)
class Role:
    """A role's permissions, and whether it sees the objects of every team or of its own teams only."""

    permissions: frozenset[str]
    all_teams: bool


def _role(*permissions: str, all_teams: bool) -> Role:
    return Role(frozenset((OWN_ACCOUNT, *permissions)), all_teams)


_SERVE = (
    "conversations:read", "conversations:write", "presence:use", "queues:read", "customers:read", "media:read", "media:write",
    "templates:read",
)  # fmt: skip

BUILTIN: Mapping[str, Role] = {
    "admin": Role(frozenset(PERMISSIONS), all_teams=True),
    "supervisor": _role(
        *_SERVE, "queues:write", "agents:read", "agents:write", "customers:write", "costs:read", "analytics:read", "ai:read", "personal_data:read", "numbers:read", "teams:read",
        "users:read", "campaigns:read", "campaigns:approve",
        all_teams=False,
    ),
    "agent": _role(*_SERVE, all_teams=False),
    "marketer": _role(
        "campaigns:read", "campaigns:write", "campaigns:approve", "templates:read", "templates:write", "customers:read",
        "media:read", "media:write", "numbers:read", "costs:read", "analytics:read",
        all_teams=True,
    ),
    "analyst": _role(
        "analytics:read", "analytics:export", "campaigns:read", "business:read", "costs:read", "ai:read", all_teams=True
    ),
    "executive": _role("analytics:read", "campaigns:read", "costs:read", all_teams=True),
}  # fmt: skip
