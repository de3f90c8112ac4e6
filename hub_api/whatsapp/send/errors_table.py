"""Meta's error codes as data: whether a retry can help, and what else a refusal tells us to do.

Source: §5 of Meta's page on Cloud API error codes, with what public projects observed. `retry` is about the message:
BACKOFF puts it back with a growing delay, `tries` times; LATER puts it back until the cause has cleared: a
pause holds it, or it is tried once an hour; NEVER fails it. `pause`, `consent` and the rest are about everybody else's messages.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Retry(StrEnum):
    """Whether sending the same message again can succeed."""

    BACKOFF = "backoff"
    LATER = "later"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Backoff:
    """Delay before attempt n+1: `base_s` * `factor`^(n-1), at most `cap_s`, give or take a quarter; `tries` retries."""

    base_s: float = 2.0
    factor: float = 2.0
    cap_s: float = 300.0
    tries: int = 30


@dataclass(frozen=True, slots=True)
class Pause:
    """Stops an account or a number: it takes `state`, `for_s` seconds, or until a person has repaired the cause."""

    what: Literal["number", "account"]
    state: str
    for_s: int | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """Stops messages of one category on an account or a number for `for_s` seconds; a number becomes `limited`."""

    what: Literal["number", "account"]
    category: str
    for_s: int


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table. `template_status`: what our copy of the template becomes. `slow_s`: the number's bucket
    gives nothing for so long. `strike`: counts towards "not reachable on WhatsApp". `alert`: somebody must look."""

    meaning: str
    retry: Retry
    backoff: Backoff = Backoff()
    pause: Pause | None = None
    hold: Hold | None = None
    consent: Literal["opt_out", "suppress_marketing"] | None = None
    template_status: str | None = None
    slow_s: float = 0.0
    strike: bool = False
    alert: bool = False


B, L, N = Retry.BACKOFF, Retry.LATER, Retry.NEVER
MINUTE, HOUR, DAY = 60, 3600, 86_400
THREE = Backoff(tries=3)
HOURLY = Backoff(base_s=HOUR, cap_s=HOUR, tries=24)

_ROWS: tuple[tuple[tuple[int, ...], Rule], ...] = (
    ((0, 190), Rule("access token invalid or expired", L, pause=Pause("account", "paused"), alert=True)),
    (
        (3, 10, *range(200, 300), 131005),
        Rule("capability or permission missing", L, pause=Pause("account", "paused"), alert=True),
    ),
    ((1,), Rule("invalid request or server error", B, THREE)),
    ((2, 131016, 133004), Rule("service unavailable or overloaded", B)),
    ((4,), Rule("app call limit", B, Backoff(base_s=30))),
    ((80007,), Rule("rate limit of the account", B, pause=Pause("account", "paused", 5 * MINUTE))),
    ((33,), Rule("number deleted or unknown id", N, pause=Pause("number", "offline"), alert=True)),
    ((100,), Rule("bad parameter", N)),
    ((368, 131031), Rule("account restricted or locked", N, pause=Pause("account", "restricted"), alert=True)),
    ((130403,), Rule("we blocked this user", N)),
    ((130429,), Rule("throughput of the number reached", B, Backoff(base_s=1, cap_s=30), slow_s=1.0)),
    ((130472,), Rule("user takes part in an experiment of Meta", N)),
    ((130497,), Rule("business category not allowed in the country", N, alert=True)),
    ((131000,), Rule("unknown failure at Meta", B, THREE)),
    ((131008, 131009), Rule("parameter missing or invalid", N)),
    ((131021,), Rule("sender is the recipient", N)),
    ((131026,), Rule("undeliverable: not on WhatsApp, old app, or blocked", N, strike=True)),
    ((131030,), Rule("recipient is not on the test number's list", N)),
    ((131037,), Rule("display name not approved", L, pause=Pause("number", "paused", HOUR), alert=True)),
    ((131042,), Rule("payment problem", L, pause=Pause("account", "paused", 30 * MINUTE), alert=True)),
    ((131045, 133010), Rule("number not registered", L, pause=Pause("number", "paused", HOUR), alert=True)),
    ((131047,), Rule("24 h window closed: only a template may go", N)),
    (
        (131048,),
        Rule("spam restriction", L, HOURLY, hold=Hold("number", "marketing", DAY), alert=True),
    ),
    ((131049,), Rule("marketing cap of this user", N, consent="suppress_marketing")),
    ((131050,), Rule("user stopped marketing", N, consent="opt_out")),
    ((131051,), Rule("unsupported message type", N)),
    ((131052,), Rule("user's media cannot be downloaded", N)),
    ((131053,), Rule("our media rejected", N)),
    ((131055, 134100), Rule("not a marketing template", N)),
    ((131056,), Rule("pair rate: too much to one user", B, Backoff(base_s=1, factor=4, cap_s=256, tries=8))),
    (
        (131057, 2494100),
        Rule("number under maintenance", B, Backoff(base_s=60), pause=Pause("number", "paused", MINUTE)),
    ),
    ((131060,), Rule("message unavailable", N)),
    ((131062,), Rule("this message needs a phone number, not a BSUID", N)),
    (
        (131063,),
        Rule("marketing disabled", L, HOURLY, hold=Hold("account", "marketing", HOUR), alert=True),
    ),
    (
        (131064,),
        Rule("templates misclassified", L, HOURLY, hold=Hold("account", "utility", DAY), alert=True),
    ),
    ((132000, 132012, 132018), Rule("template parameters: count or format", N)),
    ((132001,), Rule("template or language missing or not approved", N, template_status="NOT_FOUND", alert=True)),
    ((132005,), Rule("text too long once filled in", N)),
    ((132007,), Rule("template breaks content policy", N, template_status="DISABLED", alert=True)),
    ((132008,), Rule("template parameter value invalid", N)),
    ((132015,), Rule("template paused", L, HOURLY, template_status="PAUSED", alert=True)),
    ((132016,), Rule("template disabled", N, template_status="DISABLED", alert=True)),
    ((132068,), Rule("flow blocked", N, alert=True)),
    ((132069,), Rule("flow throttled: 10 messages an hour", L, Backoff(base_s=6 * MINUTE, cap_s=HOUR))),
    (
        (133000, 133005, 133006, 133008, 133009, 133015, 133016),
        Rule("registration of the number incomplete", L, pause=Pause("number", "paused"), alert=True),
    ),
    ((134011,), Rule("payments terms pending", L, HOURLY, alert=True)),
    ((134101,), Rule("template is syncing", B, Backoff(base_s=10 * MINUTE, cap_s=HOUR, tries=6))),
    ((134102,), Rule("template unavailable", L, HOURLY, alert=True)),
    ((135000,), Rule("generic parameter error", N)),
    ((137000,), Rule("identity hash mismatch: verify the customer again", N)),
    (
        (*range(138000, 139000), *range(139100, 139104), *range(147001, 147006)),
        Rule("error of another feature (calls, block list, usernames)", N),
    ),
)

RULES: dict[int, Rule] = {code: rule for codes, rule in _ROWS for code in codes}
UNKNOWN = Rule("a code the table does not know", B, Backoff(tries=1), alert=True)
# Our own: nothing reached Meta. Tried for about a day, since an outage of a line is no fault of the message.
NO_CONNECTION = Rule("no connection to Meta", B, Backoff(base_s=1, tries=300))

OBJECT_MISSING_SUBCODE = 33


def rule_for(code: int, subcode: int | None = None) -> Rule:
    """The row of a code. Graph words a missing object as code 100 with subcode 33: that is row 33."""
    if code == 100 and subcode == OBJECT_MISSING_SUBCODE:
        return RULES[33]
    return RULES.get(code, UNKNOWN)


def delay_s(rule: Rule, attempt: int, spread: float) -> float | None:
    """Seconds before the message of `attempt` calls (1 or more) may be called again; None: fail it.

    `spread` is random in 0..1: the delay varies by a quarter either way, so that retries do not come in step.
    """
    if rule.retry is Retry.NEVER:
        return None
    backoff = rule.backoff
    if rule.retry is Retry.LATER and rule.pause is not None:
        return 0.0  # the pause keeps it where it is
    if attempt > backoff.tries:
        return None
    exact = min(backoff.base_s * backoff.factor ** min(attempt - 1, 60), backoff.cap_s)
    return exact * (0.75 + 0.5 * spread)
