"""What stands between a guesser and a password or code: limits, growing pauses, and browsers that are known.

Counted are the account (whether it exists or not), the address, and the pair of both. The limit of the account could be
used to lock its owner out; so a browser in which he has signed in before (a cookie) is counted by itself and by nothing
that others can fill. Without Redis nobody can be counted, so nobody can try: these limits fail closed.
"""

import hashlib
import math
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from secrets import token_urlsafe
from uuid import UUID

import structlog
from redis.exceptions import RedisError

from hub_api.auth import audit
from hub_api.auth.sessions import fingerprint
from hub_api.errors import TooMany, Unavailable
from hub_api.platform import ratelimit, request_info, sqlfile
from hub_api.platform.postgres import Transaction
from hub_api.platform.ratelimit import Limit
from hub_api.platform.request_info import limit_key
from hub_api.platform.services import Services

log = structlog.get_logger(__name__)
queries = sqlfile.load(__package__, "guard.sql")

FREE_FAILURES = 5  # so many mistakes of one account from one place cost nothing; then the pause doubles each time
FIRST_PAUSE_S, LONGEST_PAUSE_S = 30, 3600
REMEMBERED_S = 24 * 3600
DEVICE_LIFE = timedelta(days=180)
NOTED_EVERY_S = 60

_AWAY = "signing in is not possible for a moment: its limits cannot be counted; try again"


class Guard:
    """One attempt at one account: ask before the proof is looked at, tell what came of it afterwards."""

    def __init__(self, services: Services, what: str, account: str, device: str | None = None) -> None:
        """`what` is tried (signin, code); `account` as typed, for it need not exist; `device` proven by `known_device`."""
        self._services, self._what, self._account = services, what, account
        subject = hashlib.sha256(account.strip().lower().encode()).hexdigest()[:32]
        self._place = place = limit_key(request_info.current.get().address)
        per_minute = services.settings.signin_per_minute
        self._pair = f"{what}:{subject}:{device or place}"
        self._limits = [Limit(f"{what}:pair:{self._pair}", per_minute)]
        if device is None:
            self._limits += [
                Limit(f"{what}:account:{subject}", per_minute),
                Limit(f"{what}:address:{place}", per_minute),
            ]

    async def allow(self) -> None:
        """Count the attempt. Raises TooMany, or Unavailable while Redis is away."""
        try:
            pause_ms = await self._services.redis.pttl(f"pause:{self._pair}")
            if pause_ms > 0:
                raise TooMany("too many wrong attempts: wait before you try again", retry_after_s=pause_ms / 1000)
            await ratelimit.take(
                self._services.redis, self._limits, "too many attempts: wait a minute before you try again"
            )
        except TooMany as refusal:
            await self._note(refusal)
            raise
        except RedisError as error:
            log.error("signin_limits_away", error=type(error).__name__)
            raise Unavailable(_AWAY) from error

    async def _note(self, refusal: TooMany) -> None:
        """One row in the audit log a minute and address: who hammers must not fill it."""
        with suppress(RedisError):
            if not await self._services.redis.set(
                f"refused:{self._what}:{self._place}", b"1", ex=NOTED_EVERY_S, nx=True
            ):
                return
        account = {"email": self._account} if "@" in self._account else {}
        detail = {"tried": self._what, "retry_after_s": refusal.context["retry_after_s"], **account}
        async with self._services.transaction() as tx:
            await audit.write(tx, "anonymous", "signin.limited", "user", None, detail=detail)

    async def failed(self) -> None:
        """The proof was wrong: after some, a pause that doubles with each further one."""
        try:
            async with self._services.redis.pipeline() as pipeline:
                pipeline.incr(f"failures:{self._pair}")
                pipeline.expire(f"failures:{self._pair}", REMEMBERED_S)
                count, _ = await pipeline.execute()
            if count >= FREE_FAILURES:
                pause = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(count - FREE_FAILURES, 20))
                await self._services.redis.set(f"pause:{self._pair}", b"1", ex=math.ceil(pause))
        except RedisError as error:
            log.error("signin_failure_not_counted", error=type(error).__name__)

    async def succeeded(self) -> None:
        """The proof was right: earlier mistakes from this place are forgiven."""
        try:
            await self._services.redis.delete(f"failures:{self._pair}")
        except RedisError as error:
            log.warning("signin_failures_not_forgiven", error=type(error).__name__)


async def known_device(services: Services, email: str, cookie: str | None) -> str | None:
    """The device's mark for `Guard` if its cookie was given to this very account, else None."""
    if not cookie:
        return None
    known = await services.db.fetchval(queries.is_known_device, fingerprint(cookie), email)
    return hashlib.sha256(cookie.encode()).hexdigest()[:32] if known else None


async def remember_device(tx: Transaction, user_id: UUID) -> str:
    """A new device of the user; returns the value of its cookie."""
    token = token_urlsafe(32)
    await tx.db.execute(queries.insert_device, fingerprint(token), user_id, datetime.now(UTC) + DEVICE_LIFE)
    return token


async def forget_devices(tx: Transaction, user_id: UUID) -> None:
    """No browser of the user is known any more: after a change of password whoever has a cookie may be the thief."""
    await tx.db.execute(queries.delete_devices, user_id)
