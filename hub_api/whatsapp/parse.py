"""One inbox item to one typed value, without looking at anything else."""

from hub_api.errors import HubError
from hub_api.whatsapp.inbound import Inbound, Item


class Unparsable(HubError):
    """The item breaks the shape its kind must have; `reason` is a short stable code, the message says what and where."""

    status, code = 422, "unparsable"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message, reason=reason)
        self.reason = reason


def parse(item: Item) -> Inbound:
    """The typed value of `item`. Raises Unparsable and nothing else, whatever the payload holds."""
    raise Unparsable("unknown_kind", f"no parser for items of kind {item.kind!r}")
