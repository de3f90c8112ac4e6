"""A template as it is filled in (channel document §3.4): the components of the send call, each with its own shape.

Only what can be told without the stored template is checked here; template_check.py compares with its components.
"""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, field_validator

from hub_api.whatsapp.compose import limits
from hub_api.whatsapp.compose.fields import (
    DocumentHeader,
    Filling,
    ImageHeader,
    NewMessage,
    Part,
    VideoHeader,
    unique,
)
from hub_api.whatsapp.compose.free_form import Place
from hub_api.whatsapp.compose.template_buttons import (
    ButtonFilling,
    CatalogFilling,
    CopyCodeFilling,
    FlowFilling,
    OrderFilling,
    ProductsFilling,
    QuickReplyFilling,
    RetailerId,
    UrlFilling,
)

VariableName = Annotated[str, Field(pattern=r"^[a-z0-9_]+$", max_length=limits.BODY)]


class Named(Part):
    """A parameter of a template with named variables says which one it fills."""

    parameter_name: VariableName | None = None


class TextParameter(Named):
    """Words for a variable."""

    type: Literal["text"]
    text: Filling


class CurrencyValue(Part):
    """An amount in thousandths, and how it is shown when the phone cannot format it."""

    fallback_value: Filling
    code: str = Field(pattern=r"^[A-Z]{3}$")
    amount_1000: int


class CurrencyParameter(Named):
    """Money for a variable."""

    type: Literal["currency"]
    currency: CurrencyValue


class DateTimeValue(Part):
    """A date as it is shown."""

    fallback_value: Filling


class DateTimeParameter(Named):
    """A date for a variable."""

    type: Literal["date_time"]
    date_time: DateTimeValue


class PlaceParameter(Part):
    """The place of a location header."""

    type: Literal["location"]
    location: Place


class Product(Part):
    """A product of a catalogue of ours."""

    catalog_id: str = Field(min_length=1, max_length=limits.BODY, examples=["194836987003835"])
    product_retailer_id: RetailerId


class ProductParameter(Part):
    """The product that a card shows."""

    type: Literal["product"]
    product: Product


WordParameter = Annotated[TextParameter | CurrencyParameter | DateTimeParameter, Field(discriminator="type")]
HeaderParameter = Annotated[
    TextParameter | ImageHeader | VideoHeader | DocumentHeader | PlaceParameter | ProductParameter,
    Field(discriminator="type"),
]


class HeaderFilling(Part):
    """The header: its variable, its file, its place or its product."""

    type: Literal["header"]
    parameters: list[HeaderParameter] = Field(min_length=1, max_length=1)


class BodyFilling(Part):
    """The variables of the body, in their order or by name."""

    type: Literal["body"]
    parameters: list[WordParameter] = Field(min_length=1, max_length=limits.TEMPLATE_BODY)


class OfferEnd(Part):
    """When the offer ends, in Unix milliseconds."""

    expiration_time_ms: int = Field(gt=0, lt=10**14)


class OfferParameter(Part):
    """When the offer ends."""

    type: Literal["limited_time_offer"]
    limited_time_offer: OfferEnd


class OfferFilling(Part):
    """The countdown of a limited-time offer."""

    type: Literal["limited_time_offer"]
    parameters: list[OfferParameter] = Field(min_length=1, max_length=1)


def _kind(component: Any) -> str:
    """The tag of a component's shape: its type, for buttons with their sub_type."""
    given = vars(component) if isinstance(component, Part) else component if isinstance(component, dict) else {}
    kind = str(given.get("type"))
    return f"{kind} {given.get('sub_type')}" if kind == "button" else kind


def _place_of(component: "Filled") -> str:
    return f"button {component.index}" if isinstance(component, ButtonFilling) else component.type


_once = unique("components", _place_of)


def _spelled(components: Any) -> Any:
    """Meta takes the kinds of components in capitals, too."""
    if not isinstance(components, list):
        return components
    return [
        {
            key: value.lower() if key in ("type", "sub_type") and isinstance(value, str) else value
            for key, value in one.items()
        }
        if isinstance(one, dict)
        else one
        for one in components
    ]


# A union in a union has no OpenAPI form, so buttons are told apart by type and sub_type in one step.
CardFilling = (
    Annotated[HeaderFilling, Tag("header")]
    | Annotated[BodyFilling, Tag("body")]
    | Annotated[UrlFilling, Tag("button url")]
    | Annotated[QuickReplyFilling, Tag("button quick_reply")]
    | Annotated[CopyCodeFilling, Tag("button copy_code")]
    | Annotated[FlowFilling, Tag("button flow")]
    | Annotated[CatalogFilling, Tag("button catalog")]
    | Annotated[ProductsFilling, Tag("button mpm")]
    | Annotated[OrderFilling, Tag("button order_details")]
)


class Card(Part):
    """One card of a carousel, filled in as a template of its own."""

    card_index: int = Field(ge=0, lt=limits.CARDS_MOST)
    components: list[Annotated[CardFilling, Discriminator(_kind)]] = Field(
        min_length=1, max_length=limits.TEMPLATE_BUTTONS + 2
    )

    _spelling = field_validator("components", mode="before")(_spelled)
    _unique = field_validator("components")(_once)


class CarouselFilling(Part):
    """All cards of the carousel, as many as were approved."""

    type: Literal["carousel"]
    cards: list[Card] = Field(min_length=limits.CARDS_FEWEST, max_length=limits.CARDS_MOST)

    _unique = field_validator("cards")(unique("card_index", lambda card: str(card.card_index)))


Filled = CardFilling | Annotated[CarouselFilling, Tag("carousel")] | Annotated[OfferFilling, Tag("limited_time_offer")]
Component = Annotated[Filled, Discriminator(_kind)]


class NewTemplate(NewMessage):
    """An approved template, at any time."""

    type: Literal["template"]
    name: str = Field(min_length=1, max_length=limits.TEMPLATE_NAME, examples=["aviso_visita_tecnica"])
    language: str = Field("pt_BR", min_length=1, max_length=20)
    components: list[Component] = Field(
        default=[],
        max_length=limits.TEMPLATE_BUTTONS + 4,
        examples=[[{"type": "body", "parameters": [{"type": "text", "text": "Ana"}]}]],
        description="as the Cloud API takes them: only what has variables, files or dynamic buttons",
    )

    _spelling = field_validator("components", mode="before")(_spelled)
    _unique = field_validator("components")(_once)
