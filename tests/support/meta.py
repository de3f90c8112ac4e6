"""Meta's side of a webhook: it delivers again until it hears 200, and we remember what was acknowledged."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from itertools import count

import aiohttp

from tests.support.hub import signed

_numbers = count(1)


def new_people(how_many: int) -> list[int]:
    """Numbers of people that nobody in this test session has used."""
    return [next(_numbers) for _ in range(how_many)]


def phone_of(number: int) -> str:
    """The wa_id of a person."""
    return f"5511{900000000 + number}"


def bsuid_of(number: int) -> str:
    """The BSUID of a person."""
    return f"BR.{7 * 10**14 + number}"


def wamid_of(number: int) -> str:
    """The wamid of the one message of a person."""
    return f"wamid.FAULT{number:09d}"


def hello(number: int, text: str = "oi") -> bytes:
    """The webhook of a person's one message, written now."""
    phone, bsuid = phone_of(number), bsuid_of(number)
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "551130001000", "phone_number_id": "106540000000001"},
        "contacts": [{"profile": {"name": f"Cliente {number}"}, "wa_id": phone, "user_id": bsuid}],
        "messages": [
            {
                "from": phone,
                "from_user_id": bsuid,
                "id": wamid_of(number),
                "timestamp": str(int(time.time())),
                "type": "text",
                "text": {"body": text},
            }
        ],
    }
    changes = [{"field": "messages", "value": value}]
    return json.dumps(
        {"object": "whatsapp_business_account", "entry": [{"id": "102290000000001", "changes": changes}]}
    ).encode()


class Meta:
    """Delivers to one or several addresses of the same hub, in turn, at most `in_flight` requests at a time."""

    def __init__(self, *urls: str, secret: str, in_flight: int = 64) -> None:
        self.urls = urls
        self.secret = secret
        self.in_flight = in_flight
        self.acknowledged: set[str] = set()
        self.answers: Counter[int] = Counter()  # by status; 0: no answer
        self.last_accepted = 0.0  # monotonic
        self._turn = count()

    async def deliver(self, people: list[int], *, copies: int = 1, every_s: float = 0.0) -> None:
        """One message of each person, `every_s` or as fast as they are accepted; `copies` of each webhook are under way
        together, and each is delivered until 200."""
        places = asyncio.Semaphore(self.in_flight)
        timeout = aiohttp.ClientTimeout(total=10)
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session, asyncio.TaskGroup() as group:
            for number in people:
                body = hello(number)
                for _ in range(copies):
                    await places.acquire()
                    task = group.create_task(self._until_accepted(session, wamid_of(number), body))
                    task.add_done_callback(lambda _: places.release())
                if every_s:
                    await asyncio.sleep(every_s)

    async def deliver_over(self, sessions: Sequence[aiohttp.ClientSession], people: list[int], *, copies: int) -> None:
        """One message of each person, `copies` of each webhook, dealt out to `sessions` in turn; each session delivers
        what it was dealt as fast as its connections take it, all beside each other, until 200."""
        dealt = enumerate(number for number in people for _ in range(copies))
        async with asyncio.TaskGroup() as group:
            for turn, number in dealt:
                session = sessions[turn % len(sessions)]
                group.create_task(self._until_accepted(session, wamid_of(number), hello(number)))

    async def deliver_while(
        self, people: list[int], fault: Callable[[], Awaitable[None]], *, after: int, every_s: float = 0.02
    ) -> None:
        """Deliver, and let `fault` happen in the middle: once `after` messages are acknowledged. `every_s` apart, so that
        the load lasts for as long as a fault needs to be felt."""
        load = asyncio.create_task(self.deliver(people, every_s=every_s))
        before = len(self.acknowledged)
        while len(self.acknowledged) < before + after and not load.done():
            await asyncio.sleep(0.005)
        await fault()
        await load

    async def post_once(self, body: bytes) -> int:
        """One delivery of any signed body; its status, 0 without an answer."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
            return await self._post(session, body)

    async def _until_accepted(self, session: aiohttp.ClientSession, wamid: str, body: bytes) -> None:
        attempt = 0
        while await self._post(session, body) != 200:
            attempt += 1
            assert attempt < 300, f"{wamid} was never accepted"
            await asyncio.sleep(min(0.02 * 2**attempt, 0.5))
        self.acknowledged.add(wamid)
        self.last_accepted = time.monotonic()

    async def _post(self, session: aiohttp.ClientSession, body: bytes) -> int:
        url = self.urls[next(self._turn) % len(self.urls)]
        try:
            async with session.post(url, **signed(body, self.secret)) as answer:
                status, text = answer.status, await answer.text()
        except (aiohttp.ClientError, TimeoutError):
            status, text = 0, ""
        self.answers[status] += 1
        assert status in (0, 200, 503), f"{status}: {text}"
        return status
