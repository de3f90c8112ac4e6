"""How one contact of a simulated customer goes, from the first word to the survey: the behaviour itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from hub_api.simulator.corpus import Corpus
from hub_api.simulator.history.effects import Effects
from hub_api.simulator.history.operator import Person
from hub_api.simulator.history.recorder import Delivery, Recorder, Thread

# Why customers write: intent, share, how often the bot alone settles it.
REASONS: tuple[tuple[str, float, float], ...] = (
    ("invoice_copy", 0.20, 0.72), ("bill_question", 0.07, 0.15), ("bill_dispute", 0.05, 0.0), ("payment_report", 0.05, 0.4),
    ("unblock_request", 0.03, 0.1), ("no_signal", 0.11, 0.3), ("slow_internet", 0.09, 0.1), ("intermittent_connection", 0.05, 0.05),
    ("device_problem", 0.05, 0.1), ("technician_visit", 0.05, 0.05), ("installation_status", 0.04, 0.1), ("plan_info", 0.07, 0.45),
    ("plan_change", 0.04, 0.05), ("moving_address", 0.02, 0.0), ("service_complaint", 0.04, 0.0), ("speak_to_agent", 0.04, 0.0),
)  # fmt: skip
CONTAINED = {intent: share for intent, _, share in REASONS}
TECHNICAL = frozenset({"no_signal", "slow_internet", "intermittent_connection", "device_problem"})

GREETING = "Olá! Aqui é o atendimento. Seu protocolo é {protocol}. Como posso ajudar?"
BOT_ANSWERS = {
    "invoice_copy": "Aqui está a segunda via da sua fatura, com o código de barras e o Pix copia e cola.",
    "no_signal": "Verifiquei a sua região e o seu equipamento. Desligue o roteador por 30 segundos e ligue de novo.",
    "plan_info": "Estes são os nossos planos disponíveis no seu endereço.",
    "payment_report": "Recebemos o seu pagamento. Ele aparece na fatura em até 3 dias úteis.",
}
BOT_OTHER = "Entendi. Vou verificar isso para você."
AGENT_HELLO = "Oi, {name}, tudo bem? Já estou vendo o seu caso."
AGENT_LINES = (
    "Só um momento, estou consultando o sistema.", "Pode me confirmar o endereço da instalação?", "Fiz o ajuste por aqui, pode testar?",
    "Abri um chamado para a equipe técnica.", "Conferi a fatura e o valor está detalhado abaixo.", "Isso já aconteceu outras vezes?",
    "Agendei a visita para amanhã pela manhã.", "Enviei a segunda via atualizada.", "Vou registrar a sua solicitação.",
)  # fmt: skip
AGENT_BYE = "Ficou resolvido? Se precisar, é só chamar. Seu protocolo é {protocol}."
SURVEY = "De 1 a 5, como foi o nosso atendimento?"
RECOMMENDATION = "Obrigado pela nota! E de 0 a 10, quanto você nos recomendaria a um amigo? Responda só com o número."
RECOMMENDS = 0.6  # share of those who graded


@dataclass(frozen=True, slots=True)
class Team:
    """The agents and how long a person waits for one."""

    agents: Sequence[UUID]
    median_wait_s: float = 75.0


@dataclass(frozen=True, slots=True)
class Stage:
    """What every contact of one history is played with; all chances come from `rng`."""

    rng: Random
    corpus: Corpus
    recorder: Recorder
    team: Team
    effects: Effects


@dataclass(frozen=True, slots=True)
class Contact:
    """One customer's reason to write at one moment; `load` is how busy the agents are then."""

    person: Person
    at: datetime
    intent: str
    load: float


def play(contact: Contact, stage: Stage) -> datetime:
    """Record the whole contact; returns when it ended."""
    rng, corpus, recorder = stage.rng, stage.corpus, stage.recorder
    person, at = contact.person, contact.at
    first = corpus.say(rng, contact.intent, None, person.state_code)
    thread = recorder.open(person.id, person.wa_id, at)
    if rng.random() < 0.35:
        recorder.receive(thread, at, corpus.say(rng, "greeting", None, person.state_code).text)
        at += timedelta(seconds=rng.uniform(3, 25))
    recorder.receive(thread, at, first.text)
    at += timedelta(seconds=rng.uniform(0.4, 1.5))
    recorder.send(
        thread,
        at,
        GREETING.format(protocol=thread.protocol),
        delivery_of(rng, person),
        author="bot",
        type_="interactive",
    )
    at += timedelta(seconds=rng.uniform(15, 90))
    if rng.random() < CONTAINED.get(contact.intent, 0.0):
        return _settled_by_bot(contact, stage, thread, at)
    return _settled_by_agent(contact, first.sentiment, stage, thread, at)


def _settled_by_bot(contact: Contact, stage: Stage, thread: Thread, at: datetime) -> datetime:
    rng, corpus, recorder = stage.rng, stage.corpus, stage.recorder
    person = contact.person
    answer = BOT_ANSWERS.get(contact.intent, BOT_OTHER)
    recorder.receive(thread, at, corpus.say(rng, contact.intent, "neutral", person.state_code).text)
    at += timedelta(seconds=rng.uniform(0.4, 1.5))
    recorder.send(thread, at, answer, delivery_of(rng, person), author="bot")
    if rng.random() < 0.6:
        at += timedelta(seconds=rng.uniform(20, 200))
        recorder.receive(thread, at, corpus.say(rng, "thanks", None, person.state_code).text)
    at += timedelta(minutes=rng.uniform(5, 30))
    recorder.move(thread, at, "resolved", "bot_settled")
    if rng.random() < 0.25:
        at = _survey(stage, thread, at, person, rng.choices((5, 4, 3, 2, 1), weights=(55, 25, 12, 5, 3))[0])
    return close(recorder, thread, at)


def _settled_by_agent(contact: Contact, sentiment: str, stage: Stage, thread: Thread, at: datetime) -> datetime:
    rng, corpus, recorder = stage.rng, stage.corpus, stage.recorder
    person = contact.person
    recorder.move(thread, at, "queued", "asked_for_agent" if contact.intent == "speak_to_agent" else "bot_handover")
    waited_s = rng.lognormvariate(0, 0.7) * stage.team.median_wait_s * (1 + 4 * max(0.0, contact.load - 0.6))
    if waited_s > 900 * (0.3 + person.patience) and rng.random() < 0.5:
        at += timedelta(seconds=waited_s)
        recorder.receive(thread, at, corpus.say(rng, "service_complaint", "negative", person.state_code).text)
        recorder.move(thread, at + timedelta(minutes=40), "closed", "abandoned")
        recorder.finish(thread, at + timedelta(minutes=40))
        return at + timedelta(minutes=40)
    at += timedelta(seconds=waited_s)
    agent = rng.choice(stage.team.agents)
    recorder.move(thread, at, "assigned", "least_busy", agent)
    at += timedelta(seconds=rng.uniform(5, 40))
    hello = AGENT_HELLO.format(name=person.name.split()[0])
    recorder.send(thread, at, hello, delivery_of(rng, person), author="agent", author_id=agent)
    for _ in range(1 + min(6, int(rng.expovariate(1 / 2.2)))):
        at += timedelta(seconds=rng.uniform(20, 240))
        recorder.receive(thread, at, corpus.say(rng, contact.intent, sentiment, person.state_code).text)
        at += timedelta(seconds=rng.uniform(15, 150))
        recorder.send(thread, at, rng.choice(AGENT_LINES), delivery_of(rng, person), author="agent", author_id=agent)
    at += timedelta(seconds=rng.uniform(30, 200))
    recorder.send(
        thread,
        at,
        AGENT_BYE.format(protocol=thread.protocol),
        delivery_of(rng, person),
        author="agent",
        author_id=agent,
    )
    recorder.move(thread, at, "resolved", "agent_resolved")
    if rng.random() < 0.45:
        # The planted cause: waiting costs satisfaction, less for patient people. An angry start costs a point.
        mood = (
            4.9
            - stage.effects.wait_penalty * waited_s / 600 * (1.5 - person.patience)
            - (sentiment == "negative") * 0.9
        )
        score = max(1, min(5, round(rng.gauss(mood, 0.7))))
        at = _survey(stage, thread, at, person, score)
    return close(recorder, thread, at)


def _survey(stage: Stage, thread: Thread, at: datetime, person: Person, score: int) -> datetime:
    rng, recorder = stage.rng, stage.recorder
    at += timedelta(seconds=rng.uniform(2, 6))
    recorder.send(thread, at, SURVEY, delivery_of(rng, person), author="bot", type_="interactive")
    at += timedelta(seconds=rng.uniform(20, 900))
    recorder.receive(thread, at, str(score), type_="interactive")
    recorder.rate(thread, at, score)
    return _recommendation(stage, thread, at, person, score)


def _recommendation(stage: Stage, thread: Thread, at: datetime, person: Person, score: int) -> datetime:
    """Who was served well recommends; how far the two go together is nobody's rule, so chance has its part."""
    rng, recorder = stage.rng, stage.recorder
    at += timedelta(seconds=rng.uniform(2, 6))
    recorder.send(thread, at, RECOMMENDATION, delivery_of(rng, person), author="bot")
    if rng.random() >= RECOMMENDS:
        return at
    at += timedelta(seconds=rng.uniform(10, 300))
    recommended = max(0, min(10, round(rng.gauss(2.2 * score - 1.2, 1.4))))
    recorder.receive(thread, at, str(recommended))
    recorder.recommend(thread, at, recommended)
    return at


def close(recorder: Recorder, thread: Thread, at: datetime) -> datetime:
    """The conversation ends an hour after its last word; returns when."""
    ended = at + timedelta(hours=1)
    recorder.move(thread, ended, "closed", "survey_time_over")
    recorder.finish(thread, ended)
    return ended


def delivery_of(rng: Random, person: Person) -> Delivery:
    """What becomes of a message to this person: some are never delivered, some never read."""
    if rng.random() < 0.015:
        return Delivery(None, None)
    delivered_s = rng.lognormvariate(0.3, 1.0)
    return Delivery(delivered_s, person.reads_after_s * rng.lognormvariate(0, 0.8) if rng.random() < 0.86 else None)
