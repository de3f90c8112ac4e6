"""The API's view of agents and their presence."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from hub_api.chat.agents.heartbeat import BEAT_EVERY_S
from hub_api.chat.agents.presence import Presence
from hub_api.chat.schemas import Shown, Strict

SkillName = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[a-z0-9_]+$")]
Level = Annotated[int, Field(ge=1, le=5)]
Skills = Annotated[dict[SkillName, Level], Field(max_length=50, description="skill and level, 1 to 5")]
Language = Annotated[str, Field(pattern=r"^[a-z]{2}(_[A-Z]{2})?$", examples=["pt_BR"])]


class PresenceChange(Strict):
    """What one is from now on."""

    presence: Presence = Field(examples=["online"])
    reason: str | None = Field(None, min_length=1, max_length=100, description="of a break: why", examples=["almoço"])


class ForcedPresence(Strict):
    """What somebody else is from now on."""

    presence: Literal["away", "break", "offline"] = Field(examples=["offline"])
    reason: str | None = Field(None, min_length=1, max_length=100, description="of a break: why", examples=["almoço"])


class AgentProfile(Strict):
    """What an agent can take."""

    capacity: int = Field(3, ge=0, le=100, description="conversations at a time, those that wait for the customer too")
    skills: Skills = Field(default_factory=dict, examples=[{"fibra": 4}])
    languages: list[Language] = Field(default=["pt_BR"], max_length=20)


class Agent(Shown):
    """Who serves customers: presence, load, what he can take."""

    user_id: UUID
    name: str = Field(examples=["Bia Souza"])
    presence: Presence
    presence_reason: str | None = Field(description="of a break; `connection_lost`: his heartbeat stopped")
    presence_at: datetime | None
    seen_at: datetime | None = Field(description="his last heartbeat")
    capacity: int
    load: int = Field(description="conversations that he has")
    skills: dict[str, int]
    languages: list[str]
    last_assigned_at: datetime | None
    version: int = Field(description="the ETag of edits; 0: he was never present")


class AgentPage(Shown):
    """Agents by id."""

    items: list[Agent]
    next_cursor: str | None


class Colleague(Shown):
    """Who works here: what people who work together know of each other."""

    user_id: UUID
    name: str = Field(examples=["Bia Souza"])
    presence: Presence


class ColleaguePage(Shown):
    """Colleagues by id."""

    items: list[Colleague]
    next_cursor: str | None


class Beat(Shown):
    """When to say the next one."""

    beat_every_s: int = Field(BEAT_EVERY_S, description="without one for 25 s one is taken for gone")
