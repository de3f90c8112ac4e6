"""Where browsers find the hub behind a proxy that takes a prefix away. Light, for the command line too."""

from urllib.parse import urlsplit


def public_path(public_url: str) -> str:
    """The path of HUB_PUBLIC_URL without its last slash: empty, or the prefix (`/hub`)."""
    return urlsplit(public_url).path.rstrip("/")
