"""What the steps of connecting work with: answers of the operator, what Meta said so far, and how a step fails."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from yarl import URL

from hub_api.platform.services import Services
from hub_api.whatsapp.send.meta import MetaClient, NotAccepted, OutcomeUnknown, RejectedByMeta

Facts = dict[str, Any]
Ask = Callable[[str], str | None]

WEBHOOK_PATH = "/webhooks/whatsapp"


class Failed(Exception):
    """A step did not pass: `code` leads to what is said and to the remedy, `facts` fill both."""

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.code, self.facts = code, facts


@dataclass(slots=True)
class Answers:
    """What the operator said, by flag, environment or prompt. None: not said."""

    token: str | None = None
    waba_id: str | None = None
    portfolio_id: str | None = None
    phone_number_id: str | None = None
    url: str | None = None
    pin: str | None = None
    test_to: str | None = None
    template: str | None = None
    ca_file: str | None = None
    override_callback: bool = False
    message_within_s: float = 120.0


@dataclass(slots=True)
class Setup:
    """One run. `token_data`, `waba`, `number` are what Meta answered; `account_id`, `number_id` our rows of them."""

    services: Services
    client: MetaClient
    answers: Answers
    ask: Ask
    token_data: Facts = field(default_factory=dict)
    waba: Facts = field(default_factory=dict)
    number: Facts = field(default_factory=dict)
    account_id: UUID | None = None
    number_id: UUID | None = None

    @property
    def simulated(self) -> bool:
        """Whether Meta is a simulator on this machine: then the hub's address need be neither public nor HTTPS."""
        return URL(self.services.settings.meta_base_url).host in ("127.0.0.1", "localhost", "::1")

    def need(self, name: str) -> str:
        """An answer, asked for when it was not given. Raises Failed when nobody can be asked."""
        value = getattr(self.answers, name) or self.ask(name)
        if not value:
            raise Failed("needs_value", flag=FLAGS[name])
        setattr(self.answers, name, value.strip())
        return value.strip()

    def webhook_url(self) -> str:
        """The address that Meta calls: what the operator gave, with our path when it names none."""
        url = URL(self.need("url"))
        return str(url if url.path not in ("", "/") else url.with_path(WEBHOOK_PATH))

    async def get(self, path: str, **query: str) -> Facts:
        """Read from Meta with the operator's token. Raises Failed."""
        return await said(self.client.get(path, self.need("token"), **query))

    async def post(self, path: str, body: Facts) -> Facts:
        """Change something at Meta with the operator's token. Raises Failed."""
        return await said(self.client.change("POST", path, self.need("token"), body))


FLAGS = {
    "token": "HUB_META_TOKEN",
    "waba_id": "--waba-id",
    "portfolio_id": "--portfolio-id",
    "phone_number_id": "--phone-number-id",
    "url": "--url",
    "pin": "--pin",
    "test_to": "--test-to",
    "template": "--template",
}


async def said(call: Awaitable[Facts]) -> Facts:
    """Meta's answer. Raises Failed with its code and words, or `meta_unreachable`."""
    try:
        return await call
    except RejectedByMeta as error:
        refusal = error.refusal
        raise Failed(
            "meta_refused", meta_code=refusal.code, subcode=refusal.subcode, words=refusal.details or refusal.title
        ) from error
    except (NotAccepted, OutcomeUnknown) as error:
        raise Failed("meta_unreachable", why=error.message) from error
