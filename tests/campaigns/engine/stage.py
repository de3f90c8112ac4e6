"""What campaigns' tests share: a marketer, a supervisor, customers who consented, two templates, and the jobs as the clock rings them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from hub_api import campaign_jobs
from hub_api.platform.ids import uuid7
from hub_api.simulator.server import Simulator
from tests.auth.people import Person, add_person, call
from tests.support.hub import Hub
from tests.support.sending import Person as Customer
from tests.support.sending import add_our_number, add_people, drain_all

CAMPAIGNS = "/api/v1/campaigns"
AUDIENCES = "/api/v1/campaign-audiences"
BODY = [{"type": "BODY", "text": "Olá, {{1}}!", "example": {"body_text": [["Ana"]]}}]
VARIABLES = {"body.1": {"source": "customer.first_name", "fallback": "cliente"}}
ALWAYS = {"hours": "1-7 00:00-23:59", "holidays": False}


def awake() -> str:
    """A state (UF) whose clock is not about midnight now: tests run at any time."""
    return "AC" if datetime.now(ZoneInfo("America/Sao_Paulo")).hour in (23, 0) else "SP"


@dataclass
class Stage:
    """A hub with who plans, who approves, and whom one writes to."""

    hub: Hub
    marketer: Person
    supervisor: Person
    number_id: UUID

    async def people(self, count: int, *, first: int = 0, consent: bool = True) -> list[Customer]:
        """Customers who wrote once, days ago, and want advertising; nobody serves them now."""
        people = await add_people(self.hub.services, self.number_id, count, first=first, spoke=timedelta(days=3))
        ids = [one.id for one in people]
        await self.hub.fetch("UPDATE customers SET state_code = $2 WHERE id = ANY($1)", ids, awake())
        await self.hub.fetch("UPDATE conversations SET state = 'resolved' WHERE customer_id = ANY($1)", ids)
        if consent:
            await self.hub.fetch(
                "INSERT INTO consent_ledger (id, customer_id, scope, granted, source, occurred_at) "
                "SELECT gen_random_uuid(), id, 'marketing', true, 'import', now() - interval '9 days' FROM unnest($1::uuid[]) AS id",
                ids,
            )
        return people

    async def template(
        self, sim: Simulator, name: str, components: Sequence[dict[str, Any]] = BODY, category: str = "MARKETING"
    ) -> None:
        """An approved template, here and at Meta."""
        await self.hub.fetch(
            "INSERT INTO templates (id, account_id, name, language, category, status, components) "
            "SELECT $1, id, $2, 'pt_BR', $3, 'APPROVED', $4 FROM whatsapp_accounts",
            uuid7(), name, category, list(components),
        )  # fmt: skip
        for waba in sim.core.world.wabas.values():
            sim.core.world.add_template(
                waba,
                name=name,
                language="pt_BR",
                category=category,
                components=list(components),
                parameter_format="POSITIONAL",
            )

    async def contracts(self, customers: Sequence[UUID], region: str | None = None) -> None:
        """An active contract of each, whose id is the customer's in hex."""
        await self.hub.fetch(
            "INSERT INTO plans (external_id, name, kind, price_micros) VALUES ('P1', 'Fibra', 'fiber', 99900000) ON CONFLICT DO NOTHING"
        )
        await self.hub.fetch(
            "INSERT INTO contracts (external_id, customer_id, plan_id, status, region_code, started_on) "
            "SELECT replace(id::text, '-', ''), id, 'P1', 'active', $2, '2025-01-01' FROM unnest($1::uuid[]) AS id",
            list(customers), region,
        )  # fmt: skip

    async def audience(self, people: Sequence[Customer]) -> dict[str, str]:
        """The people as an uploaded file."""
        rows = "".join(f"+{one.phone}\n" for one in people)
        status, answer = await call(
            self.hub, "POST", AUDIENCES, self.marketer.headers, json={"name": "publico.csv", "csv": f"phone\n{rows}"}
        )
        assert status == 201 and answer["accepted"] == len(people), answer
        return {"upload_id": answer["id"]}

    async def plan(self, people: Sequence[Customer], **changes: Any) -> dict[str, Any]:
        """A campaign as the console sends it."""
        return {
            "name": "Fibra 600",
            "audience": await self.audience(people),
            "variants": [variant("a")],
            "schedule": ALWAYS,
            **changes,
        }

    async def begun(self, people: Sequence[Customer], **changes: Any) -> UUID:
        """A campaign that was reviewed and started."""
        status, made = await call(
            self.hub, "POST", CAMPAIGNS, self.marketer.headers, json=await self.plan(people, **changes)
        )
        assert status == 201, made
        await self.step(made["id"], "submit", self.marketer)
        await self.step(made["id"], "approve", self.supervisor)
        await self.step(made["id"], "start", self.supervisor)
        return UUID(made["id"])

    async def step(self, campaign_id: Any, verb: str, who: Person | None = None) -> dict[str, Any]:
        """A step that must succeed."""
        body = {"json": {"reason": "teste"}} if verb in ("pause", "cancel", "reject") else {}
        headers = (who or self.supervisor).headers
        status, answer = await call(self.hub, "POST", f"{CAMPAIGNS}/{campaign_id}/{verb}", headers, **body)
        assert status == 200, answer
        return answer

    async def tick(self, rounds: int = 1) -> None:
        """What the clock rings for: begin, freeze, one round of sending; `rounds` times."""
        services = self.hub.services
        for _ in range(rounds):
            await campaign_jobs.watch.function(services)
            for row in await self.hub.fetch("SELECT id FROM campaign_runs WHERE state = 'freezing'"):
                await campaign_jobs.freeze.function(services, str(row["id"]))
            for row in await self.hub.fetch("SELECT id FROM campaigns WHERE state = 'running'"):
                await campaign_jobs.send.function(services, str(row["id"]))

    async def run(self, most_rounds: int = 40) -> None:
        """Tick and send until no recipient waits. Raises AssertionError when they still do after so many rounds."""
        for _ in range(most_rounds):
            await self.tick()
            await drain_all(self.hub.services)
            waiting = "SELECT count(*) FROM campaign_recipients r JOIN campaigns c ON c.id = r.campaign_id WHERE c.state = 'running' AND r.state IN ('pending', 'queued')"
            running = "SELECT count(*) FROM campaign_runs WHERE state IN ('freezing', 'frozen')"
            if not await self.hub.fetchval(waiting) and not await self.hub.fetchval(running):
                await self.tick()
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"still waiting: {await self.states()}")

    async def states(self, campaign_id: UUID | None = None) -> dict[str, int]:
        """Recipients by state."""
        rows = await self.hub.fetch(
            "SELECT state, count(*) AS n FROM campaign_recipients WHERE $1::uuid IS NULL OR campaign_id = $1 GROUP BY state",
            campaign_id,
        )
        return {row["state"]: row["n"] for row in rows}

    async def of(self, campaign_id: UUID) -> Any:
        """The campaign's row."""
        return await self.hub.services.db.fetchrow("SELECT * FROM campaigns WHERE id = $1", campaign_id)


def variant(name: str, share: float = 1.0, template: str | None = "oferta_fibra") -> dict[str, Any]:
    """A variant with the stage's template, or the control."""
    if template is None:
        return {"name": name, "share": share}
    return {
        "name": name, "share": share, "template_name": template, "template_language": "pt_BR", "variables": VARIABLES,
    }  # fmt: skip


async def on_stage(hub: Hub) -> Stage:
    """Number, approved templates, a marketer and a supervisor."""
    number_id = await add_our_number(hub.services, throughput_mps=1000)
    await hub.services.db.executemany(
        "INSERT INTO templates (id, account_id, name, language, category, status, components) "
        "SELECT $1, id, $2, 'pt_BR', $3, 'APPROVED', $4 FROM whatsapp_accounts",
        [(uuid7(), "oferta_fibra", "MARKETING", BODY), (uuid7(), "boas_vindas", "UTILITY", BODY)],
    )
    return Stage(hub, await add_person(hub, "marketer"), await add_person(hub, "supervisor"), number_id)


def now() -> datetime:
    """The present."""
    return datetime.now(UTC)
