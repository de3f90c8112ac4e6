"""S3-compatible buckets as settings name them: s3://key:secret@bucket/prefix?endpoint=https://…&region=…"""

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from obstore.store import S3Store
from pydantic import SecretStr

from hub_api.errors import HubError


class BadBucket(HubError):
    """A setting names no bucket."""

    code = "bad_bucket_url"


def open_bucket(url: SecretStr, setting: str) -> S3Store:
    """The bucket at `url`. Raises BadBucket naming `setting`, never the address, which holds a secret."""
    parts = urlsplit(url.get_secret_value())
    if parts.scheme != "s3" or not parts.hostname:
        raise BadBucket(f"{setting} must read s3://key:secret@bucket/prefix?endpoint=https://…&region=…")
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if unknown := set(options) - {"endpoint", "region"}:
        raise BadBucket(f"{setting} has options that are none: {', '.join(sorted(unknown))}")
    config: dict[str, Any] = {"region": options.get("region", "us-east-1"), "virtual_hosted_style_request": False}
    if endpoint := options.get("endpoint"):
        config["endpoint"] = endpoint
    if parts.username:
        config |= {"access_key_id": unquote(parts.username), "secret_access_key": unquote(parts.password or "")}
    client: Any = {"timeout": "60s", "connect_timeout": "5s"}
    if options.get("endpoint", "").startswith("http://"):
        client["allow_http"] = True
    return S3Store(
        parts.hostname,
        prefix=parts.path.strip("/") or None,
        client_options=client,
        retry_config={"max_retries": 2},
        **config,
    )
