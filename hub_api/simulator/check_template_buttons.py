"""Validation of what a send fills template buttons with: addresses, codes, coupons, products, bills.

Sources: Meta's pages catalog-templates, mpm-templates and payments-br/orders.
"""

import re
from typing import Any

from hub_api.simulator.check_orders import check_order_details
from hub_api.simulator.errors import MetaError
from hub_api.simulator.fields import child, parts, reject_unknown, text
from hub_api.simulator.model import Template
from hub_api.simulator.render import shown

Json = dict[str, Any]

COUPON = re.compile(r"[A-Za-z0-9]{1,15}")
OTP_LIMIT = 15
SECTIONS, PRODUCTS, SECTION_TITLE, RETAILER_ID = 10, 30, 24, 100


def check_button(kind: str, parameters: list[Json], index: int, template: Template) -> None:
    """Refuse a button's parameters that Meta would refuse. Raises MetaError."""
    if kind in ("url", "copy_code") and not (parameters and (shown(parameters[0]) or parameters[0].get("coupon_code"))):
        raise MetaError(131008, f"buttons: Button at index {index} of type {kind} requires a parameter")
    if kind == "copy_code" and not COUPON.fullmatch(str(parameters[0].get("coupon_code"))):
        raise MetaError(131009, f"buttons: the coupon code at index {index} has 1 to 15 letters and digits")
    if template.category == "AUTHENTICATION" and len(shown(parameters[0])) > OTP_LIMIT:
        raise MetaError(132005, f"buttons: an authentication code has at most {OTP_LIMIT} characters")
    if kind in ("catalog", "mpm", "order_details"):
        _check_action(kind, parameters, index)


def _check_action(kind: str, parameters: list[Json], index: int) -> None:
    if len(parameters) != 1 or parameters[0].get("type") != "action":
        raise MetaError(
            131008, f"buttons: Button at index {index} of type {kind} requires one parameter of type action"
        )
    action = child(parameters[0], "action", "parameters")
    match kind:
        case "order_details":
            reject_unknown(action, {"order_details"}, "action")
            check_order_details(action, "order_details")
        case "catalog":
            reject_unknown(action, {"thumbnail_product_retailer_id"}, "action")
            _retailer_id(action, "thumbnail_product_retailer_id")
        case _:
            _check_products(action)


def _check_products(action: Json) -> None:
    reject_unknown(action, {"thumbnail_product_retailer_id", "sections"}, "action")
    _retailer_id(action, "thumbnail_product_retailer_id")
    titles, products = set(), 0
    sections = parts(action, "sections", "action", maximum=SECTIONS)
    for section in sections:
        titles.add(text(section, "title", "section", maximum=SECTION_TITLE, code=131009))
        for item in parts(section, "product_items", "section", maximum=PRODUCTS):
            _retailer_id(item, "product_retailer_id")
            products += 1
    if len(titles) < len(sections):
        raise MetaError(131009, "action['sections'] has a title twice.")
    if products > PRODUCTS:
        raise MetaError(131009, f"action['sections'] may have {PRODUCTS} products in all, not {products}.")


def _retailer_id(body: Json, key: str) -> None:
    text(body, key, "action", maximum=RETAILER_ID, code=131009)
