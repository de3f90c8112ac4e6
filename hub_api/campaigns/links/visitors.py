"""Who opens a link: a person, or a program that looks at it before he does. Only people are counted."""

import re
from collections.abc import Mapping

# Fetchers of link previews (WhatsApp's own, Facebook's for it), scanners of mail and messages, crawlers, libraries, monitors.
_PROGRAM = re.compile(
    r"^$|^whatsapp/|facebookexternalhit|facebookcatalog|meta-external|telegrambot|twitterbot|slackbot|discordbot|skypeuripreview"
    r"|linkedinbot|google-(safety|inspection)|googleimageproxy|bingpreview|microsoftpreview|safelinks|proofpoint|barracuda"
    r"|(?<!cu)bot\b|crawl|spider|preview|scanner|monitor|headless|phantomjs|lighthouse"
    r"|^(curl|wget|python|java|go-http-client|okhttp|axios|node|ruby|php|libwww|apache-httpclient|postman|insomnia)",
    re.IGNORECASE,
)


def is_program(method: str, headers: Mapping[str, str]) -> bool:
    """Whether the request is a look by a program: its name, a HEAD, or a browser that loads ahead (Sec-Purpose)."""
    purpose = " ".join(headers.get(name, "") for name in ("sec-purpose", "purpose", "x-purpose", "x-moz")).lower()
    if method == "HEAD" or "prefetch" in purpose or "preview" in purpose:
        return True
    return _PROGRAM.search(headers.get("user-agent", "").strip()) is not None
