"""Buttons of a template as a send fills them (channel document §3.4): each `sub_type` with its own parameter.

Sources of the catalogue's and the bill's: Meta's catalog-templates, mpm-templates, payments-br/orders.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from hub_api.whatsapp.compose import limits
from hub_api.whatsapp.compose.fields import Part, unique
from hub_api.whatsapp.compose.orders import OrderParameters

RetailerId = Annotated[
    str,
    Field(
        min_length=1,
        max_length=limits.RETAILER_ID,
        examples=["fibra-500"],
        description="the product's id in the catalogue",
    ),
]


class ButtonFilling(Part):
    """A button by its position among all buttons, from 0."""

    type: Literal["button"]
    index: int = Field(ge=0, lt=limits.TEMPLATE_BUTTONS)


class UrlPart(Part):
    """The end of the button's address."""

    type: Literal["text"]
    text: str = Field(min_length=1, max_length=2_000)


class UrlFilling(ButtonFilling):
    """The end of a dynamic address, or the code of an authentication template."""

    sub_type: Literal["url"]
    parameters: list[UrlPart] = Field(min_length=1, max_length=1)


class Payload(Part):
    """What comes back when the button is tapped."""

    type: Literal["payload"]
    payload: str = Field(min_length=1, max_length=limits.BUTTON_ID)


class QuickReplyFilling(ButtonFilling):
    """A quick reply with a payload; without one its label comes back."""

    sub_type: Literal["quick_reply"]
    parameters: list[Payload] = Field(min_length=1, max_length=1)


class Coupon(Part):
    """The code to copy."""

    type: Literal["coupon_code"]
    coupon_code: str = Field(pattern=r"^[A-Za-z0-9]+$", max_length=limits.COUPON)


class CopyCodeFilling(ButtonFilling):
    """A code to copy, such as a coupon's."""

    sub_type: Literal["copy_code"]
    parameters: list[Coupon] = Field(min_length=1, max_length=1)


class FlowOpening(Part):
    """The token under which the flow's answer comes back, and data for its first screen."""

    flow_token: str | None = Field(None, min_length=1, max_length=limits.BODY)
    flow_action_data: dict[str, Any] | None = None


class FlowOpened(Part):
    """How the flow opens."""

    type: Literal["action"]
    action: FlowOpening


class FlowFilling(ButtonFilling):
    """A flow button."""

    sub_type: Literal["flow"]
    parameters: list[FlowOpened] = Field(min_length=1, max_length=1)


class Thumbnail(Part):
    """The product whose image stands above the text; left out, the catalogue's first one."""

    thumbnail_product_retailer_id: RetailerId


class CatalogShown(Part):
    """How the catalogue is shown."""

    type: Literal["action"]
    action: Thumbnail


class CatalogFilling(ButtonFilling):
    """The button that opens the catalogue."""

    sub_type: Literal["catalog"]
    parameters: list[CatalogShown] = Field(min_length=1, max_length=1)


class ProductItem(Part):
    """A product of the list."""

    product_retailer_id: RetailerId


class ProductSection(Part):
    """Products under a title."""

    title: str = Field(min_length=1, max_length=limits.SECTION_TITLE)
    product_items: list[ProductItem] = Field(min_length=1, max_length=limits.PRODUCTS)


class ProductList(Part):
    """Up to 30 products in up to 10 sections, and the one whose image stands above the text."""

    thumbnail_product_retailer_id: RetailerId
    sections: list[ProductSection] = Field(min_length=1, max_length=limits.SECTIONS)

    _titles = field_validator("sections")(unique("titles of sections", lambda section: section.title))

    @field_validator("sections")
    @classmethod
    def _fit_together(cls, sections: list[ProductSection]) -> list[ProductSection]:
        products = [item for section in sections for item in section.product_items]
        if len(products) > limits.PRODUCTS:
            raise ValueError(f"at most {limits.PRODUCTS} products in all sections together, not {len(products)}")
        return sections


class ProductsShown(Part):
    """Which products are shown."""

    type: Literal["action"]
    action: ProductList


class ProductsFilling(ButtonFilling):
    """The button that shows several products."""

    sub_type: Literal["mpm"]
    parameters: list[ProductsShown] = Field(min_length=1, max_length=1)


class Bill(Part):
    """The bill as an order_details message has it."""

    order_details: OrderParameters


class BillShown(Part):
    """Which bill is shown."""

    type: Literal["action"]
    action: Bill


class OrderFilling(ButtonFilling):
    """The button that shows a bill and how to pay it: outside 24 hours, too."""

    sub_type: Literal["order_details"]
    parameters: list[BillShown] = Field(min_length=1, max_length=1)
