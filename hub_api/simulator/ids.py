"""Identifiers shaped like Meta's: message ids, business-scoped user ids, trace ids; and Brazilian phone forms."""

import base64
import hashlib
from random import Random

OUTBOUND, INBOUND = b"\x11", b"\x12"
NINTH_DIGIT_KEPT_BELOW_DDD = 31  # observed: numbers of older accounts in DDD 31 and above often lack the 9 in wa_id


def wamid(address: str, rng: Random, direction: bytes = OUTBOUND) -> str:
    """A message id: base64 of a small binary frame with the user's address (phone digits, or BSUID) and a random part."""
    raw_address = address.encode()
    frame = b"\x1c\x18%c%b\x15\x02\x00%b\x18\x14%020X\x00" % (
        len(raw_address),
        raw_address,
        direction,
        rng.getrandbits(80),
    )
    return "wamid." + base64.b64encode(frame).decode()


def bsuid(portfolio_id: str, phone: str, generation: int = 0) -> str:
    """The business-scoped user id of a phone in a portfolio; a new generation is what a change of number gives."""
    digest = hashlib.blake2b(f"{portfolio_id}:{phone}:{generation}".encode(), digest_size=8).digest()
    country = "BR" if phone.startswith("55") else "US"
    return f"{country}.{1_000_000_000_000_000 + int.from_bytes(digest) % 9_000_000_000_000_000}"


def is_bsuid(address: str) -> bool:
    """True for `CC.` or `CC.ENT.` and up to 128 letters or digits."""
    country, dot, rest = address.partition(".")
    rest = rest.removeprefix("ENT.")
    return bool(dot) and len(country) == 2 and country.isalpha() and rest.isalnum() and len(rest) <= 128


def fbtrace_id(rng: Random) -> str:
    """The id Meta puts into error bodies and asks for in support tickets."""
    return "A" + base64.urlsafe_b64encode(rng.randbytes(16)).decode().rstrip("=")


def conversation_id(message_id: str) -> str:
    """The id of the conversation a message belongs to (statuses carry it in a free entry point only)."""
    return hashlib.blake2b(message_id.encode(), digest_size=16).hexdigest()


def canonical_phone(digits: str) -> str:
    """Brazilian mobiles with their ninth digit; every other number as it is."""
    if len(digits) == 12 and digits.startswith("55") and digits[4] in "6789":
        return f"{digits[:4]}9{digits[4:]}"
    return digits


def default_wa_id(phone: str) -> str:
    """The wa_id Meta would return: some accounts of DDD 31 and above were registered before the ninth digit and keep
    the short form. Which ones follows from the number alone, so it is the same in every run."""
    is_mobile = len(phone) == 13 and phone.startswith("55") and phone[4] == "9"
    if is_mobile and int(phone[2:4]) >= NINTH_DIGIT_KEPT_BELOW_DDD and int(phone[-2:]) < 70:
        return phone[:4] + phone[5:]
    return phone
