"""E-mail by SMTP to HUB_SMTP_URL: `smtp://user:password@host:port` (STARTTLS if offered) or `smtps://`."""

import asyncio
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from urllib.parse import unquote, urlsplit

from hub_api.errors import HubError
from hub_api.settings import Settings

TIMEOUT_S = 20.0


class MailRefused(HubError):
    """The mail server did not take the message, or no server is set."""

    code, retryable = "mail_refused", True


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a message."""

    name: str
    mime_type: str
    content: bytes


async def send(
    settings: Settings, to: str, subject: str, text: str, *, file: Attachment | None = None, key: str | None = None
) -> None:
    """Hand one plain-text message to the server. Raises MailRefused, or OSError when the server is away.

    With a `key` the message's id is made of it, so that a mailbox shows once what had to be sent again.
    """
    if settings.smtp_url is None:
        raise MailRefused("no mail can leave: set HUB_SMTP_URL")
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = settings.mail_from, to, subject
    message["Date"], message["Message-ID"] = (
        formatdate(localtime=False),
        f"<{key}@hub.local>" if key else make_msgid(domain="hub.local"),
    )
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    if file is not None:
        kind, _, subtype = file.mime_type.partition("/")
        message.add_attachment(file.content, maintype=kind, subtype=subtype, filename=file.name)
    await asyncio.to_thread(_deliver, settings.smtp_url.get_secret_value(), message)


def _deliver(url: str, message: EmailMessage) -> None:
    parts = urlsplit(url)
    host, secure = parts.hostname or "127.0.0.1", parts.scheme == "smtps"
    context = ssl.create_default_context()
    try:
        if secure:
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, parts.port or 465, timeout=TIMEOUT_S, context=context)
        else:
            server = smtplib.SMTP(host, parts.port or 587, timeout=TIMEOUT_S)
        with server:
            server.ehlo()
            if not secure and server.has_extn("starttls"):
                server.starttls(context=context)
            if parts.username:
                server.login(unquote(parts.username), unquote(parts.password or ""))
            server.send_message(message)
    except smtplib.SMTPException as error:
        raise MailRefused(f"the mail server refused: {type(error).__name__}") from error
