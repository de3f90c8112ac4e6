"""`/widget/ws`: a visitor's chat on a website (the frames: README of this folder)."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends, Query, WebSocket
from starlette.websockets import WebSocketDisconnect

from hub_api.chat.hours import hours_of
from hub_api.chat.live.people import open_live
from hub_api.chat.live.streams import Streams
from hub_api.chat.site import limits, tokens, visitors
from hub_api.chat.site.asked import Ack, Asked, Code, Form, Hello, Identity, Ping, Say, Start, Verify, plain, read
from hub_api.chat.site.keep import queries
from hub_api.chat.site.origins import allowed
from hub_api.chat.site.receive import Stored, Written, acknowledge, receive
from hub_api.chat.site.stream import Connection, Visitors, open_visitors
from hub_api.chat.site.visitors import SignedUser, in_turn
from hub_api.errors import Conflict, Forbidden, HubError, Invalid, TooMany
from hub_api.platform import crypto
from hub_api.platform.dberrors import RETRYABLE, UNSTORABLE
from hub_api.platform.pgtypes import Row
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services

log = structlog.get_logger(__name__)
router = APIRouter()

HELLO_WITHIN_S = 10.0
PER_SECOND, AT_ONCE = 5, 30  # frames of one socket
QUIET_FOR_S = 90.0  # a widget says something every 25 s
TOO_SLOW, NOT_ALLOWED = 4008, 1008


class NotStarted(Conflict):
    """Nothing is taken before the visitor agreed to the text."""

    code = "consent_needed"


class Closed(Conflict):
    """Outside the hours a form takes the place of the chat."""

    code = "closed"


async def admit(websocket: WebSocket, key: Annotated[str, Query(min_length=24, max_length=24)]) -> Row:
    """The site of a handshake from one of its pages. Raises Forbidden, the same for an unknown key as for another page, TooMany."""
    services: Services = websocket.app.state.services
    await limits.spend(services, "connect")
    site = await services.db.fetchrow(queries.open_site, key)
    if site is None or not allowed(site["origins"], websocket.headers.get("origin")):
        raise Forbidden("no active site with this key may be embedded by this page")
    return site


admit.permission = "public"  # type: ignore[attr-defined]  # what the walk over all routes reads


@router.websocket("/widget/ws")
async def chat(websocket: WebSocket, site: Annotated[Row, Depends(admit)]) -> None:
    """A visitor's talk with us, until he leaves, says too much, or is too slow (4008)."""
    services: Services = websocket.app.state.services
    streams, _ = await services.shared(open_live)
    all_visitors = await services.shared(open_visitors)
    await websocket.accept()
    talk = _Talk(services, websocket, Connection(site), streams, all_visitors)
    lost: asyncio.Task[Any] = asyncio.create_task(talk.connection.lost.wait())
    tasks: list[asyncio.Task[Any]] = [asyncio.create_task(talk.send()), asyncio.create_task(talk.listen()), lost]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        all_visitors.leave(talk.connection)
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(ended, Exception):
                log.error("site_socket_crashed", exc_info=ended)
        with suppress(RuntimeError, WebSocketDisconnect):  # closed already, by whoever came first
            await websocket.close(TOO_SLOW, "come back with your last message")


class _Talk:
    """One open socket: what it says, and who it is."""

    def __init__(
        self, services: Services, websocket: WebSocket, connection: Connection, streams: Streams, everyone: Visitors
    ) -> None:
        self.services, self.websocket, self.connection = services, websocket, connection
        self._streams, self._everyone = streams, everyone
        self._greeted = False
        self._user: SignedUser | None = None
        self._room, self._at = float(AT_ONCE), asyncio.get_running_loop().time()

    async def send(self) -> None:
        """Send what waits, until the visitor is gone."""
        with suppress(WebSocketDisconnect, RuntimeError):
            while True:
                await self.websocket.send_text(await self.connection.waiting.get())

    async def listen(self) -> None:
        """Do what is asked, one frame after the other; a refusal is told, and the socket goes on."""
        with suppress(WebSocketDisconnect, TimeoutError):
            while True:
                patience = QUIET_FOR_S if self._greeted else HELLO_WITHIN_S
                message = await asyncio.wait_for(self.websocket.receive(), patience)
                if message["type"] == "websocket.disconnect":
                    return
                if self._says_too_much():
                    await self.websocket.close(NOT_ALLOWED, "too many messages")
                    return
                await self._answer(message.get("text") or message.get("bytes") or "")

    async def _answer(self, text: str | bytes) -> None:
        about: dict[str, Any] = {}
        try:
            asked = read(text)
            if isinstance(asked, Say | Form):
                about = {"client_id": asked.client_id}
            await self._do(asked)
        except HubError as error:
            retry = {"retry_after_s": error.context["retry_after_s"]} if isinstance(error, TooMany) else {}
            self.connection.put(type="error", code=error.code, detail=error.message, **about, **retry)
        except UNSTORABLE:
            self.connection.put(type="error", code="invalid", detail="a character that cannot be stored", **about)
        except RETRYABLE as error:
            log.warning("site_interrupted", error=type(error).__name__)
            self.connection.put(type="error", code="unavailable", detail="the database is away: ask again", **about)

    async def _do(self, asked: Asked) -> None:
        if not self._greeted and not isinstance(asked, Hello):
            raise Invalid("say `hello` first")
        match asked:
            case Hello():
                await self._hello(asked)
            case Ping():
                self.connection.put(type="pong")
                await self._everyone.tell_talk(self.connection)
            case Start():
                await self._start(asked)
            case Say() | Form():
                await self._write(asked)
            case Ack():
                await self._acknowledge(asked)
            case Code():
                await visitors.send_code(self.services, self._visitor(), asked.phone)
                self.connection.put(type="code_sent")
            case Verify():
                self.connection.visitor = await visitors.verify(self.services, self._visitor(), asked.phone, asked.code)
                self.connection.put(type="verified")

    async def _hello(self, hello: Hello) -> None:
        if self._greeted:
            raise Invalid("`hello` is said once")
        self._user = self._signed(hello.identity)
        visitor = await visitors.find(self.services, self.connection.site, hello.token, self._user)
        self.connection.visitor, self._greeted = visitor, True
        self.connection.put(type="welcome", **self._welcome())
        if visitor is not None:
            await self._everyone.join(self._streams, self.connection, hello.after)

    def _welcome(self) -> dict[str, Any]:
        site, settings, now = self.connection.site, self.services.settings, datetime.now(UTC)
        hours = hours_of(settings, site["business_hours"], holidays_closed=site["holidays_closed"])
        visitor = self.connection.visitor
        token = None
        if visitor is not None:
            token = tokens.make_token(settings.secret_key.get_secret_value(), site["id"], visitor["id"])
        return {
            "token": token,  # null: unknown, or nobody yet; the one before is worth nothing
            "title": site["title"],
            "color": site["color"],
            "consent": {
                "pt": {"version": site["consent_pt"], "text": site["text_pt"]},
                "en": {"version": site["consent_en"], "text": site["text_en"]},
            },
            "open": hours.is_open(now) or not site["offline_form"],
            "opens_at": hours.next_opening(now),
            "verified": visitor is not None and (visitor["verified_phone"] or visitor["user_id"]) is not None,
            "can_verify": visitors.can_send_codes(self.services),
            "most_text": limits.LONGEST_TEXT,
            "most_file_bytes": limits.MOST_FILE_BYTES,
        }

    def _signed(self, given: Identity | None) -> SignedUser | None:
        if given is None:
            return None
        sealed = self.connection.site["secret_encrypted"]
        secret = crypto.decrypt(self.services.settings.secret_key.get_secret_value(), bytes(sealed)) if sealed else None
        if secret is None or not tokens.fits(secret, given.id, given.signature):
            raise Forbidden("the website's signature does not fit this user")
        return SignedUser(given.id, plain(given.name))

    async def _start(self, asked: Start) -> None:
        if self.connection.visitor is None:
            site = self.connection.site
            visitor, token = await visitors.start(self.services, site, asked.version, plain(asked.page), self._user)
            self.connection.visitor = visitor
            await self._everyone.join(self._streams, self.connection, None)
            self.connection.put(type="started", token=token)

    async def _write(self, asked: Say | Form) -> None:
        visitor = self._visitor()
        site = await self.services.db.fetchrow(queries.open_site, self.connection.site["key"])
        if site is None:
            raise Forbidden("this site's chat was closed")
        self.connection.site = site
        await limits.spend(self.services, "form" if isinstance(asked, Form) else "message", str(visitor["id"]))
        written = _form(asked) if isinstance(asked, Form) else await self._said(asked)

        async def store(tx: Transaction) -> Stored:
            return await receive(tx, self.services.settings, site, visitor, written)

        stored = await in_turn(self.services, store)
        self.connection.put(type="sent", client_id=asked.client_id, id=stored.id, at=stored.at.isoformat())

    async def _said(self, asked: Say) -> Written:
        """A message. Outside the hours only who is in a talk already goes on with it. Raises Closed, Invalid."""
        if not self._welcome()["open"]:
            talk = await self.services.db.fetchrow(queries.talk, self._visitor()["id"])
            if talk is None or talk["state"] == "closed":
                raise Closed("we are closed now: leave a message by the form")
        text = plain(asked.text)
        choice, title = (plain(asked.choice.id), plain(asked.choice.title)) if asked.choice else (None, None)
        if not (text or choice or asked.file):
            raise Invalid("a message has words, a choice or a file")
        return Written(asked.client_id, text, choice, title, asked.file)

    async def _acknowledge(self, asked: Ack) -> None:
        visitor = self._visitor()

        async def note(tx: Transaction) -> None:
            steps: tuple[tuple[str, UUID | None], ...] = (("delivered", asked.delivered), ("read", asked.read))
            for status, up_to in steps:
                if up_to is not None:
                    await acknowledge(tx, visitor, status, up_to)

        await in_turn(self.services, note)

    def _visitor(self) -> Row:
        if self.connection.visitor is None:
            raise NotStarted("the visitor has not agreed to the text yet")
        return self.connection.visitor

    def _says_too_much(self) -> bool:
        now = asyncio.get_running_loop().time()
        self._room = min(float(AT_ONCE), self._room + (now - self._at) * PER_SECOND) - 1
        self._at = now
        return self._room < 0


def _form(asked: Form) -> Written:
    """Name and address are what he says, not who he is: they stand in the message, and nothing is joined by them."""
    told = (("Nome", asked.name), ("Telefone", asked.phone), ("E-mail", asked.email))
    lines = [f"{label}: {words}" for label, given in told if (words := plain(given))]
    text = plain(asked.text)
    if text is None or not (asked.phone or asked.email):
        raise Invalid("leave a message, and a phone or an e-mail")
    return Written(asked.client_id, "\n".join([text, "", *lines]), for_people=True)
