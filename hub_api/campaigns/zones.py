"""Whose clock a recipient lives by: the zone of the state (UF), by Lei 11.662/2008, 12.876/2013 and the IANA database."""

from collections.abc import Mapping
from functools import cache
from zoneinfo import ZoneInfo

# A state with two zones has that of its capital. Fernando de Noronha has no UF of its own.
_ZONES: Mapping[str, str] = {
    "AC": "America/Rio_Branco", "AL": "America/Maceio", "AM": "America/Manaus", "AP": "America/Belem", "BA": "America/Bahia",
    "CE": "America/Fortaleza", "MA": "America/Fortaleza", "MS": "America/Campo_Grande", "MT": "America/Cuiaba", "PA": "America/Belem",
    "PB": "America/Fortaleza", "PE": "America/Recife", "PI": "America/Fortaleza", "RN": "America/Fortaleza", "RO": "America/Porto_Velho",
    "RR": "America/Boa_Vista", "SE": "America/Maceio", "TO": "America/Araguaina",
}  # fmt: skip
_BRASILIA = ("DF", "ES", "GO", "MG", "PR", "RJ", "RS", "SC", "SP")
STATES = frozenset(_ZONES) | frozenset(_BRASILIA)


@cache
def zone_of(state: str | None, default: str) -> ZoneInfo:
    """The zone of a state; `default` where the state is not known."""
    if state in _BRASILIA:
        return ZoneInfo("America/Sao_Paulo")
    return ZoneInfo(_ZONES.get(state or "", default))
