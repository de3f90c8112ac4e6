"""From which pages a site's widget may speak: the browser says where it is (`Origin`, RFC 6454), and a script cannot change that."""

import re
from collections.abc import Iterable

# Scheme, host (or every host below one), port: as a browser writes it, in lower case and without a path.
ORIGIN = re.compile(
    r"https?://(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:[1-9]\d{0,4})?", re.ASCII
)


def allowed(origins: Iterable[str], origin: str | None) -> bool:
    """Whether a page of `origin` may embed the widget: named as it is, or below a named `scheme://*.host`."""
    if not origin:
        return False
    for one in origins:
        scheme, below, host = one.partition("://*.")
        if one == origin or (below and origin.startswith(f"{scheme}://") and origin.endswith(f".{host}")):
            return True
    return False
