"""What a read-out says in plain Portuguese. It never says more than the figures: no proof where there is none, no
"no effect" where there is only no proof, nothing at all of an experiment whose arms are not as planned."""

from dataclasses import dataclass
from enum import StrEnum
from math import isfinite

from models_ml.experiments.bayes import Belief
from models_ml.experiments.compare import Difference, Interval
from models_ml.experiments.cuped import Adjusted
from models_ml.experiments.exposure import Crossover, Delivery
from models_ml.experiments.guardrails import Guard, Guarded
from models_ml.experiments.holdout import Lift
from models_ml.experiments.plan import Kind, Metric, Plan
from models_ml.experiments.srm import Balance


class Decision(StrEnum):
    """What may be decided on a metric of an arm."""

    CONTROL = "control"  # the arm others are compared with
    BLOCKED = "blocked"  # sample ratio mismatch
    EARLY = "early"  # too few units for any interval
    BETTER = "better"
    WORSE = "worse"
    UNDECIDED = "undecided"
    INFORMS = "informs"  # a quantile: its interval is for one look, so nothing is decided by it
    KEPT = "kept"
    BROKEN = "broken"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Reading:
    """The figures of an arm and metric. `adjusted` is CUPED; `sequential` holds at every look, `difference` at one; `brought`
    is what the arm came to over a control that got nothing."""

    value: float
    interval: Interval | None
    base: float
    difference: Difference | None = None
    adjusted: Adjusted | None = None
    lift: tuple[float, Interval] | None = None
    p_adjusted: float | None = None
    sequential: Interval | None = None
    sequential_p: float | None = None
    sequential_p_adjusted: float | None = None
    belief: Belief | None = None
    guarded: Guarded | None = None
    detectable: float | None = None
    brought: Lift | None = None

    @property
    def effect(self) -> float:
        """The difference that the sequential interval surrounds."""
        best = self.adjusted.difference if self.adjusted else self.difference
        return best.value if best else 0.0


@dataclass(frozen=True, slots=True)
class Checks:
    """What concerns the whole experiment at one look."""

    balance: Balance
    crossover: Crossover
    delivery: Delivery
    complete: bool
    reallocated: bool = False  # customers came under several divisions of the arms


def decide(plan: Plan, metric: Metric, reading: Reading, checks: Checks) -> Decision:
    """The decision: by the sequential interval and p, so that it holds whenever one looks, and never past a mismatch.

    Better or worse takes both, an adjusted p at most alpha and an interval that excludes 0 today.
    """
    if reading.difference is None or checks.balance.blocks:
        return Decision.CONTROL if reading.difference is None else Decision.BLOCKED
    is_quantile = metric.known.kind is Kind.QUANTILE
    if not isfinite(reading.difference.interval.low) if is_quantile else reading.sequential is None:
        return Decision.EARLY
    if is_quantile:
        return Decision.INFORMS
    if reading.guarded:
        return {Guard.KEPT: Decision.KEPT, Guard.BROKEN: Decision.BROKEN, Guard.OPEN: Decision.OPEN}[
            reading.guarded.state
        ]
    shown = reading.sequential_p_adjusted is not None and reading.sequential_p_adjusted <= plan.alpha
    if not shown or reading.sequential is None or 0.0 in reading.sequential:
        return Decision.UNDECIDED
    return Decision.BETTER if (reading.effect > 0) is metric.known.higher_is_better else Decision.WORSE


def tell(
    plan: Plan, metric: Metric, variant: str, reading: Reading, checks: Checks, decision: Decision,
    guardrails: Decision | None = None, units: int = 0,
) -> str:  # fmt: skip
    """The verdict on an arm of `units` customers and a metric, one to seven sentences; `guardrails`: the worst of the arm's own."""
    label, kind = metric.known.label, metric.known.kind
    values = f"{_value(reading.value, kind)} contra {_value(reading.base, kind)}"
    match decision:
        case Decision.CONTROL:
            return f"Grupo de comparação: {label} de {_value(reading.value, kind)}."
        case Decision.BLOCKED:
            return (
                "Não decida com estes números: os grupos não têm os tamanhos planejados "
                f"(p = {_p(min(checks.balance.p, checks.balance.sequential_p))}). Procure a falha na distribuição dos clientes antes de ler qualquer resultado."
            )
        case Decision.EARLY:
            return f"Cedo demais para ler {label}: ainda há poucos clientes ou poucos resultados nos grupos."
        case Decision.BETTER | Decision.WORSE:
            side = "acima" if reading.effect > 0 else "abaixo"
            sense = "melhor" if decision is Decision.BETTER else "pior"
            text = (
                f"“{variant}” ficou {side} de “{plan.control}” em {label} ({sense}): {values}. O efeito estimado é de {_gap(reading.effect, kind)}, "
                f"e o verdadeiro pode estar em qualquer ponto {_between(plan, reading, kind)}."
                f"{_brought(reading, kind, units)}{_unprotected(decision, guardrails)}"
            )
        case Decision.UNDECIDED:
            text = (
                f"Nenhuma diferença demonstrada entre “{variant}” e “{plan.control}” em {label}: {values}. Isso não prova que sejam iguais: "
                f"os dados ainda são compatíveis com um efeito {_between(plan, reading, kind)}."
            )
        case Decision.INFORMS:
            text = _informs(plan, metric, variant, reading, values)
        case _:
            text = _guard(plan, metric, variant, reading, decision, values)
    return text + _cautions(plan, reading, checks)


def _guard(plan: Plan, metric: Metric, variant: str, reading: Reading, decision: Decision, values: str) -> str:
    label, kind, margin = metric.known.label, metric.known.kind, metric.margin or 0.0
    limit = _gap(margin, kind, signed=False)
    said = {
        Decision.KEPT: f"Proteção mantida: em “{variant}”, uma piora de {limit} ou mais em {label} está descartada",
        Decision.BROKEN: f"Proteção rompida: em “{variant}”, {label} pioraram mais do que o tolerado, {limit}",
        Decision.OPEN: f"Proteção em aberto: em “{variant}”, uma piora acima de {limit} em {label} não está mostrada nem descartada",
    }[decision]
    return f"{said} ({values}; efeito {_between(plan, reading, kind)})."


def _informs(plan: Plan, metric: Metric, variant: str, reading: Reading, values: str) -> str:
    found, kind = reading.difference, metric.known.kind
    if found is None:
        raise TypeError("the control informs of no difference")
    low, high = _gap(found.interval.low, kind), _gap(found.interval.high, kind)
    return (
        f"Para informar, não para decidir: {metric.known.label} em “{variant}” e em “{plan.control}”, {values}. A diferença estimada é de "
        f"{_gap(found.value, kind)}, e a verdadeira pode estar entre {low} e {high} (intervalo de {_number(100 * (1 - plan.alpha), 0)} %, "
        "que só vale para uma única leitura, em dia marcado antes)."
    )


def _brought(reading: Reading, kind: Kind, units: int) -> str:
    if reading.brought is None:
        return ""
    total, ends = reading.brought.incremental, reading.brought.incremental_interval
    said = [_total(one, kind) for one in (total, ends.low, ends.high)]
    return f" Sobre quem não recebeu nada, isso soma {said[0]} em {_number(units, 0)} clientes (entre {said[1]} e {said[2]})."


def _unprotected(decision: Decision, guardrails: Decision | None) -> str:
    if decision is not Decision.BETTER or guardrails in (None, Decision.KEPT):
        return ""
    if guardrails is Decision.BROKEN:
        return " Atenção: uma proteção deste grupo foi rompida; decida sobre ela antes de ampliar."
    return " As proteções deste grupo ainda não estão mostradas como mantidas."


def _total(value: float, kind: Kind) -> str:
    if kind is not Kind.PROPORTION:
        return _gap(value, kind)
    sign = "+" if value > 0 else "−" if value < 0 else ""
    return f"{sign}{_number(abs(value), 0)}"


def _between(plan: Plan, reading: Reading, kind: Kind) -> str:
    if reading.sequential is None:
        return "de tamanho desconhecido"
    low, high = _gap(reading.sequential.low, kind), _gap(reading.sequential.high, kind)
    return f"entre {low} e {high} (intervalo de {_number(100 * (1 - plan.alpha), 0)} %, válido a qualquer momento da leitura)"


def _cautions(plan: Plan, reading: Reading, checks: Checks) -> str:
    text = ""
    if checks.crossover.flagged:
        text += f" Atenção: {_value(checks.crossover.share, Kind.PROPORTION)} dos clientes passaram por mais de um grupo; o efeito medido tende a ser menor que o verdadeiro."
    if checks.delivery.differs:
        text += f" Atenção: a entrega difere entre os grupos em até {_gap(checks.delivery.gap, Kind.PROPORTION, signed=False)}; a comparação inclui essa diferença."
    if checks.reallocated:
        text += " Atenção: a divisão entre os grupos mudou durante o teste; quem entrou antes e depois pode diferir, e a comparação mistura os dois."
    if not checks.complete:
        text += f" Leitura parcial: para parte dos clientes os {plan.window_days} dias de observação não terminaram."
    return text


def _value(value: float, kind: Kind) -> str:
    return f"{_number(100 * value, 2)} %" if kind is Kind.PROPORTION else f"R$ {_number(value, 2)}"


def _gap(value: float, kind: Kind, *, signed: bool = True) -> str:
    sign = ("+" if value > 0 else "−" if value < 0 else "") if signed else ""
    if kind is Kind.PROPORTION:
        return f"{sign}{_number(abs(100 * value), 2)} p.p."
    return f"{sign}R$ {_number(abs(value), 2)}"


def _p(p: float) -> str:
    return "menor que 0,0001" if p < 0.0001 else _number(p, 4)


def _number(value: float, digits: int) -> str:
    return f"{value:,.{digits}f}".replace(",", " ").replace(".", ",").replace(" ", ".")
