"""Steps that call our own public address as Meta does: certificate, handshake, signature."""

import asyncio
import hmac
import ipaddress
import secrets
import socket
import ssl
from datetime import UTC, datetime
from typing import Any

import aiohttp
import orjson
from yarl import URL

from hub_api.platform import sqlfile
from hub_api.whatsapp.connect.setup import Facts, Failed, Setup

queries = sqlfile.load(__package__)

WITHIN_S = 10.0
WARN_BEFORE_DAYS = 14
# X509_V_ERR_* of OpenSSL, by what an operator does about them.
_CERTIFICATE = {10: "certificate_expired", 18: "certificate_self_signed", 19: "certificate_self_signed",
                20: "certificate_chain", 21: "certificate_chain", 62: "certificate_other_name"}  # fmt: skip


async def address(setup: Setup) -> Facts:
    """The address is public and HTTPS with a certificate that a stranger accepts; Meta takes no other."""
    url = URL(setup.webhook_url())
    if url.scheme != "https":
        if url.scheme != "http" or not setup.simulated:
            raise Failed("not_https", url=str(url))
        return {"url": str(url), "certificate": "–"}
    host, port = url.host or "", url.port or 443
    found = await _resolve(host, port)
    if not setup.simulated and (private := [ip for ip in found if not ipaddress.ip_address(ip).is_global]):
        raise Failed("address_private", host=host, ip=private[0])
    until = await _certificate(host, port, tls_context(setup.answers.ca_file))
    days = (until - datetime.now(UTC)).days
    if days < WARN_BEFORE_DAYS:
        raise Failed("certificate_ends", days=days)
    return {"url": str(url), "certificate": f"{until:%d/%m/%Y}"}


async def handshake(setup: Setup) -> Facts:
    """GET with our verify token gives the challenge back, and with another one is refused."""
    verify = setup.services.settings.meta_verify_token.get_secret_value()
    challenge = str(secrets.randbelow(10**9))
    right = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": verify}
    status, text = await _call(setup, "GET", params=right)
    if status != 200 or text.strip() != challenge:
        raise Failed("handshake_not_answered", status=status, body=text[:80])
    status, _ = await _call(setup, "GET", params={**right, "hub.verify_token": secrets.token_hex(8)})
    if status == 200:
        raise Failed("handshake_open")
    return {}


async def signature(setup: Setup) -> Facts:
    """A signed webhook is stored by this very hub, and a wrongly signed one is refused."""
    # Without entries: it is stored like any webhook, and there is nothing in it to handle.
    nonce = secrets.token_hex(16)
    body = orjson.dumps({"object": "whatsapp_business_account", "entry": [], "hub_connect_probe": nonce})
    secret = setup.services.settings.meta_app_secret.get_secret_value()
    status, _ = await _call(setup, "POST", data=body, headers=_signed(body, secrets.token_hex(16)))
    if status == 200:
        raise Failed("signature_not_checked")
    if status not in (401, 403):
        raise Failed("webhook_answer", status=status)
    status, _ = await _call(setup, "POST", data=body, headers=_signed(body, secret))
    if status in (401, 403):
        raise Failed("signature_refused", status=status)
    if status != 200:
        raise Failed("webhook_answer", status=status)
    if not await setup.services.db.fetchval(queries.probe_stored, body):
        raise Failed("another_hub")
    return {}


def tls_context(ca_file: str | None) -> ssl.SSLContext:
    """What a stranger trusts, and `ca_file` beside it when it is given. Raises Failed when it cannot be read."""
    context = ssl.create_default_context()
    if ca_file:
        try:
            context.load_verify_locations(ca_file)
        except (OSError, ssl.SSLError) as error:
            raise Failed("ca_file", file=ca_file, why=str(error)) from error
    return context


def _signed(body: bytes, secret: str) -> dict[str, str]:
    made = hmac.new(secret.encode(), body, "sha256").hexdigest()
    return {"X-Hub-Signature-256": f"sha256={made}", "Content-Type": "application/json"}


async def _resolve(host: str, port: int) -> list[str]:
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Failed("name_unknown", host=host) from error
    return [str(one[4][0]).partition("%")[0] for one in found]


async def _certificate(host: str, port: int, context: ssl.SSLContext) -> datetime:
    """Until when the certificate holds. Raises Failed saying what is wrong with it."""
    try:
        async with asyncio.timeout(WITHIN_S):
            _, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        raise Failed(_CERTIFICATE.get(error.verify_code, "certificate_wrong"), why=error.verify_message) from error
    except ssl.SSLError as error:
        raise Failed("no_tls", why=error.reason or str(error)) from error
    except (OSError, TimeoutError) as error:
        raise Failed("unreachable", why=type(error).__name__) from error
    certificate: dict[str, Any] = writer.get_extra_info("peercert")
    writer.close()
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC)


async def _call(setup: Setup, method: str, **arguments: Any) -> tuple[int, str]:
    """Status and text of a call to our address; redirects are not followed, since Meta follows none."""
    timeout = aiohttp.ClientTimeout(total=WITHIN_S)
    context = tls_context(setup.answers.ca_file)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.request(method, setup.webhook_url(), ssl=context, allow_redirects=False, **arguments) as answer,
        ):
            return answer.status, (await answer.content.read(10_000)).decode(errors="replace")
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise Failed("unreachable", why=type(error).__name__) from error
