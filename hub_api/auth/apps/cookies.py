"""An app's own cookies pass, the hub's do not: neither up to the app nor, under our names, down from it."""

from collections.abc import Iterable

OURS = "hub_"


def upward(header: str) -> str:
    """The `Cookie` header for the app; empty when nothing of it is the app's."""
    pairs = (pair.strip() for pair in header.split(";"))
    return "; ".join(pair for pair in pairs if pair and not _is_ours(pair.partition("=")[0]))


def downward(headers: Iterable[str], prefix: str) -> list[str]:
    """The app's `Set-Cookie` headers, for its own path only: one app's cookie is none of another's, nor of the hub's."""
    return [cookie for header in headers if (cookie := _confined(header, prefix)) is not None]


def _confined(header: str, prefix: str) -> str | None:
    pair, *attributes = (part.strip() for part in header.split(";"))
    if _is_ours(pair.lstrip("= ").partition("=")[0]):  # of `=name=value` browsers send `name=value` back
        return None
    kept, path = [], prefix
    for attribute in attributes:
        name, _, value = attribute.partition("=")
        if name.strip().lower() == "path":
            path = value.strip() if value.strip().startswith(prefix) else prefix
        elif name.strip().lower() != "domain":
            kept.append(attribute)
    return "; ".join([pair, f"Path={path}", *kept])


def _is_ours(name: str) -> bool:
    return name.strip().lower().startswith(OURS)
