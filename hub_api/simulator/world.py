"""The simulated platform's records: who exists, by every id they are asked for."""

import base64
import hashlib
import itertools
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from hub_api.simulator import ids
from hub_api.simulator.config import DISPLAY_PHONE_NUMBER, PHONE_NUMBER_ID, PORTFOLIO_ID, WABA_ID, SimulatorConfig
from hub_api.simulator.defaults import default_templates
from hub_api.simulator.model import TIERS, Media, Number, Portfolio, Template, User, Waba


@dataclass(frozen=True, slots=True)
class NewUser:
    """A user to register; what is not given follows from the phone (E.164 digits, with the ninth digit).

    `username` hides the phone after 30 days without traffic on it, `hides_phone` always (the BSUID-only user).
    """

    phone: str
    name: str = ""
    bsuid: str = ""
    wa_id: str = ""
    username: str = ""
    hides_phone: bool = False
    on_whatsapp: bool = True
    read_receipts: bool = True
    marketing_cap: bool = False
    in_experiment: bool = False
    identity_hash: str = ""
    traits: dict[str, Any] = field(default_factory=dict)
    wrote_at: dict[str, float] = field(default_factory=dict)  # phone_number_id -> when they last wrote to it, Unix time


class World:
    """Portfolios, accounts, numbers, templates, media and users; dictionaries by id, bounded where others add to them."""

    def __init__(self, config: SimulatorConfig) -> None:
        if unknown := set(config.tiers) - TIERS.keys():
            raise ValueError(f"unknown tiers {', '.join(sorted(unknown))}: use {', '.join(TIERS)}")
        self._config = config
        self._media_ids = itertools.count(1_337_000_000_000_001)
        self._template_ids = itertools.count(1_689_556_908_120_001)
        self._media_bytes = 0
        portfolios = [
            Portfolio(_following(PORTFOLIO_ID, n), tier=config.tiers[n % len(config.tiers)])
            for n in range(config.portfolios)
        ]
        wabas = [Waba(_following(WABA_ID, n), portfolios[n % config.portfolios]) for n in range(config.accounts)]
        self.portfolios = {portfolio.id: portfolio for portfolio in portfolios}
        self.wabas = {waba.id: waba for waba in wabas}
        self.numbers: dict[str, Number] = {}
        self.templates: dict[str, Template] = {}
        self.media: OrderedDict[str, Media] = OrderedDict()
        self.users: OrderedDict[str, User] = OrderedDict()  # by canonical phone
        self._by_bsuid: dict[str, User] = {}
        for n in range(config.numbers):
            self.add_number(
                Number(
                    id=_following(PHONE_NUMBER_ID, n),
                    display=_following(DISPLAY_PHONE_NUMBER, n),
                    waba=wabas[n % config.accounts],
                    mps=config.levels[n % len(config.levels)],
                )
            )
        for waba in wabas:
            for fields in default_templates():
                self.add_template(waba, **fields)

    def add_number(self, number: Number) -> Number:
        """Register a business number with a full second of throughput."""
        number.tokens = float(number.mps)
        self.numbers[number.id] = number
        return number

    def add_template(self, waba: Waba, **fields: Any) -> Template:
        """Create a template under a new id; replaces the one of the same name and language."""
        template = Template(id=str(next(self._template_ids)), **fields)
        self.templates[template.id] = template
        waba.templates[(template.name, template.language)] = template
        return template

    def waba_of(self, template: Template) -> Waba:
        """The account that owns a template."""
        return next(w for w in self.wabas.values() if w.templates.get((template.name, template.language)) is template)

    def add_media(self, number_id: str, content: bytes, mime_type: str, expires_at: float, filename: str = "") -> Media:
        """Keep a file; the oldest ones leave when all together pass `keep_media_bytes`."""
        digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
        media = Media(str(next(self._media_ids)), number_id, mime_type, digest, content, expires_at, filename)
        self.media[media.id] = media
        self._media_bytes += len(content)
        while self._media_bytes > self._config.keep_media_bytes and len(self.media) > 1:
            self.remove_media(next(iter(self.media)))
        return media

    def remove_media(self, media_id: str) -> bool:
        """Forget a file; False when it is not there."""
        media = self.media.pop(media_id, None)
        if media is None:
            return False
        self._media_bytes -= len(media.content)
        return True

    def register(self, users: Iterable[NewUser]) -> list[User]:
        """Add people, or renew what is known of those with the same phone: what has passed between them and the business
        (windows, blocks, wishes) stays. Raises ValueError on a phone that is not digits."""
        return [self._add_user(new) for new in users]

    def user_by_phone(self, digits: str) -> User | None:
        """The user of a phone in any of its forms; with `auto_users` a plausible phone nobody registered is one."""
        phone = ids.canonical_phone(digits)
        user = self.users.get(phone)
        if user is None and self._config.auto_users and 8 <= len(phone) <= 15:
            return self._add_user(NewUser(phone))
        return user

    def user_by_bsuid(self, value: str, portfolio_id: str) -> User | None:
        """The user behind a business-scoped id of this portfolio; ids of other portfolios are nobody here."""
        user = self._by_bsuid.get(value)
        return user if user is not None and user.bsuids.get(portfolio_id) == value else None

    def find_user(self, address: str) -> User | None:
        """A user by phone in any form, wa_id or BSUID of any portfolio."""
        return self._by_bsuid.get(address) or self.user_by_phone(address.lstrip("+"))

    def change_number(self, user: User, phone: str) -> tuple[dict[str, str], str]:
        """Move a user to another phone, which regenerates the BSUIDs; returns the previous BSUIDs and wa_id."""
        previous_bsuids, previous_wa_id = dict(user.bsuids), user.wa_id
        self._forget(user)
        user.generation += 1
        user.phone = ids.canonical_phone(phone)
        user.wa_id = ids.default_wa_id(user.phone)
        user.bsuids = {p: ids.bsuid(p, user.phone, user.generation) for p in self.portfolios}
        self._index(user)
        return previous_bsuids, previous_wa_id

    def _add_user(self, new: NewUser) -> User:
        phone = ids.canonical_phone(new.phone.lstrip("+"))
        if not phone.isdigit():
            raise ValueError(f"phone {new.phone!r} must be E.164 digits, such as 5511987654321")
        bsuids = {p: new.bsuid or ids.bsuid(p, phone) for p in self.portfolios}
        user = User(
            phone=phone,
            wa_id=new.wa_id or ids.default_wa_id(phone),
            name=new.name or f"Cliente {phone[-4:]}",
            bsuids=bsuids,
            username=new.username,
            hides_phone=new.hides_phone,
            on_whatsapp=new.on_whatsapp,
            read_receipts=new.read_receipts,
            marketing_cap=new.marketing_cap,
            in_experiment=new.in_experiment,
            identity_hash=new.identity_hash,
            traits=dict(new.traits),
        )
        existing = self.users.get(phone)
        if existing is not None:
            user.pairs, user.opted_out = existing.pairs, existing.opted_out
            self._forget(existing)
        for number_id, at in new.wrote_at.items():
            user.pair(number_id).wrote_at = max(user.pair(number_id).wrote_at, at)
        self._index(user)
        if len(self.users) > self._config.max_users:
            self._forget(next(iter(self.users.values())))
        return user

    def _index(self, user: User) -> None:
        self.users[user.phone] = user
        for value in user.bsuids.values():
            self._by_bsuid[value] = user

    def _forget(self, user: User) -> None:
        self.users.pop(user.phone, None)
        for value in user.bsuids.values():
            self._by_bsuid.pop(value, None)


def _following(first: str, offset: int) -> str:
    return str(int(first) + offset)
