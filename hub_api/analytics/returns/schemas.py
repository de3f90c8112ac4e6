"""The API's view of benefits, costs and exchange rates."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

MOST_MICROS = 10**15  # a thousand million reais: sums of years of them stay whole numbers of 64 bits

Micros = Annotated[int, Field(gt=0, le=MOST_MICROS, description="millionths of BRL", examples=[42_000_000_000])]
Source = Annotated[str, Field(max_length=500, examples=["Contrato da central de atendimento, anexo 2"])]


class NewEntry(BaseModel):
    """What the hub brings or costs, beside what it measures itself."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=120, examples=["Ligações a menos na central"])
    kind: Literal["benefit", "cost"] = Field(examples=["benefit"])
    amount_micros: Micros
    every: Literal["month", "once"] = Field(
        description="month: the amount of each whole month, part of a month counts by its days; once: on `valid_from`",
        examples=["month"],
    )
    valid_from: date = Field(examples=["2026-01-01"])
    valid_to: date | None = Field(None, description="last day; null: it goes on. Always null for `once`")
    source: Source = ""
    is_example: bool = Field(False, description="shown as an example: nobody measured it")


class Entry(NewEntry):
    """A benefit or cost as it is kept."""

    model_config = ConfigDict(extra="ignore")

    id: UUID
    created_by: str = Field(examples=["user:0199f2b1-1111-7aaa-8bbb-cccccccccccc"])
    created_at: datetime
    updated_at: datetime


class EntryPage(BaseModel):
    """Benefits and costs, oldest first."""

    items: list[Entry]
    next_cursor: str | None


class NewRate(BaseModel):
    """What one whole unit of a currency is worth."""

    model_config = ConfigDict(extra="forbid")

    brl_micros: Annotated[int, Field(gt=0, le=10**12, description="millionths of BRL", examples=[5_420_000])]
    source: Source = ""


class Rate(NewRate):
    """A rate; it holds until the next one of its currency."""

    model_config = ConfigDict(extra="ignore")

    currency: str = Field(examples=["USD"])
    valid_from: date
    updated_at: datetime


class RatePage(BaseModel):
    """Rates by currency, oldest first."""

    items: list[Rate]
    next_cursor: str | None
