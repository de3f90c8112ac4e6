"""The API's view of scheduled reports."""

from datetime import date, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from hub_api.analytics.reports.when import Every, Rhythm

Email = Annotated[str, StringConstraints(pattern=r"^[^@\s,;<>]{1,64}@[^@\s,;<>]{1,190}$", max_length=254)]
Phone = Annotated[str, StringConstraints(pattern=r"^\+\d{8,15}$")]


class NewReport(BaseModel):
    """What leaves, when and to whom."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"name": "Diretoria, toda segunda", "every": "week", "weekday": 1, "hour": 8, "emails": ["diretoria@operadora.example"]}
            ]
        },
    )  # fmt: skip

    name: str = Field(min_length=1, max_length=120)
    format: Literal["pdf", "csv"] = "pdf"
    every: Every = Field(description="day: of yesterday; week: of the seven days before; month: of the month before")
    weekday: int | None = Field(None, ge=1, le=7, description="of a weekly one, 1 is Monday")
    month_day: int | None = Field(None, ge=1, le=28, description="of a monthly one")
    hour: int = Field(ge=0, le=23, description="in HUB_TIMEZONE")
    emails: list[Email] = Field(default=[], max_length=50)
    phones: list[Phone] = Field(default=[], max_length=50, description="by WhatsApp, as a document above a template")
    template: str | None = Field(
        None, min_length=1, max_length=530, description="`name` or `name:language`; needs a document header", examples=["relatorio"]
    )  # fmt: skip
    active: bool = True

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.every == "week") != (self.weekday is not None):
            raise ValueError("a weekly report needs `weekday`, another one has none")
        if (self.every == "month") != (self.month_day is not None):
            raise ValueError("a monthly report needs `month_day`, another one has none")
        if not 1 <= len(self.emails) + len(self.phones) <= 50:
            raise ValueError("name 1 to 50 recipients in `emails` and `phones`")
        if self.phones and (self.template is None or self.format != "pdf"):
            raise ValueError("by WhatsApp a report leaves as pdf, above a `template` with a document")
        return self

    @property
    def rhythm(self) -> Rhythm:
        """When it leaves."""
        return Rhythm(self.every, self.hour, self.weekday, self.month_day)


class Report(NewReport):
    """A scheduled report."""

    id: UUID
    next_at: datetime
    created_by: str = Field(examples=["user:0199f2b1-1111-7aaa-8bbb-cccccccccccc"])
    created_at: datetime
    updated_at: datetime


class ReportPage(BaseModel):
    """Scheduled reports, oldest first."""

    items: list[Report]
    next_cursor: str | None


class Delivery(BaseModel):
    """What became of it at one recipient."""

    channel: Literal["email", "whatsapp"]
    recipient: str
    state: Literal["waiting", "sent", "failed"]
    failure: str | None
    sent_at: datetime | None


class Run(BaseModel):
    """One report that left, or is to."""

    id: UUID
    due_at: datetime
    first_day: date
    last_day: date
    state: Literal["due", "made", "failed"]
    failure: str | None
    built_through: date | None = Field(description="the newest day in it; later ones were not built in time")
    made_at: datetime | None
    bytes: int | None
    deliveries: list[Delivery]


class RunPage(BaseModel):
    """Runs, newest first."""

    items: list[Run]
    next_cursor: str | None


class Begun(BaseModel):
    """A report that is on its way."""

    id: UUID = Field(description="of the run")
