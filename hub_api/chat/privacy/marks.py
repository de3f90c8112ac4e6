"""By what a person is found in a store: identities, wamids, names. Encrypted in the erasure's row while it is under way."""

import base64
from dataclasses import dataclass

import orjson

from hub_api.chat import phone
from hub_api.chat.identities import Identity
from hub_api.platform import crypto

_MOBILE_DIGITS = 13  # with country, area and the ninth digit


@dataclass(frozen=True, slots=True)
class Marks:
    """All that was collected so far; `|` joins two collections."""

    identities: frozenset[Identity] = frozenset()
    wamids: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()

    def __or__(self, other: "Marks") -> "Marks":
        return Marks(self.identities | other.identities, self.wamids | other.wamids, self.names | other.names)

    def numbers(self) -> list[str]:
        """The person's phones in every way in which WhatsApp writes them, without plus."""
        held = [one.value for one in self.identities if one.kind in ("phone", "wa_id")]
        return sorted({*(number.removeprefix("+") for number in held), *(v for n in held for v in phone.variants(n))})

    def phones(self) -> list[str]:
        """The person's phones as we write them: E.164 with the ninth digit."""
        return sorted(one.value for one in self.identities if one.kind == "phone")

    def words(self) -> list[str]:
        """Texts that no row about somebody else holds: phones, BSUIDs, and phones as they stand inside a wamid."""
        inside = [base64.b64encode(n.encode()[: len(n) // 3 * 3]).decode() for n in self.numbers()]
        ids = [one.value for one in self.identities if one.kind in ("bsuid", "parent_bsuid")]
        # As operators write a mobile at home; shorter forms may stand in anybody's digits.
        national = [n[2:] for n in self.numbers() if n.startswith("55") and len(n) == _MOBILE_DIGITS]
        return sorted({*self.numbers(), *ids, *inside, *national})


def seal(secret_key: str, marks: Marks) -> bytes:
    """Encrypted, for the erasure's row."""
    plain = {
        "identities": [list(one) for one in sorted(marks.identities)],
        "wamids": sorted(marks.wamids),
        "names": sorted(marks.names),
    }
    return crypto.encrypt(secret_key, orjson.dumps(plain).decode())


def unseal(secret_key: str, sealed: bytes | None) -> Marks:
    """The marks of `seal`; none of nothing. Raises BadKey."""
    if sealed is None:
        return Marks()
    plain = orjson.loads(crypto.decrypt(secret_key, sealed))
    identities = frozenset(Identity(*one) for one in plain["identities"])
    return Marks(identities, frozenset(plain["wamids"]), frozenset(plain["names"]))
