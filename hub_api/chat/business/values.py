"""Values as operators' systems write them, in JSON or in Brazilian CSV: each reader returns what PostgreSQL keeps.

Every reader takes what JSON or CSV gave (text, number, boolean), and raises ValueError with a sentence for the person
who sent it. The value itself is never repeated: it may be personal data.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from hub_api.chat import phone as phones
from hub_api.chat.consent import normalise

Reader = Callable[[object], object]

MICROS = 1_000_000
_FIRST_CHANGE = datetime(2000, 1, 1, tzinfo=UTC)
_MOST_MICROS = 10**9 * MICROS
_THOUSANDS = re.compile(r"-?[1-9]\d{0,2}(\.\d{3})+")
_BRAZILIAN_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?")
_MONTH = re.compile(r"(?:(\d{1,2})/(\d{4})|(\d{4})-(\d{1,2}))")


def text(longest: int) -> Reader:
    """Text of at most `longest` characters, trimmed; whole numbers are taken as text (an id that JSON made a number)."""

    def read(value: object) -> str:
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise ValueError("must be text")
        found = str(value).strip()
        if len(found) > longest:
            raise ValueError(f"must have at most {longest} characters")
        if "\x00" in found or any("\ud800" <= char <= "\udfff" for char in found):
            raise ValueError("has a character that no text may have (NUL or half a surrogate pair)")
        return found

    return read


def choice(words: Mapping[str, str]) -> Reader:
    """One of the values of `words`, by its own name or by a Portuguese one (key, normalised)."""
    known = {**{value: value for value in words.values()}, **words}
    allowed = ", ".join(dict.fromkeys(words.values()))

    def read(value: object) -> str:
        found = known.get(str(value).strip()) or known.get(normalise(str(value)))
        if found is None:
            raise ValueError(f"must be one of: {allowed}")
        return found

    return read


def whole(least: int, most: int = 2**31 - 1) -> Reader:
    """A whole number from `least` to `most`."""

    def read(value: object) -> int:
        number = _decimal(value)
        if number != number.to_integral_value() or not least <= number <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return int(number)

    return read


def money(value: object) -> int:
    """An amount in the currency's unit as micros: "129,90", "R$ 1.299,90", "129.90", 129.9 -> 129_900_000."""
    micros = _decimal(value) * MICROS
    if micros != micros.to_integral_value() or not 0 <= micros <= _MOST_MICROS:
        raise ValueError("must be an amount from 0 to 1 billion, such as 129,90")
    return int(micros)


def _decimal(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("must be a number")
    written = str(value).strip().removeprefix("R$").replace("\u00a0", "").replace(" ", "")
    if "," in written:
        written = written.replace(".", "").replace(",", ".")
    elif isinstance(value, str) and _THOUSANDS.fullmatch(written):
        written = written.replace(".", "")
    try:
        number = Decimal(written)
    except InvalidOperation:
        raise ValueError("must be a number, such as 129,90 or 129.90") from None
    if not number.is_finite() or number.adjusted() > 18:
        raise ValueError("must be a number of ordinary size")
    return number


def boolean(value: object) -> bool:
    """true/false, sim/não, s/n, 1/0, ativo/inativo."""
    found = {
        **dict.fromkeys(("true", "sim", "s", "1", "ativo", "yes", "y", "verdadeiro"), True),
        **dict.fromkeys(("false", "nao", "n", "0", "inativo", "no", "falso"), False),
    }.get(normalise(str(value)))
    if found is None:
        raise ValueError("must be true or false (sim or não)")
    return found


def day(value: object) -> date:
    """A date as 2026-12-31 or 31/12/2026."""
    written = str(value).strip()
    try:
        if match := _BRAZILIAN_DATE.fullmatch(written):
            found = date(int(match[3]), int(match[2]), int(match[1]))
        else:
            found = datetime.fromisoformat(written).date()
    except ValueError:
        raise ValueError("must be a date, such as 31/12/2026 or 2026-12-31") from None
    return _sane_year(found)


def month(value: object) -> date:
    """The first day of a month, written 12/2026, 2026-12 or as any date in it."""
    if match := _MONTH.fullmatch(str(value).strip()):
        value = f"{match[2] or match[3]}-{int(match[1] or match[4]):02}-01"
    return day(value).replace(day=1)


def moment(zone: ZoneInfo) -> Reader:
    """A point in time, ISO 8601 or 31/12/2026 14:30; without an offset it is read in `zone`. Returned in UTC."""

    def read(value: object) -> datetime:
        written = str(value).strip()
        try:
            if match := _BRAZILIAN_DATE.fullmatch(written):
                day_, month_, year, hour, minute, second = (int(part or 0) for part in match.groups())
                found = datetime(year, month_, day_, hour, minute, second)
            else:
                found = datetime.fromisoformat(written)
            _sane_year(found)
            return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
        except (ValueError, OverflowError):
            raise ValueError("must be a time, such as 31/12/2026 14:30 or 2026-12-31T14:30:00-03:00") from None

    return read


def change_time(zone: ZoneInfo) -> Reader:
    """When a row changed in the operator's system: a moment since 2000 that is not in the future (a day is let pass).

    A time ahead of the clock would win over every later change.
    """
    read_moment = moment(zone)

    def read(value: object) -> datetime:
        found = read_moment(value)
        if not isinstance(found, datetime) or not _FIRST_CHANGE <= found <= datetime.now(UTC) + timedelta(days=1):
            raise ValueError("must be a time since the year 2000 and not in the future")
        return found

    return read


def phone(value: object) -> str:
    """E.164 with the ninth digit, from any way of writing a Brazilian number with its area code."""
    found = phones.from_text(str(value))
    if found is None:
        raise ValueError("must be a phone number with its area code, such as (11) 98765-4321 or +5511987654321")
    return found


def cpf(value: object) -> str:
    """The eleven digits of a CPF whose two check digits (modulo 11) are right."""
    digits = re.sub(r"\D", "", str(value)).zfill(11)
    numbers = [int(digit) for digit in digits]
    right = len(digits) == 11 and len(set(digits)) > 1
    for length in (9, 10):
        check = (
            sum(number * weight for number, weight in zip(numbers, range(length + 1, 1, -1), strict=False)) * 10 % 11
        )
        right = right and check % 10 == numbers[length]
    if not right:
        raise ValueError("must be a valid CPF")
    return digits


def _sane_year(found: date) -> date:
    if not 1900 <= found.year <= 2200:
        raise ValueError("must lie between the years 1900 and 2200")
    return found
