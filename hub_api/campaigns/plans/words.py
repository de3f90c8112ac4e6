"""What a check tells people, in Portuguese or in English: the same codes and figures in both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from hub_api.campaigns.languages import Language
from hub_api.campaigns.plans.schemas import Obstacle
from hub_api.campaigns.ports import Capacity
from hub_api.campaigns.timing import Step

_WHO: Mapping[Language, str] = {
    "pt-BR": "variante {variant}: o modelo {template} ({template_language})",
    "en": "variant {variant}: the template {template} ({template_language})",
}
_OBSTACLES: Mapping[str, Mapping[Language, str]] = {
    "template_unknown": {"pt-BR": f"{_WHO['pt-BR']} não existe em nenhuma conta", "en": f"{_WHO['en']} is in no account"},
    "template_not_approved": {"pt-BR": f"{_WHO['pt-BR']} está {{status}}", "en": f"{_WHO['en']} is {{status}}"},
    "template_category": {
        "pt-BR": f"{_WHO['pt-BR']} é da categoria {{category}}, a campanha é {{lane}}",
        "en": f"{_WHO['en']} is of the category {{category}}, the campaign is {{lane}}",
    },
    "variables": {
        "pt-BR": f"{_WHO['pt-BR']}: faltam {{missing}}, sobram {{extra}}",
        "en": f"{_WHO['en']}: missing {{missing}}, not in it {{extra}}",
    },
    "link": {
        "pt-BR": f"{_WHO['pt-BR']}: o link de {{place}} não pode ser usado: {{reason}}",
        "en": f"{_WHO['en']}: the link of {{place}} cannot be used: {{reason}}",
    },
    "link_button": {
        "pt-BR": f"{_WHO['pt-BR']}: para um link rastreado, o botão do modelo tem de levar a {{address}}",
        "en": f"{_WHO['en']}: for a tracked link, the template's button must lead to {{address}}",
    },
    "trigger_field": {
        "pt-BR": f"{_WHO['pt-BR']}: {{place}} usa {{source}}, que o gatilho desta campanha não informa",
        "en": f"{_WHO['en']}: {{place}} uses {{source}}, which what sets this campaign off does not tell",
    },
    "no_price": {
        "pt-BR": "há orçamento, mas nenhuma tabela de preços nessa moeda",
        "en": "there is a budget, but no price list in its currency",
    },
    "budget_short": {
        "pt-BR": "o orçamento paga {paid} de {messages} mensagens",
        "en": "the budget pays for {paid} of {messages} messages",
    },
    "no_number": {"pt-BR": "nenhum número pode enviar agora", "en": "no number can send now"},
    "nobody": {
        "pt-BR": "ninguém do público pode receber a mensagem agora",
        "en": "nobody of the audience may receive the message now",
    },
}  # fmt: skip
_DAYS: Mapping[Language, Sequence[str]] = {
    "pt-BR": ("segunda", "terça", "quarta", "quinta", "sexta", "sábado", "domingo"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in the way (`blocks`) or worth knowing: its code, and what its text names. `text`: that of an error, as it came."""

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)
    blocks: bool = True
    text: str | None = None


def obstacle(problem: Problem, language: Language) -> Obstacle:
    """The problem in words of `language`. Raises KeyError for a code without a text."""
    text = problem.text if problem.text is not None else _OBSTACLES[problem.code][language].format(**problem.params)
    return Obstacle(code=problem.code, params=dict(problem.params), message=text, blocks=problem.blocks)


def forecast(steps: Sequence[Step], left: int, capacity: Capacity, zone: ZoneInfo, language: Language) -> str:
    """When it is over, what today's quota allows, and how many stay out, in one sentence."""
    portuguese = language == "pt-BR"
    if not steps:
        return "nada seria enviado agora" if portuguese else "nothing would be sent now"
    end = steps[-1].end.astimezone(zone)
    day = _DAYS[language][end.weekday()]
    words = f"termina {day} {end:%d/%m} às {end:%H:%M}" if portuguese else f"ends {day} {end:%d/%m} at {end:%H:%M}"
    if capacity.quota_left is not None:
        told = "a cota de hoje permite" if portuguese else "today's quota allows"
        words += f"; {told} {_whole(capacity.quota_left, language)}"
    if left:
        words += f"; {_whole(left, language)} {'ficam de fora' if portuguese else 'stay out'}"
    return words


def advice(needed: int, smallest: int, detectable: float | None, language: Language) -> str:
    """How many customers each variant needs, how many the smallest would have, and what a test of so many can see."""
    if language == "en":
        words = f"each variant needs about {needed} customers; the smallest would have {smallest}"
        gap = f"only differences of {detectable:.1%} or more" if detectable else "no difference"
        return words if smallest >= needed else f"{words}: this audience shows {gap}"
    words = f"cada variante precisa de cerca de {needed} clientes; a menor teria {smallest}"
    gap = f"só diferenças de {detectable:.1%} ou mais".replace(".", ",") if detectable else "nenhuma diferença"
    return words if smallest >= needed else f"{words}: com esse público aparecem {gap}"


def _whole(number: int, language: Language) -> str:
    return f"{number:,}".replace(",", ".") if language == "pt-BR" else f"{number:,}"
