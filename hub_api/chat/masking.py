"""What callers without `personal_data:read` see of CPFs, cards and phones: the last digits, enough to match by eye."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hub_api.auth.principal import Principal
from hub_api.chat import phone
from hub_api.platform.logging import mask
from hub_api.platform.pgtypes import Row

PERMISSION = "personal_data:read"
_SHOWN_DIGITS = 4

# Digits with the signs that people put between them.
_RUN = re.compile(r"(?<![\w.])\+?\(?\d(?:[ .()/-]{0,2}\d){9,}(?!\w)")
_BARCODE = range(44, 49)  # digits of a bank slip's or a utility bill's line (FEBRABAN)
_PARTS = 8  # a number is written in at most so many groups
_CPF_WRITTEN = re.compile(r"\d{3}\.\d{3}\.\d{3}[-/]\d{2}")
# Issuer ranges of cards (ISO/IEC 7812): 3 to 6, and Mastercard's 2221 to 2720, in which no protocol number lies.
_CARD = re.compile(r"(?:[3-6]\d|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720))\d{11,17}")


def sees_all(caller: Principal) -> bool:
    """Whether the caller sees personal data as it is."""
    return caller.may(PERMISSION)


def masked_text(text: str) -> str:
    """The text with each CPF, card and phone in it shortened to its last four digits; other numbers stay."""
    return _RUN.sub(lambda run: _masked_run(run[0]), text)


def _masked_run(run: str) -> str:
    """A run may be one number written in groups, or several: from each group on, the longest one that tells of a person."""
    if len(_digits(run)) in _BARCODE:
        return run
    parts, shown, at = run.split(" "), [], 0
    while at < len(parts):
        ends = range(min(len(parts), at + _PARTS), at, -1)
        end = next((end for end in ends if _tells(" ".join(parts[at:end]))), None)
        shown.append(f"…{_digits(''.join(parts[at:end]))[-_SHOWN_DIGITS:]}" if end else parts[at])
        at = end or at + 1
    return " ".join(shown)


def _tells(written: str) -> bool:
    digits = _digits(written)
    # Without plus, more than a national number is a phone only with Brazil's code: ids and amounts are as long.
    may_be_phone = len(digits) <= 11 or digits.startswith("55") or "+" in written
    return _is_cpf(written, digits) or _is_card(digits) or (may_be_phone and phone.from_text(written) is not None)


def _digits(written: str) -> str:
    return re.sub(r"[^0-9]", "", written)


def _is_cpf(run: str, digits: str) -> bool:
    return len(digits) == 11 and (bool(_CPF_WRITTEN.fullmatch(run)) or _checks(digits))


def _checks(digits: str) -> bool:
    """The two check digits of a CPF: weights 10 to 2 and 11 to 2, modulo 11 (Receita Federal)."""
    if len(set(digits)) == 1:
        return False
    for length in (9, 10):
        total = sum(int(digit) * weight for digit, weight in zip(digits, range(length + 1, 1, -1), strict=False))
        if int(digits[length]) != total * 10 % 11 % 10:
            return False
    return True


def _is_card(digits: str) -> bool:
    """An issuer's range and the Luhn check (ISO/IEC 7812-1, annex B)."""
    if not _CARD.fullmatch(digits):
        return False
    doubled = [int(digit) * (1 + position % 2) for position, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def masked(value: Any) -> Any:
    """A JSON value with every text in it masked."""
    if isinstance(value, str):
        return masked_text(value)
    if isinstance(value, Mapping):
        return {name: masked(one) for name, one in value.items()}
    if isinstance(value, list):
        return [masked(one) for one in value]
    return value


def customer_for(caller: Principal, row: Mapping[str, Any]) -> dict[str, Any]:
    """A customer's row, with `identities` where it has them, as the caller may see it."""
    shown = dict(row)
    if sees_all(caller):
        return shown
    # A profile's name may be a phone.
    shown = {name: masked(value) for name, value in row.items()}
    shown["phone"] = mask(row["phone"]) if row["phone"] else None
    if "identities" in row:
        shown["identities"] = [
            {**one, "value": mask(one["value"])} if one["kind"] in ("phone", "wa_id") else one
            for one in row["identities"]
        ]
    return shown


def rows_for(caller: Principal, rows: Iterable[Row], *, phones: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Rows as the caller may see them: of `phones` the last digits, in every other text or JSON no CPF, card or phone.

    Keys (`…_id`) stay: they are the operator's or ours, and rows are found by them.
    """
    return [dict(row) if sees_all(caller) else _masked_row(row, phones) for row in rows]


def _masked_row(row: Row, phones: Sequence[str]) -> dict[str, Any]:
    return {
        name: value if name.endswith("_id") else mask(value) if name in phones and value else masked(value)
        for name, value in row.items()
    }


def words_for(caller: Principal, row: Row | Mapping[str, Any], *names: str) -> dict[str, Any]:
    """A row whose columns `names` hold what people wrote, as the caller may see it."""
    shown = dict(row)
    if not sees_all(caller):
        shown |= {name: masked(row[name]) for name in names}
    return shown
