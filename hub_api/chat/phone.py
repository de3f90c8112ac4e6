"""Phone numbers as Brazil writes them: the ninth digit, area codes, what people type into a search box.

Rules (ANBT/Anatel numbering, and Meta's own changes to the prefix of wa_ids): mobiles have nine digits since 2016, but
a `wa_id` registered before may lack the ninth (its eight digits then began with 6 to 9; newer numbers go on after the nine
with any digit but 0); landlines have eight, beginning with 2 to 5, and never get one. Outside
this module a phone is E.164 with its plus and its ninth digit ("+5511987654321").
"""

import re

_STATES = {
    "SP": range(11, 20),
    "RJ": (21, 22, 24),
    "ES": (27, 28),
    "MG": (31, 32, 33, 34, 35, 37, 38),
    "PR": range(41, 47),
    "SC": (47, 48, 49),
    "RS": (51, 53, 54, 55),
    "DF": (61,),
    "GO": (62, 64),
    "TO": (63,),
    "MT": (65, 66),
    "MS": (67,),
    "AC": (68,),
    "RO": (69,),
    "BA": (71, 73, 74, 75, 77),
    "SE": (79,),
    "PE": (81, 87),
    "AL": (82,),
    "PB": (83,),
    "RN": (84,),
    "CE": (85, 88),
    "PI": (86, 89),
    "PA": (91, 93, 94),
    "AM": (92, 97),
    "RR": (95,),
    "AP": (96,),
    "MA": (98, 99),
}
STATE_OF_DDD = {str(ddd): state for state, ddds in _STATES.items() for ddd in ddds}

_E164 = re.compile(r"\+[1-9][0-9]{7,14}")
_SHORT_MOBILE = re.compile(r"55([1-9][0-9])([6-9][0-9]{7})")
_LONG_MOBILE = re.compile(r"55([1-9][0-9])9([6-9][0-9]{7})")
_NATIONAL = re.compile(r"0?([1-9][0-9])([2-9][0-9]{7}|9[1-9][0-9]{7})")


def canonical(number: str) -> str | None:
    """E.164 with the ninth digit from an international number (`wa_id`, with or without plus); None: not a phone."""
    digits = re.sub(r"[\s()+.-]", "", number)
    if (short := _SHORT_MOBILE.fullmatch(digits)) and short[1] in STATE_OF_DDD:
        digits = f"55{short[1]}9{short[2]}"
    return f"+{digits}" if _E164.fullmatch(f"+{digits}") else None


def variants(number: str) -> list[str]:
    """The digits under which WhatsApp may know this international number: as canonical, and without the ninth digit."""
    phone = canonical(number)
    if phone is None:
        return []
    digits = phone[1:]
    if (long := _LONG_MOBILE.fullmatch(digits)) and long[1] in STATE_OF_DDD:
        return [digits, f"55{long[1]}{long[2]}"]
    return [digits]


def from_text(typed: str) -> str | None:
    """E.164 of what a person typed: with a country code, or national with the area code. None: no full phone number.

    Eight or nine digits without area code name different people in different cities, so they are refused.
    """
    digits = re.sub(r"\D", "", typed)
    if typed.strip().startswith("+"):
        return canonical(digits)
    if (national := _NATIONAL.fullmatch(digits)) and national[1] in STATE_OF_DDD:
        return canonical(f"55{national[1]}{national[2]}")
    return canonical(digits) if len(digits) > 11 else None


def state_of(phone: str | None) -> str | None:
    """The Brazilian state (UF) of an E.164 number's area code; None abroad or without a number."""
    if phone is None or not phone.startswith("+55") or len(phone) not in (13, 14):
        return None
    return STATE_OF_DDD.get(phone[3:5])
