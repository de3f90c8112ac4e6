"""What a failure's code speaks against: the customer's side, the template, or number and account themselves."""

from typing import Literal

Class = Literal["customer", "template", "number"]

# Undeliverable, capped or unwanted: the person or the address, not how we send. A block looks like the first of them.
BLOCK_CODES = frozenset({131026, 130403})
_CUSTOMER = BLOCK_CODES | {130472, 130497, 131021, 131030, 131047, 131049, 131050, 131056, 131062, 137000}
_TEMPLATE = frozenset(
    {100, 131008, 131009, 131051, 131053, 131055, 134100, 134101, 134102, 135000, *range(132000, 133000)}
)


def class_of(code: int | None) -> Class:
    """Of Meta's code, by §5 of the channel document; an unknown one speaks against the number."""
    if code in _CUSTOMER:
        return "customer"
    return "template" if code in _TEMPLATE else "number"
