"""SMS by HTTP to HUB_SMS_URL: Twilio's API, or a generic one.

`twilio://ACCOUNT_SID:AUTH_TOKEN@api.twilio.com?from=+15005550006` (`twilio+http://` without TLS, for the simulator) posts
the form To, From, Body to `/2010-04-01/Accounts/{sid}/Messages.json` with basic authentication. `http(s)://…` is posted
the JSON {"to": "+55…", "text": "…"}; a user name and password in it become basic authentication.
"""

from urllib.parse import parse_qs, unquote, urlsplit

import aiohttp

from hub_api.errors import HubError
from hub_api.settings import Settings

TIMEOUT = aiohttp.ClientTimeout(total=20)


class SmsRefused(HubError):
    """The provider did not take the message, or none is set."""

    code, retryable = "sms_refused", True


async def send(settings: Settings, to: str, text: str) -> None:
    """Hand one message to the provider. Raises SmsRefused, or OSError when it is away."""
    if settings.sms_url is None:
        raise SmsRefused("no SMS can leave: set HUB_SMS_URL")
    parts = urlsplit(settings.sms_url.get_secret_value())
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    headers = {"Authorization": aiohttp.encode_basic_auth(user, password)} if user else None
    host = parts.netloc.rpartition("@")[2]
    async with aiohttp.ClientSession(timeout=TIMEOUT, headers=headers) as session:
        if parts.scheme.startswith("twilio"):
            scheme = "http" if parts.scheme == "twilio+http" else "https"
            sender = parse_qs(parts.query).get("from", [""])[0].strip()
            if sender.isdecimal():
                sender = f"+{sender}"  # a + in a query is a space
            url = f"{scheme}://{host}/2010-04-01/Accounts/{user}/Messages.json"
            form = {"To": to, "From": sender, "Body": text}
            request = session.post(url, data=form, allow_redirects=False)
        else:
            query = f"?{parts.query}" if parts.query else ""
            url = f"{parts.scheme}://{host}{parts.path}{query}"
            request = session.post(url, json={"to": to, "text": text}, allow_redirects=False)
        try:
            async with request as response:
                if response.status >= 300:
                    raise SmsRefused(f"the SMS provider answered {response.status}")
        except (aiohttp.ClientError, TimeoutError) as error:
            raise SmsRefused(f"the SMS provider did not answer: {type(error).__name__}") from error
