"""Messages with something to tap (channel document §3.3); ids and titles are unique within a message."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from hub_api.whatsapp.compose import limits
from hub_api.whatsapp.compose.fields import Body, Footer, Framed, Link, Part, Quoting, TextHeader, unique
from hub_api.whatsapp.compose.orders import OrderDetails, OrderStatus


class Reply(Part):
    """What comes back when the button is tapped, and what is on it."""

    id: str = Field(min_length=1, max_length=limits.BUTTON_ID)
    title: str = Field(min_length=1, max_length=limits.BUTTON_TITLE)


class ReplyButton(Part):
    """A button that answers."""

    type: Literal["reply"]
    reply: Reply


class ButtonAction(Part):
    """Up to three buttons."""

    buttons: list[ReplyButton] = Field(min_length=1, max_length=limits.BUTTONS)

    _ids = field_validator("buttons")(unique("ids of buttons", lambda button: button.reply.id))
    _titles = field_validator("buttons")(unique("titles of buttons", lambda button: button.reply.title))


class Buttons(Framed):
    """A question with up to three answers."""

    type: Literal["button"]
    action: ButtonAction


class ListRow(Part):
    """One entry of a list."""

    id: str = Field(min_length=1, max_length=limits.ROW_ID)
    title: str = Field(min_length=1, max_length=limits.ROW_TITLE)
    description: str | None = Field(None, min_length=1, max_length=limits.ROW_DESCRIPTION)


class ListSection(Part):
    """Entries under a title; the title may be left out when there is one section only."""

    title: str | None = Field(None, min_length=1, max_length=limits.SECTION_TITLE)
    rows: list[ListRow] = Field(min_length=1, max_length=limits.ROWS)


class ListAction(Part):
    """The button that opens the list, and up to ten entries in up to ten sections."""

    button: str = Field(min_length=1, max_length=limits.LIST_BUTTON)
    sections: list[ListSection] = Field(min_length=1, max_length=limits.SECTIONS)

    @field_validator("sections")
    @classmethod
    def _fit_together(cls, sections: list[ListSection]) -> list[ListSection]:
        rows = [row for section in sections for row in section.rows]
        if len(rows) > limits.ROWS:
            raise ValueError(f"at most {limits.ROWS} rows in all sections together, not {len(rows)}")
        if len(sections) > 1 and any(section.title is None for section in sections):
            raise ValueError("every section needs a title when there is more than one")
        unique("ids of rows", lambda row: row.id)(rows)
        unique("titles of rows", lambda row: row.title)(rows)
        return sections


class ListBody(Part):
    """The words of a list message: longer than others."""

    text: str = Field(min_length=1, max_length=limits.LIST_BODY)


class ListMessage(Part):
    """A question with up to ten answers."""

    type: Literal["list"]
    header: TextHeader | None = None
    body: ListBody
    footer: Footer | None = None
    action: ListAction


class CtaParameters(Part):
    """What the button says and where it leads."""

    display_text: str = Field(min_length=1, max_length=limits.CTA_LABEL)
    url: Link


class CtaAction(Part):
    """The button."""

    name: Literal["cta_url"]
    parameters: CtaParameters


class CtaUrl(Framed):
    """Words and one button that opens a page."""

    type: Literal["cta_url"]
    action: CtaAction


class FlowStart(Part):
    """The first screen and its data."""

    screen: str = Field(min_length=1, max_length=limits.BODY)
    data: dict[str, Any] | None = None


class FlowParameters(Part):
    """Which flow opens, how, and under which token its answer comes back."""

    flow_message_version: Literal["3"]
    flow_id: str | None = Field(None, min_length=1, max_length=limits.BODY)
    flow_name: str | None = Field(None, min_length=1, max_length=limits.BODY)
    flow_cta: str = Field(min_length=1, max_length=limits.FLOW_CTA)
    flow_token: str | None = Field(None, min_length=1, max_length=limits.BODY)
    flow_action: Literal["navigate", "data_exchange"] = "navigate"
    flow_action_payload: FlowStart | None = None
    mode: Literal["draft", "published"] | None = None

    @model_validator(mode="after")
    def _one_flow(self) -> Self:
        if (self.flow_id is None) == (self.flow_name is None):
            raise ValueError("give exactly one of `flow_id` and `flow_name`")
        if self.flow_action == "data_exchange" and self.flow_action_payload is not None:
            raise ValueError("`flow_action_payload` goes with the action navigate only")
        return self


class FlowAction(Part):
    """The button that opens the flow."""

    name: Literal["flow"]
    parameters: FlowParameters


class Flow(Framed):
    """A form that opens inside WhatsApp."""

    type: Literal["flow"]
    action: FlowAction


class SendLocation(Part):
    """The button that shares where the customer is."""

    name: Literal["send_location"]


class LocationRequest(Part):
    """Asks where the customer is."""

    type: Literal["location_request_message"]
    body: Body
    action: SendLocation


class ShareContact(Part):
    """The button that shares the customer's phone number."""

    name: Literal["request_contact_info"]


class ContactRequest(Part):
    """Asks a customer known by a username for the phone number."""

    type: Literal["request_contact_info"]
    body: Body
    action: ShareContact


Interactive = Annotated[
    Buttons | ListMessage | CtaUrl | Flow | LocationRequest | ContactRequest | OrderDetails | OrderStatus,
    Field(discriminator="type"),
]


class NewInteractive(Quoting):
    """A message with something to tap."""

    type: Literal["interactive"]
    interactive: Interactive
