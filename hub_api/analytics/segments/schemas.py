"""The API's view of segments: what goes in and out, with examples."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

_SEGMENT = "0199f2d0-7a10-7c31-9a5e-3d1f0b6c2a77"
_CUSTOMER = "0199f2c0-7a0f-7b02-8c44-1f2e3d4c5b6a"
EXAMPLE: dict[str, Any] = {
    "type": "and",
    "of": [
        {"type": "behaviour", "action": "technical_contact", "op": "ge", "count": 2, "window_days": 30},
        {"type": "attribute", "field": "contract_status", "op": "in", "value": ["active"]},
        {"type": "not", "of": {"type": "consent", "scope": "marketing", "state": "refused"}},
    ],
}


def _plain(text: str) -> str:
    if any(ord(sign) < 32 and sign not in "\n\t" for sign in text) or any(
        0xD800 <= ord(sign) <= 0xDFFF for sign in text
    ):
        raise ValueError("holds a control character or half a character")
    return text


Name = Annotated[
    str, Field(min_length=1, max_length=120, examples=["Dois problemas técnicos no mês"]), AfterValidator(_plain)
]
Words = Annotated[str, Field(max_length=2000, examples=["Clientes ativos em risco"]), AfterValidator(_plain)]
Definition = Annotated[
    dict[str, Any],
    Field(
        examples=[EXAMPLE],
        description="a tree: `and`, `or`, `not` over attribute, known, tags, behaviour, sequence, inactivity, campaign, "
        "sentiment, kpi, geography, consent, random, segment, list; a fault is told with its path",
    ),
]


class Strict(BaseModel):
    """A body that refuses what it does not know."""

    model_config = ConfigDict(extra="forbid")


class Shown(BaseModel):
    """Made from a row; columns that are not named here stay inside."""

    model_config = ConfigDict(from_attributes=True, extra="ignore")


class NewSegment(Strict):
    """A segment by rules."""

    name: Name
    description: Words = ""
    definition: Definition


class Changes(Strict):
    """What is left out stays; another definition is a new version."""

    name: Name | None = None
    description: Words | None = None
    definition: Definition | None = None


class Asked(Strict):
    """What to preview; `segment_id` is the segment that the definition belongs to, when there is one."""

    definition: Definition
    segment_id: UUID | None = Field(None, examples=[_SEGMENT])


class Segment(Shown):
    """A segment with its newest definition; its version is the ETag."""

    id: UUID = Field(examples=[_SEGMENT])
    name: str
    description: str
    version: int = Field(examples=[3])
    definition: dict[str, Any] = Field(examples=[EXAMPLE])
    archived_at: datetime | None = Field(description="put away: computed no longer")
    created_by: str = Field(examples=["user:0199f2b1-1111-7aaa-8bbb-cccccccccccc"])
    created_at: datetime
    updated_at: datetime


class SegmentPage(BaseModel):
    """`next_cursor` is null on the last page."""

    items: list[Segment]
    next_cursor: str | None


class Version(Shown):
    """A version; it never changes."""

    version: int
    definition: dict[str, Any] = Field(examples=[EXAMPLE])
    created_by: str
    created_at: datetime


class VersionPage(BaseModel):
    """`next_cursor` is null on the last page."""

    items: list[Version]
    next_cursor: str | None


class Somebody(Shown):
    """A customer of the sample; without `personal_data:read` the phone is masked."""

    id: UUID = Field(examples=[_CUSTOMER])
    name: str | None
    phone: str | None = Field(examples=["…4321"])
    state_code: str | None = Field(examples=["SP"])


class Shared(BaseModel):
    """How many customers another segment has in common."""

    segment_id: UUID
    customers: int


class Cost(BaseModel):
    """What the query costs: rows the warehouse means to read by its index, what the count has read, seconds in all."""

    estimated_rows: int
    read_rows: int
    read_bytes: int
    seconds: float


class Preview(BaseModel):
    """What a definition finds now."""

    as_of: date = Field(description="business day at whose end the customers were so")
    members: int
    customers: int = Field(description="all customers of that day")
    sample: list[Somebody] | None = Field(
        description="some members whom you see, always the same; null without `customers:read`"
    )
    overlap: list[Shared] = Field(description="segments with the most members in common, by their last run")
    sql: str = Field(description="the query; its values are bound and stand in `parameters`")
    parameters: dict[str, Any]
    columns: list[str] = Field(
        description="columns of the warehouse that it reads", examples=[["gold.customer_features.tags"]]
    )
    cost: Cost


class Snapshot(Shown):
    """A frozen list: members, hash, definition with nested segments in place, and the build of the data it was read from."""

    id: UUID
    segment_id: UUID
    version: int
    definition: dict[str, Any] = Field(examples=[EXAMPLE])
    state: Literal["freezing", "frozen", "failed"] = Field(description="nothing is sent by one that is not frozen")
    as_of: date
    asset_version: str = Field(examples=["2026-11-25:5f0c1a9b7d3e2f10"])
    members: int | None
    members_sha256: str | None = Field(description="of the members' ids, 16 bytes each, in their order")
    created_by: str
    created_at: datetime
    frozen_at: datetime | None


class SnapshotPage(BaseModel):
    """`next_cursor` is null on the last page."""

    items: list[Snapshot]
    next_cursor: str | None


class Member(Shown):
    """A member of a snapshot."""

    customer_id: UUID = Field(examples=[_CUSTOMER])
    name: str | None = Field(description="null without `customers:read`, and of a customer that you do not see")
    phone: str | None = Field(examples=["…4321"])


class MemberPage(BaseModel):
    """`next_cursor` is null on the last page."""

    items: list[Member]
    next_cursor: str | None


class Current(Member):
    """A member by the last run of the tables."""

    entered_on: date
    version: int = Field(description="of the segment, when the customer entered")


class CurrentPage(BaseModel):
    """`next_cursor` is null on the last page."""

    items: list[Current]
    next_cursor: str | None


class Change(BaseModel):
    """How many entered or left on a day, and why."""

    day: date
    change: Literal["entered", "left"]
    why: str = Field(
        examples=["data"],
        description="data: the customer changed; definition: the segment did; gone: no such customer any more; archived",
    )
    version: int
    customers: int


class ChangeList(BaseModel):
    """Newest day first; earlier ones with `before`."""

    items: list[Change]


class Offered(BaseModel):
    """A field of a customer. Money is told in the currency's unit; a nullable one may be asked by `known`."""

    field: str = Field(examples=["tenure_days"])
    kind: Literal["text", "number", "money", "bool"]
    nullable: bool


class Action(BaseModel):
    """Something that customers do or that happens to them, and what its detail is, where it has one."""

    action: str = Field(examples=["campaign_received"])
    detail: str | None = Field(examples=["template"])


class Catalogue(BaseModel):
    """Everything that a definition may name, and how large it may be."""

    attributes: list[Offered]
    comparisons: list[str]
    actions: list[Action]
    metrics: list[str]
    sentiments: list[str]
    places: list[str]
    consents: list[str]
    most_depth: int
    most_conditions: int
    most_values: int = Field(description="texts of one condition")
    most_listed: int = Field(description="customers of one list")
    most_days: int = Field(description="of a window")


class FoundValue(BaseModel):
    """A value and how many customers have it."""

    value: str = Field(examples=["fiber"])
    customers: int


class ValueList(BaseModel):
    """Of most customers first."""

    items: list[FoundValue]


class Size(BaseModel):
    """How many are in a segment by the last run."""

    segment_id: UUID = Field(examples=[_SEGMENT])
    members: int
    version: int = Field(description="of the segment, at that run")
    computed_at: datetime


class SizeList(BaseModel):
    """Segments made after the last run are not among them."""

    items: list[Size]
