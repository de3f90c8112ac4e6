"""Redis or Valkey from one URL: `redis://`, `rediss://`, `unix://`, or `redis+sentinel://[:pw@]host:port[,host:port]/service/db`."""

from typing import Any
from urllib.parse import unquote, urlsplit

from redis import Redis as SyncRedis
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.sentinel import Sentinel as SyncSentinel

# A doorbell that waits is worse than one that is lost: the sweep makes it good.
_CONNECT_TIMEOUT_S = 2.0
READ_TIMEOUT_S = 5.0


def connect(url: str) -> Redis:
    """An asynchronous client; connects when first used."""
    timeouts: dict[str, Any] = {
        "socket_connect_timeout": _CONNECT_TIMEOUT_S,
        "socket_timeout": READ_TIMEOUT_S,
        # Once, at once: the connections of before a restart of Redis are only found to be dead when they are used.
        "retry": Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
    }
    if url.startswith("redis+sentinel://"):
        hosts, service, options = _sentinel(url)
        return Sentinel(hosts, **timeouts).master_for(service, **options, **timeouts)  # type: ignore[no-any-return, no-untyped-call]
    return Redis.from_url(url, **timeouts)  # type: ignore[no-any-return, unused-ignore]


def connect_sync(url: str, read_timeout_s: float | None = READ_TIMEOUT_S) -> SyncRedis:
    """A blocking client for rq. A worker's waits for jobs and has no `read_timeout_s`: rq gives it one that fits."""
    timeouts: dict[str, Any] = {"socket_connect_timeout": _CONNECT_TIMEOUT_S, "socket_timeout": read_timeout_s}
    if url.startswith("redis+sentinel://"):
        hosts, service, options = _sentinel(url)
        return SyncSentinel(hosts, **timeouts).master_for(service, **options, **timeouts)  # type: ignore[no-any-return, no-untyped-call]
    return SyncRedis.from_url(url, **timeouts)  # type: ignore[no-any-return, unused-ignore]


def _sentinel(url: str) -> tuple[list[tuple[str, int]], str, dict[str, Any]]:
    """Hosts, service name and the master's options. Raises ValueError when the URL names no service."""
    parts = urlsplit(url)
    credentials, _, addresses = parts.netloc.rpartition("@")
    hosts = [(host, int(port or 26379)) for host, _, port in (a.partition(":") for a in addresses.split(","))]
    service, _, database = parts.path.strip("/").partition("/")
    if not service:
        raise ValueError("HUB_REDIS_URL: name the service, as in redis+sentinel://host:26379/mymaster/0")
    user, _, password = credentials.partition(":")
    options: dict[str, Any] = {"db": int(database or 0)}
    if user:
        options["username"] = unquote(user)
    if password:
        options["password"] = unquote(password)
    return hosts, service, options
