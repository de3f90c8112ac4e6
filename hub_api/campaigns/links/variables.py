"""Links as variables of a campaign's messages: which ones a plan has, what is wrong with them, and a code for each message.

A code is made from a key and from whose message it is (target, customer, run, step), so a round that is rolled back and done again
sends the same link, and another try of a message that failed leads to the same row. It is kept in the transaction that queues
the message: there is a code for every link that leaves, and none for one that does not.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import UUID, uuid5

from hub_api.auth import audit
from hub_api.campaigns.links import codes
from hub_api.campaigns.links.targets import CLICK, columns_in, may_lead, queries
from hub_api.platform.postgres import Transaction
from hub_api.settings import Settings

SOURCE = "link"
LIFE_DAYS = 90  # the longest window of a goal
Variables = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Issued:
    """A code that a message carries."""

    code: str
    target_id: UUID
    customer_id: UUID
    variant: str
    fills: dict[str, str] | None


def addresses(variables: Variables) -> list[str]:
    """Where the links of a variant lead, each address once."""
    return list(dict.fromkeys(one["url"] for one in variables.values() if one["source"] == SOURCE))


def target_id_of(campaign_id: UUID, url: str) -> UUID:
    """The target of an address in a campaign: one for all its variants and runs, whose clicks say which variant it was."""
    return uuid5(campaign_id, f"link:{url}")


def short(settings: Settings, code: str) -> str:
    """The address that people open."""
    return f"{settings.public_url.rstrip('/')}/l/{code}"


async def make_targets(
    tx: Transaction, settings: Settings, campaign_id: UUID, name: str, variants: Sequence[Any]
) -> None:
    """The targets of a campaign that begins, each once."""
    for url in dict.fromkeys(url for one in variants for url in addresses(one["variables"])):
        target_id, title = target_id_of(campaign_id, url), f"{name}: {urlsplit(url).hostname}"[:120]
        if await tx.db.fetchval(queries.add_target, target_id, campaign_id, title, url, LIFE_DAYS, audit.SYSTEM):
            after = {"name": title, "host": urlsplit(url).hostname, "campaign_id": str(campaign_id)}
            await audit.write(tx, audit.SYSTEM, "link.created", "link", target_id, after=after)


async def led_astray(tx: Transaction, settings: Settings, campaign_id: UUID, variants: Sequence[Any]) -> str | None:
    """The first address of the variants to which no link leads any more: put away, or off HUB_LINK_HOSTS; None: all lead."""
    urls = [url for one in variants for url in addresses(one["variables"])]
    if not urls:
        return None
    rows = await tx.db.fetch(queries.archived, [target_id_of(campaign_id, url) for url in urls])
    archived = {row["url"] for row in rows}
    return next((url for url in urls if url in archived or not may_lead(settings, url)), None)


def issuer(
    settings: Settings, campaign_id: UUID, run_id: UUID
) -> Callable[[Variables, UUID, int, str, Mapping[str, Any]], dict[str, Issued]]:
    """A function that makes the codes of one message, by address: of its variables, customer, step, variant and what is known."""
    make = codes.maker(settings)

    def issue(
        variables: Variables, customer_id: UUID, step: int, variant: str, known: Mapping[str, Any]
    ) -> dict[str, Issued]:
        made = {}
        for url in addresses(variables):
            target_id = target_id_of(campaign_id, url)
            fills = {column: plain(known.get(column)) for column in columns_in(url)}
            code = make(f"{target_id}:{customer_id}:{run_id}:{step}")
            made[url] = Issued(code, target_id, customer_id, variant, fills or None)
        return made

    return issue


async def keep(tx: Transaction, campaign_id: UUID, issued: Sequence[tuple[UUID, Issued]]) -> None:
    """Store the codes of messages (id, code) that were queued in this transaction; of a message tried again, under its new id."""
    if not issued:
        return
    order = sorted(issued, key=lambda pair: codes.fingerprint(pair[1].code))
    await tx.db.execute(
        queries.issue_for_messages, campaign_id, [codes.fingerprint(one.code) for _, one in order],
        [one.target_id for _, one in order], [one.customer_id for _, one in order], [one.variant for _, one in order],
        [message_id for message_id, _ in order], [one.fills for _, one in order], LIFE_DAYS,
    )  # fmt: skip


def destination(url: str, code: str, fills: Mapping[str, str] | None) -> str:
    """Where the link of `code` leads: the target with the code and with what its query says of the customer."""
    for column in columns_in(url):
        url = url.replace(f"{{{column}}}", quote((fills or {}).get(column, ""), safe=""))
    return url.replace(CLICK, code)


def plain(value: Any) -> str:
    """A value as another system reads it: numbers with a point, dates by ISO 8601; empty for what is not known."""
    return "" if value is None else " ".join(str(value).split())[:200]
