"""Where the hub's mail and SMS end up in a demo: an SMTP server that delivers nothing, and two SMS providers' doors.

`/_sim/post` shows what came as a page, `/_sim/post.json` as data. SMS come as the generic JSON at `/_sim/sms` and as Twilio's
`POST /2010-04-01/Accounts/{sid}/Messages.json` (form To, From or MessagingServiceSid, Body; basic authentication by the sid).
"""

import asyncio
import base64
import html
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from uuid import uuid4

from aiohttp import BasicAuth, web

KEPT = 500


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that came with a mail, in base64."""

    name: str
    mime_type: str
    content: str


@dataclass(frozen=True, slots=True)
class Posted:
    """One mail or SMS, as it would have been delivered."""

    at: str
    channel: str
    sender: str
    to: str
    subject: str | None
    text: str
    files: Sequence[Attached] = ()


class Post:
    """The newest mails and SMS, and the SMTP server while it runs."""

    def __init__(self) -> None:
        self.items: deque[Posted] = deque(maxlen=KEPT)
        self.smtp_port: int | None = None
        self._server: asyncio.Server | None = None

    def add(
        self, channel: str, sender: str, to: str, subject: str | None, text: str, files: Sequence[Attached] = ()
    ) -> None:
        """Keep one."""
        self.items.append(Posted(datetime.now(UTC).isoformat(), channel, sender, to, subject, text, files))

    async def start(self, host: str, port: int) -> None:
        """Listen for SMTP on `port` (0: a free one). Raises OSError when it is taken."""
        from aiosmtpd.smtp import SMTP  # here: only a simulator with mail needs it

        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: SMTP(self, enable_SMTPUTF8=True), host, port)
        self.smtp_port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """A mail has come."""
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)  # noqa: S101 - the default policy makes these
        body = mail.get_body(("plain", "html"))
        text = body.get_content() if body is not None else ""
        files = tuple(_attached(part) for part in mail.iter_attachments())
        for to in envelope.rcpt_tos:
            self.add("email", str(envelope.mail_from), to, str(mail["subject"] or ""), text, files)
        return "250 Message accepted for delivery"


def _attached(part: Any) -> Attached:
    content = part.get_payload(decode=True) or b""
    return Attached(part.get_filename() or "", part.get_content_type(), base64.b64encode(content).decode())


def _download(file: Attached) -> str:
    name = html.escape(file.name)
    return f"<p><a download='{name}' href='data:{html.escape(file.mime_type)};base64,{file.content}'>{name}</a></p>"


def post_routes(post: Post) -> Sequence[web.AbstractRouteDef]:
    """The two SMS doors, and the page."""

    async def generic(request: web.Request) -> web.Response:
        body = await request.json()
        if not isinstance(body, dict) or not body.get("to") or not body.get("text"):
            return web.json_response({"error": "`to` and `text` are required"}, status=422)
        post.add("sms", "", str(body["to"]), None, str(body["text"]))
        return web.json_response({"id": str(uuid4())}, status=202)

    async def twilio(request: web.Request) -> web.Response:
        sid, form = request.match_info["sid"], await request.post()
        try:
            credentials = BasicAuth.decode(request.headers.get("Authorization", ""))
        except ValueError:
            credentials = BasicAuth("")
        if credentials.login != sid or not credentials.password:
            return web.json_response({"code": 20003, "message": "Authenticate", "status": 401}, status=401)
        sender = str(form.get("From") or form.get("MessagingServiceSid") or "")
        for name, code, value in (
            ("To", 21604, form.get("To")),
            ("From", 21603, sender),
            ("Body", 21602, form.get("Body")),
        ):
            if not value:
                return web.json_response(
                    {"code": code, "message": f"A '{name}' value is required.", "status": 400}, status=400
                )
        post.add("sms", sender, str(form["To"]), None, str(form["Body"]))
        made = {"sid": f"SM{uuid4().hex}", "status": "queued", "to": form["To"], "from": sender, "body": form["Body"]}
        return web.json_response(made, status=201)

    async def listed(request: web.Request) -> web.Response:
        to = request.query.get("to")
        return web.json_response([asdict(item) for item in reversed(post.items) if to in (None, item.to)])

    async def page(request: web.Request) -> web.Response:
        rows = "".join(
            f"<article><h2>{html.escape(item.subject or item.channel.upper())}</h2>"
            f"<p>{html.escape(item.at[:19])} · {html.escape(item.channel)} · {html.escape(item.to)}</p>"
            f"<pre>{html.escape(item.text)}</pre>{''.join(_download(file) for file in item.files)}</article>"
            for item in reversed(post.items)
        )
        body = (
            "<!doctype html><html lang='pt-BR'><meta charset='utf-8'><title>Correio do simulador</title>"
            "<style>body{font:16px sans-serif;max-width:50rem;margin:2rem auto}article{border-top:1px solid #ccc}"
            "pre{white-space:pre-wrap}</style>"
            f"<h1>Correio do simulador</h1>{rows or '<p>Nada chegou ainda.</p>'}"
        )
        return web.Response(text=body, content_type="text/html", headers={"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"})  # fmt: skip

    return [
        web.post("/_sim/sms", generic),
        web.post("/2010-04-01/Accounts/{sid}/Messages.json", twilio),
        web.get("/_sim/post.json", listed),
        web.get("/_sim/post", page),
    ]
