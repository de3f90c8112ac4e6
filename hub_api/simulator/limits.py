"""Rates and windows, as §4.1 and §4.3 of Meta's pages on throughput, pair rate and messaging limits put them."""

from hub_api.simulator.model import NEVER, TIERS, Number, Pair, Portfolio, User

DAY_S = 86_400.0
WINDOW_S = DAY_S
FREE_ENTRY_S = 72 * 3_600.0
PAIR_SPACING_S = 6.0
PAIR_BURST = 45
COEXISTENCE_MPS = 20
PHONE_SHARED_S = 30 * DAY_S


def take_throughput(number: Number, now: float, *, inbound: bool = False) -> bool:
    """Take one message from the number's second. Inbound traffic always passes and uses up what sends would have,
    down to a debt of one second."""
    mps = COEXISTENCE_MPS if number.coexistence else number.mps
    tokens = min(float(mps), number.tokens + max(0.0, now - number.tokens_at) * mps)
    number.tokens_at = now
    if inbound:
        number.tokens = max(tokens - 1.0, -float(mps))
        return True
    number.tokens = tokens - 1.0 if tokens >= 1.0 else tokens
    return tokens >= 1.0


def take_pair(pair: Pair, now: float) -> bool:
    """One message in 6 s from a number to a user. Up to 45 may go within 6 s; then the pair waits as long as they
    would have taken one by one (20 messages: two minutes)."""
    if now >= pair.burst_at + PAIR_SPACING_S * pair.burst_count:
        pair.burst_at, pair.burst_count = now, 1
        return True
    if now < pair.burst_at + PAIR_SPACING_S and pair.burst_count < PAIR_BURST:
        pair.burst_count += 1
        return True
    return False


def window_open(pair: Pair, now: float) -> bool:
    """True within 24 h of the user's last message or call to the number."""
    return now - pair.wrote_at < WINDOW_S


def free_entry_until(pair: Pair, now: float) -> float:
    """End of the running free entry point, or 0. The first answer within 24 h of a message from an ad opens 72 h; an
    answer to another ad opens them anew."""
    came_at, pair.ad_at = pair.ad_at, NEVER
    if now - came_at < WINDOW_S:
        pair.free_entry_until = now + FREE_ENTRY_S
    return pair.free_entry_until if pair.free_entry_until > now else 0.0


def take_portfolio(portfolio: Portfolio, user_key: str, now: float) -> bool:
    """Count a user messaged outside a window; False when that would be one more than the tier allows in 24 h."""
    messaged = portfolio.messaged
    while messaged and now - next(iter(messaged.values())) >= DAY_S:
        messaged.popitem(last=False)
    limit = TIERS[portfolio.tier]
    if user_key not in messaged and limit is not None and len(messaged) >= limit:
        return False
    messaged[user_key] = now
    messaged.move_to_end(user_key)
    return True


def phone_visible(user: User, number_id: str, now: float) -> bool:
    """Whether this number's webhooks show the user's phone: no username, or traffic on the phone within 30 days."""
    if user.hides_phone:
        return False
    return not user.username or now - user.pair(number_id).phone_used_at < PHONE_SHARED_S
