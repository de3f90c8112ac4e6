"""The one simulated platform: its records, clock, chances, limits in force, and the way out for webhooks."""

import asyncio
from collections import Counter, OrderedDict
from random import Random
from typing import Any

from hub_api.simulator.behaviour import Behaviour, Prompt
from hub_api.simulator.clock import Clock, Timeline
from hub_api.simulator.config import ALL_LIMITS, SimulatorConfig
from hub_api.simulator.delivery import Delivery, Update
from hub_api.simulator.faults import Faults, GraphFaults, MediaFaults
from hub_api.simulator.ledger import Ledger
from hub_api.simulator.model import App, Media, Number, Outbound, Waba
from hub_api.simulator.payload import People
from hub_api.simulator.planted import Planted
from hub_api.simulator.post import Post
from hub_api.simulator.world import World


class Core:
    """State shared by the API, the control API and the players; everything runs in one event loop."""

    def __init__(self, config: SimulatorConfig, behaviour: Behaviour | None = None) -> None:
        self.config = config
        self.behaviour: Behaviour = behaviour or Prompt()
        self.clock = Clock(config.speed, config.start_at)
        self.timeline = Timeline(self.clock)
        self.rng = Random(config.seed)
        self.people = People(config.hidden_phone)
        self.token = config.token
        self.webhook_url = config.webhook_url
        self.verify_token = config.verify_token
        self.delivery = Delivery(self.clock, self.timeline, config.app_secret, Random(config.seed + 1))
        self.faults = Faults()
        self.media_faults = MediaFaults()
        self.graph_faults = GraphFaults()
        self.planted: dict[str, Planted] = {}  # by template
        self.ledger = Ledger(config.keep_calls, config.keep_accepted)
        self.post = Post()
        self._start_records()

    def _start_records(self) -> None:
        self.world = World(self.config)
        self.app = App()
        self.enforced = set(self.config.enforce_limits)
        self.asynchronous_codes = set(self.config.asynchronous_codes)
        self.messages: OrderedDict[str, Outbound] = OrderedDict()
        self.events: Counter[str] = Counter()  # what happened, by name: statuses, inbound messages, losses

    def reset(self) -> None:
        """Back to the start: records, counters, faults and plans go; addresses, secrets and knobs stay."""
        self.timeline.clear()
        self.delivery.clear()
        self.faults.remove()
        self.media_faults.rules.clear()
        self.graph_faults.rules.clear()
        self.planted.clear()
        self.ledger.clear()
        self._start_records()

    def enforces(self, limit: str) -> bool:
        """Whether a limit is in force."""
        return limit in self.enforced

    def set_limits(self, limits: list[str]) -> None:
        """Enforce exactly these. Raises ValueError on an unknown name."""
        unknown = set(limits) - ALL_LIMITS
        if unknown:
            raise ValueError(f"unknown limits {', '.join(sorted(unknown))}: use {', '.join(sorted(ALL_LIMITS))}")
        self.enforced = set(limits)

    def keep(self, message: Outbound) -> None:
        """Remember an accepted message; the oldest leave."""
        self.messages[message.wamid] = message
        if len(self.messages) > self.config.keep_messages:
            self.messages.popitem(last=False)

    def find_media(self, media_id: str) -> Media | None:
        """A file that has not expired."""
        media = self.world.media.get(media_id)
        return media if media is not None and media.expires_at > self.clock.now() else None

    def address_for(self, number: Number) -> str | None:
        """Where this number's webhooks go: number override, account override, app; None when nobody subscribed."""
        if not number.waba.subscribed:
            return None
        return number.webhook_override or number.waba.webhook_override or self.webhook_url

    def tell(self, number: Number, field: str, value: dict[str, Any]) -> None:
        """Send a webhook about one of the numbers."""
        self.delivery.put(self.address_for(number), Update(number.waba.id, field, value))

    def tell_account(self, waba: Waba, field: str, value: dict[str, Any]) -> None:
        """Send a management webhook of an account."""
        url = (waba.webhook_override or self.webhook_url) if waba.subscribed else None
        self.delivery.put(url, Update(waba.id, field, value, timed=True))

    async def settled(self, timeout_s: float = 10.0) -> None:
        """Wait until nothing is coming, waiting or in flight. Raises TimeoutError with what is left."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        while self.timeline.coming() or self.delivery.moving:
            if asyncio.get_running_loop().time() > deadline:
                raise TimeoutError(
                    f"{len(self.timeline)} planned, {self.delivery.pending} webhooks pending after {timeout_s} s; "
                    f"last failure: {self.delivery.last_failure or 'none'}"
                )
            await asyncio.sleep(0.005)
