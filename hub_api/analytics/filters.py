"""Which cases a question is about: period, dimensions, and what the caller may see. Columns come from a list, values are bound."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from hub_api.auth.principal import Principal
from hub_api.errors import Invalid
from hub_api.platform import sqlfile
from hub_api.platform.services import Services

queries = sqlfile.load(__package__, "names.sql")

LONGEST = timedelta(days=1100)
USUAL = timedelta(days=30)
# Column and type of each dimension that may be asked for.
DIMENSIONS = {
    "queue": "String", "agent_id": "UUID", "number_id": "UUID", "channel": "String", "state_code": "String", "region": "String", "plan": "String",
}  # fmt: skip
Dimension = Literal["queue", "agent_id", "number_id", "channel", "state_code", "region", "plan"]
NOBODY = UUID(int=0)


@dataclass(frozen=True)
class Filter:
    """A period of business days, its ends included, and the values of dimensions; `scope` is the caller's."""

    first: date
    last: date
    values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    currency: str | None = None
    scope: tuple[Sequence[str], Sequence[UUID], UUID] | None = None
    from_start: bool = False
    segments: Sequence[UUID] = ()

    def where(self) -> tuple[str, dict[str, Any]]:
        """The condition on a view's rows, and its parameters."""
        conditions = ["day <= {last:Date}"] if self.from_start else ["day BETWEEN {first:Date} AND {last:Date}"]
        given: dict[str, Any] = {"first": self.first, "last": self.last}
        for name, values in self.values.items():
            conditions.append(f"{name} IN {{{name}s:Array({DIMENSIONS[name]})}}")
            given[f"{name}s"] = list(values)
        if self.segments:
            # Its members now: gold.segment_membership has the customers of each segment by the newest day.
            conditions.append(
                "customer_id IN (SELECT customer_id FROM gold.segment_membership WHERE segment_id IN {segments:Array(UUID)})"
            )
            given["segments"] = list(self.segments)
        if self.currency is not None:
            conditions.append("currency IN ('', {currency:String})")
            given["currency"] = self.currency
        if self.scope is not None:
            # As `sees` in PostgreSQL: one's teams' queues, those of no team, one's own conversations. What belongs to no
            # conversation is seen of the people of one's teams.
            conditions.append(
                "(queue IN {seen_queues:Array(String)} OR ifNull(agent_id, {nobody:UUID}) = {seen_by:UUID}) "
                "AND (conversation_id != {nobody:UUID} OR agent_id IN {seen_agents:Array(UUID)})"
            )
            queues, agents, caller = self.scope
            given |= {"seen_queues": list(queues), "seen_agents": list(agents), "seen_by": caller, "nobody": NOBODY}
        return " AND ".join(conditions), given

    def up_to_end(self) -> "Filter":
        """The same with every case before the period too: what a level counts."""
        return replace(self, from_start=True)


async def filter_for(services: Services, caller: Principal, asked: Mapping[str, Any]) -> Filter:
    """The filter of a caller: what he asked for, within what he sees. Raises Invalid for a period that is too long or backwards."""
    last = asked["to"] or datetime.now(UTC).astimezone(services.settings.zone).date()
    first = asked["since"] or max(last - USUAL, date(1970, 1, 1))
    if not date(1970, 1, 1) <= first <= last <= date(2149, 1, 1) or last - first > LONGEST:
        raise Invalid(f"`from` must be at most {LONGEST.days} days before `to`, and not before 1970")
    scope = None
    if caller.teams is not None:
        rows = await services.db.fetch(queries.seen_queues, sorted(caller.teams))
        agents = await services.db.fetch(queries.team_people, sorted(caller.teams))
        scope = (["", *(row["key"] for row in rows)], [row["user_id"] for row in agents], caller.user_id or NOBODY)
    return Filter(first, last, asked["values"], asked["currency"], scope, segments=asked["segments"])
