"""How a simulator starts; everything here can be changed while it runs, over `/_sim/`."""

import os
from dataclasses import dataclass

WABA_ID = "102290000000001"
PORTFOLIO_ID = "111000000000001"
PHONE_NUMBER_ID = "106540000000001"
DISPLAY_PHONE_NUMBER = "551130001000"
APP_ID = "100000000000001"
TOKEN = "sim-token"  # noqa: S105 - a simulator's well-known token, good for nothing else

ALL_LIMITS = frozenset(
    {
        "throughput",  # 80, 1,000 or 20 messages a second per number, in and out (130429)
        "pair",  # one message in 6 s to the same user, bursts of 45 (131056)
        "portfolio",  # unique users outside the window in 24 h (no code: accepted and lost)
        "window",  # free-form only within 24 h of the user's last message (131047)
        "blocks",  # the user blocked the business (131026), or is not on WhatsApp (131026)
        "opt_out",  # the user stopped marketing messages (131050)
        "marketing_cap",  # Meta's cap of marketing per user (131049)
        "payment",  # no payment method (131042)
        "management",  # 5,000 management calls an hour, 100 template creations an hour (80007)
    }
)

# Checked when the message is on its way, so they come as a failed status and the call itself answers 200.
ASYNCHRONOUS_CODES = frozenset({130472, 131026, 131042, 131047, 131048, 131049, 131050})


@dataclass(frozen=True, slots=True)
class SimulatorConfig:
    """What `Simulator` and `run` need to know. Times in simulated seconds; the clock runs `speed` times real time."""

    token: str = TOKEN
    app_secret: str = ""
    verify_token: str = ""
    webhook_url: str | None = None  # None or empty: webhooks are counted as dropped
    enforce_limits: frozenset[str] = ALL_LIMITS
    asynchronous_codes: frozenset[int] = ASYNCHRONOUS_CODES
    numbers: int = 1  # consecutive phone_number_ids and display numbers from the known ones
    accounts: int = 1  # consecutive WABA ids; number n belongs to account n modulo accounts
    portfolios: int = 1  # consecutive ids; account n belongs to portfolio n modulo portfolios
    levels: tuple[int, ...] = (80,)  # messages a second of number n: level n modulo their count
    tiers: tuple[str, ...] = ("TIER_UNLIMITED",)  # messaging limit of portfolio n, alike
    speed: float = 1.0
    start_at: float | None = None  # Unix time; None: now
    seed: int = 1
    auto_users: bool = True  # a phone nobody registered is a person with the defaults; else 131026
    hidden_phone: str = "mixed"  # how a phone that is not shared looks: "omit", "empty" or "mixed"
    template_review_s: float = 30.0
    keep_calls: int = 20_000
    keep_messages: int = 50_000
    keep_accepted: int = 1_000_000
    keep_media_bytes: int = 256 * 1024 * 1024
    max_users: int = 1_000_000

    @classmethod
    def from_env(cls) -> "SimulatorConfig":
        """The stack's settings: HUB_SIM_TOKEN, HUB_SIM_WEBHOOK_URL, HUB_SIM_NUMBERS, HUB_SIM_ACCOUNTS,
        HUB_SIM_PORTFOLIOS, HUB_SIM_LEVELS and HUB_SIM_TIERS (lists with commas), HUB_SIM_SPEED, HUB_META_APP_SECRET,
        HUB_META_VERIFY_TOKEN. Raises ValueError naming a secret that is missing."""
        missing = [n for n in ("HUB_META_APP_SECRET", "HUB_META_VERIFY_TOKEN") if not os.environ.get(n)]
        if missing:
            raise ValueError(f"set {' and '.join(missing)}: the simulator signs webhooks as the hub checks them")
        return cls(
            token=os.environ.get("HUB_SIM_TOKEN", TOKEN),
            app_secret=os.environ["HUB_META_APP_SECRET"],
            verify_token=os.environ["HUB_META_VERIFY_TOKEN"],
            webhook_url=os.environ.get("HUB_SIM_WEBHOOK_URL", "http://127.0.0.1:8000/webhooks/whatsapp"),
            numbers=int(os.environ.get("HUB_SIM_NUMBERS", "1")),
            accounts=int(os.environ.get("HUB_SIM_ACCOUNTS", "1")),
            portfolios=int(os.environ.get("HUB_SIM_PORTFOLIOS", "1")),
            levels=tuple(int(level) for level in os.environ.get("HUB_SIM_LEVELS", "80").split(",")),
            tiers=tuple(os.environ.get("HUB_SIM_TIERS", "TIER_UNLIMITED").split(",")),
            speed=float(os.environ.get("HUB_SIM_SPEED", "1")),
        )
