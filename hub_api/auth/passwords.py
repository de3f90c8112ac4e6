"""Passwords: argon2id in a few threads of their own, and the rule which ones are taken.

argon2id with 19 MiB, 2 passes, 1 lane (OWASP Password Storage Cheat Sheet): some 30 ms of a core. More than `THREADS` at
once would starve the API, and more than `WAITING` callers in line would wait longer than a browser does.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import cache
from importlib import resources
from typing import TypeVar

from pwdlib.hashers.argon2 import Argon2Hasher

from hub_api.errors import Invalid, Unavailable
from hub_api.platform.services import Services

T = TypeVar("T")

THREADS, WAITING = 2, 64
MIN_LENGTH, MAX_LENGTH = 10, 128
_PARTS = re.compile(r"[@.\s_-]+")
MIN_SCORE = 3  # of zxcvbn's 0 to 4: more than 10^8 guesses


class WeakPassword(Invalid):
    """The password would be guessed."""

    code = "weak_password"


class Passwords:
    """Hashes and verifies off the event loop."""

    def __init__(self) -> None:
        self._hasher = Argon2Hasher(time_cost=2, memory_cost=19_456, parallelism=1)
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="argon2")
        self._waiting = 0
        # What unknown users and users without a password are verified against, so that they cost the same time.
        self._nobody = self._hasher.hash("nobody's password, which nobody has")

    async def hash(self, password: str) -> str:
        """The hash with its parameters and salt. Raises Unavailable when too many wait."""
        return await self._run(lambda: self._hasher.hash(password))

    async def verify(self, password: str, known: str | None) -> tuple[bool, str | None]:
        """Whether it is the password of the hash (None: nobody's), and a hash of today's cost if that one's is another."""

        def check() -> tuple[bool, str | None]:
            fits = self._hasher.verify(password, known or self._nobody) and known is not None
            outdated = fits and known is not None and self._hasher.check_needs_rehash(known)
            return fits, self._hasher.hash(password) if outdated else None

        return await self._run(check)

    async def check_strength(self, password: str, about: Sequence[str]) -> None:
        """Raises WeakPassword; `about` are words that an attacker of this user would try first: name, e-mail."""
        await self._run(lambda: check_strength(password, about))

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= WAITING:
            raise Unavailable("too many people sign in at once: try again in a moment")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Let what runs end."""
        self._pool.shutdown(wait=False)


def check_strength(password: str, about: Sequence[str]) -> None:
    """Raises WeakPassword for one that is short, known from breaches, or guessed early (zxcvbn, Wheeler 2016)."""
    from zxcvbn import zxcvbn  # here: its dictionaries take 40 ms and 20 MB, which no worker needs

    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        raise WeakPassword(f"a password has {MIN_LENGTH} to {MAX_LENGTH} characters")
    if password.lower() in breached():
        raise WeakPassword("this password is in lists of stolen ones: choose another")
    words = [word for text in about for word in (text, *_PARTS.split(text), _PARTS.sub("", text)) if word]
    result = zxcvbn(password, user_inputs=[*words, *local_words()], max_length=MAX_LENGTH)
    if result["score"] < MIN_SCORE:
        raise WeakPassword("this password is guessed too early: make it longer, with words that do not belong together")


@cache
def breached() -> frozenset[str]:
    """The most common passwords of breaches: zxcvbn's own list (30,000) and what Brazilians and telecoms choose."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    endings = ("", "1", "12", "123", "1234", "12345", "123456", "@123", "@1234", "2024", "2025", "2026", "@2025", "@2026", "!")  # fmt: skip
    return frozenset(FREQUENCY_LISTS["passwords"]) | {word + end for word in local_words() for end in endings}


@cache
def local_words() -> tuple[str, ...]:
    """Words of common_words.txt: what is behind the passwords of Brazilian accounts."""
    text = resources.files(__package__).joinpath("common_words.txt").read_text(encoding="utf-8")
    return tuple(line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#"))


@asynccontextmanager
async def open_passwords(services: Services) -> AsyncIterator[Passwords]:
    """For `services.shared`: one a process."""
    passwords = await asyncio.to_thread(Passwords)
    yield passwords
    passwords.close()
