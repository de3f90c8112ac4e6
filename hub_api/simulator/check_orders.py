"""Validation of bills and their state: Payments API for Brazil, as the Orders page of Meta's documentation describes it.

Source: developers.facebook.com/documentation/business-messaging/whatsapp/payments/payments-br/orders.
"""

import re
from typing import Any

from hub_api.simulator.errors import MetaError
from hub_api.simulator.fields import child, link, optional_text, parts, reject_unknown, required, text

Json = dict[str, Any]

REFERENCE = re.compile(r"[A-Za-z0-9_.-]{1,60}")
DIGITABLE_LINE = re.compile(r"\d{47,48}")
ITEMS = 999
KEY_TYPES = ("CPF", "CNPJ", "EMAIL", "PHONE", "EVP")
ORDER_STATES = ("pending", "processing", "partially_shipped", "shipped", "completed", "canceled")
PAYMENT_STATES = ("pending", "captured", "failed")
GOODS = ("digital-goods", "physical-goods")


def check_order_details(action: Json, key: str = "parameters") -> None:
    """Refuse a bill that Meta would refuse: unknown ways to pay, amounts that do not add up. It stands under `key`: a
    template's button calls it order_details. Raises MetaError."""
    parameters = child(action, key, "action")
    _reference(parameters)
    _one_of(parameters, "type", "parameters", GOODS)
    _one_of(parameters, "payment_type", "parameters", ("br",))
    if parameters.get("currency") != "BRL":
        raise MetaError(131009, "parameters['currency'] must be BRL for payments in Brazil.")
    settings = parts(parameters, "payment_settings", "parameters", maximum=3)
    kinds = [_setting(setting) for setting in settings]
    if len(set(kinds)) < len(kinds):
        raise MetaError(131009, "parameters['payment_settings'] has a payment type twice.")
    total = _amount(parameters, "total_amount", "parameters")
    if parameters.get("order") is not None:
        comes_to = _order(child(parameters, "order", "parameters"))
        if comes_to != total:
            raise MetaError(131009, f"The order comes to {comes_to}, parameters['total_amount'] says {total}.")


def check_order_status(action: Json) -> None:
    """Refuse news about an order that Meta would refuse. Raises MetaError."""
    parameters = child(action, "parameters", "action")
    _reference(parameters)
    if parameters.get("order") is None and parameters.get("payment") is None:
        raise MetaError(131008, "parameters must have an order or a payment.")
    if parameters.get("order") is not None:
        order = child(parameters, "order", "parameters")
        _one_of(order, "status", "order", ORDER_STATES)
        optional_text(order, "description", "order", maximum=120, code=131009)
    if parameters.get("payment") is not None:
        _one_of(child(parameters, "payment", "parameters"), "status", "payment", PAYMENT_STATES)


def _reference(parameters: Json) -> None:
    if not REFERENCE.fullmatch(text(parameters, "reference_id", "parameters")):
        raise MetaError(
            131009, "parameters['reference_id'] has 1 to 60 letters, digits, underscores, dashes and dots only."
        )


def _setting(setting: Json) -> str:
    kind = text(setting, "type", "payment_settings")
    match kind:
        case "pix_dynamic_code":
            pix = child(setting, kind, "payment_settings")
            text(pix, "code", kind, maximum=2_000, code=131009)
            text(pix, "merchant_name", kind, maximum=60, code=131009)
            text(pix, "key", kind, code=131009)
            _one_of(pix, "key_type", kind, KEY_TYPES)
        case "boleto":
            if not DIGITABLE_LINE.fullmatch(text(child(setting, kind, "payment_settings"), "digitable_line", kind)):
                raise MetaError(131009, "boleto['digitable_line'] must have 47 or 48 digits.")
        case "payment_link":
            link(required(child(setting, kind, "payment_settings"), "uri", kind), "payment_link['uri']")
        case _:
            raise MetaError(131009, f"payment_settings['type'] {kind} is not available in Brazil.")
    reject_unknown(setting, {"type", kind}, "payment_settings")
    return kind


def _order(order: Json) -> int:
    """What the order comes to, in hundredths."""
    _one_of(order, "status", "order", ("pending",))
    subtotal = _amount(order, "subtotal", "order")
    of_items = 0
    for item in parts(order, "items", "order", maximum=ITEMS):
        text(item, "retailer_id", "item")
        text(item, "name", "item", maximum=60, code=131009)
        quantity = required(item, "quantity", "item")
        if not isinstance(quantity, int) or quantity < 1:
            raise MetaError(131009, "item['quantity'] must be a whole number from 1.")
        each = _amount(item, "amount", "item")
        of_items += quantity * (_amount(item, "sale_amount", "item") if item.get("sale_amount") is not None else each)
    if of_items != subtotal:
        raise MetaError(131009, f"The items come to {of_items}, order['subtotal'] says {subtotal}.")
    shipping, discount = (
        _amount(order, key, "order") if order.get(key) is not None else 0 for key in ("shipping", "discount")
    )
    for fee in ("tax", "shipping", "discount"):
        if order.get(fee) is not None:
            optional_text(order[fee], "description", fee, maximum=60, code=131009)
    return subtotal + _amount(order, "tax", "order") + shipping - discount


def _amount(body: Json, key: str, path: str) -> int:
    amount = child(body, key, path)
    value = required(amount, "value", key)
    if amount.get("offset") != 100:
        raise MetaError(131009, f"{key}['offset'] must be 100 for BRL.")
    if not isinstance(value, int) or value < 0:
        raise MetaError(131009, f"{key}['value'] must be a whole number, not negative.")
    return value


def _one_of(body: Json, key: str, path: str, allowed: tuple[str, ...]) -> None:
    value = text(body, key, path)
    if value not in allowed:
        raise MetaError(131009, f"{path}['{key}'] must be one of {', '.join(allowed)}, not {value}.")
