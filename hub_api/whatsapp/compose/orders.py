"""Bills and their state by Payments API for Brazil: Pix dynamic code, boleto, payment link (channel document §3.3).

WhatsApp shows how to pay and knows nothing of the payment itself: the business tells it by an order status. Amounts are
whole numbers of `offset`-ths: 9990 with offset 100 is R$ 99.90.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from hub_api.whatsapp.compose import limits
from hub_api.whatsapp.compose.fields import Body, Footer, Framed, Link, Part, unique

ReferenceId = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9_.-]+$",
        max_length=limits.REFERENCE_ID,
        examples=["FAT-2026-11-000123"],
        description="unique for each order: letters, digits, underscore, dash, dot",
    ),
]


class Amount(Part):
    """Money in BRL, in hundredths."""

    value: int = Field(ge=0, le=10**12, examples=[9990])
    offset: Literal[100]


class Fee(Amount):
    """Money with a word about it."""

    description: str | None = Field(None, min_length=1, max_length=limits.FEE_DESCRIPTION)


class Discount(Fee):
    """What is taken off, and the programme it belongs to."""

    discount_program_name: str | None = Field(None, min_length=1, max_length=limits.FEE_DESCRIPTION)


class OrderItem(Part):
    """What is paid for."""

    retailer_id: str = Field(min_length=1, max_length=limits.BODY)
    name: str = Field(min_length=1, max_length=limits.ITEM_NAME)
    amount: Amount
    quantity: int = Field(ge=1, le=10**6)
    sale_amount: Amount | None = None


class Expiration(Part):
    """Until when the order stands, in Unix seconds."""

    timestamp: str = Field(pattern=r"^\d{10}$")
    description: str = Field(min_length=1, max_length=limits.ORDER_DESCRIPTION)


class Order(Part):
    """The list of what is paid for; subtotal + tax + shipping - discount is what the customer pays."""

    status: Literal["pending"]
    items: list[OrderItem] = Field(min_length=1, max_length=limits.ORDER_ITEMS)
    subtotal: Amount
    tax: Fee
    shipping: Fee | None = None
    discount: Discount | None = None
    catalog_id: str | None = Field(None, min_length=1, max_length=limits.BODY)
    expiration: Expiration | None = None

    @property
    def total(self) -> int:
        """What the parts come to."""
        shipping = self.shipping.value if self.shipping else 0
        discount = self.discount.value if self.discount else 0
        return self.subtotal.value + self.tax.value + shipping - discount

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        of_items = sum((item.sale_amount or item.amount).value * item.quantity for item in self.items)
        if of_items != self.subtotal.value:
            raise ValueError(f"the items come to {of_items}, the subtotal says {self.subtotal.value}")
        return self


class PixCode(Part):
    """The copy-and-paste code of a dynamic Pix charge, and whom it pays."""

    code: str = Field(min_length=1, max_length=limits.PIX_CODE)
    merchant_name: str = Field(min_length=1, max_length=limits.ITEM_NAME)
    key: str = Field(min_length=1, max_length=limits.BODY)
    key_type: Literal["CPF", "CNPJ", "EMAIL", "PHONE", "EVP"]


class Pix(Part):
    """Pay by Pix."""

    type: Literal["pix_dynamic_code"]
    pix_dynamic_code: PixCode


class DigitableLine(Part):
    """The boleto's line of 47 digits, of 48 for utility bills."""

    digitable_line: str = Field(pattern=r"^\d{47,48}$")


class Boleto(Part):
    """Pay by boleto."""

    type: Literal["boleto"]
    boleto: DigitableLine


class PaymentUri(Part):
    """The page to pay on."""

    uri: Link


class PaymentLink(Part):
    """Pay on a page of the payment provider."""

    type: Literal["payment_link"]
    payment_link: PaymentUri


PaymentSetting = Annotated[Pix | Boleto | PaymentLink, Field(discriminator="type")]


class OrderParameters(Part):
    """The bill: what, how much, and the ways to pay it."""

    reference_id: ReferenceId
    type: Literal["digital-goods", "physical-goods"]
    payment_type: Literal["br"]
    payment_settings: list[PaymentSetting] = Field(min_length=1, max_length=3)
    currency: Literal["BRL"]
    total_amount: Amount
    order: Order | None = None

    _ways = field_validator("payment_settings")(unique("types of payment", lambda setting: setting.type))

    @model_validator(mode="after")
    def _total_is_the_order_s(self) -> Self:
        if self.order is not None and self.order.total != self.total_amount.value:
            raise ValueError(
                f"the order comes to {self.order.total} (subtotal + tax + shipping - discount), "
                f"total_amount says {self.total_amount.value}"
            )
        return self


class ReviewAndPay(Part):
    """The button that shows the bill."""

    name: Literal["review_and_pay"]
    parameters: OrderParameters


class OrderDetails(Framed):
    """A bill to pay: a second copy of an invoice, for one."""

    type: Literal["order_details"]
    action: ReviewAndPay


class OrderState(Part):
    """Where the order stands."""

    status: Literal["pending", "processing", "partially_shipped", "shipped", "completed", "canceled"]
    description: str | None = Field(None, min_length=1, max_length=limits.ORDER_DESCRIPTION)


class PaymentState(Part):
    """Where the payment stands, at Unix seconds."""

    status: Literal["pending", "captured", "failed"]
    timestamp: int | None = Field(None, ge=0)


class StatusParameters(Part):
    """Which order, and what became of it or of its payment."""

    reference_id: ReferenceId
    order: OrderState | None = None
    payment: PaymentState | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.order is None and self.payment is None:
            raise ValueError("give `order`, `payment` or both")
        return self


class ReviewOrder(Part):
    """The button that shows the order."""

    name: Literal["review_order"]
    parameters: StatusParameters


class OrderStatus(Part):
    """News about a bill sent before."""

    type: Literal["order_status"]
    body: Body
    footer: Footer | None = None
    action: ReviewOrder
