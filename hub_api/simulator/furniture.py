"""What a contact centre has set up before its first customer writes, so that no page of the demo's console is empty: teams with queues
of their own, promises of service, replies at hand, macros, outcomes, numbers never to write to, an alert and a report."""

from collections.abc import Awaitable, Callable
from typing import Any

from hub_api import roles
from hub_api.analytics.alerts import watch
from hub_api.analytics.alerts.schemas import NewAlert
from hub_api.analytics.reports import schedules
from hub_api.analytics.reports.schemas import NewReport
from hub_api.auth import audit, teams
from hub_api.auth.principal import Principal
from hub_api.campaigns.suppressions import keep as suppressions
from hub_api.chat.desk import canned, macros
from hub_api.chat.desk.put_off import queries as desk
from hub_api.chat.desk.schemas import NewCanned, NewDisposition, NewMacro, Steps
from hub_api.chat.queues import keep as queues
from hub_api.chat.queues.schemas import NewQueue, QueueRules
from hub_api.chat.sla import policies
from hub_api.chat.sla.schemas import NewPolicy
from hub_api.platform.postgres import Transaction
from hub_api.platform.services import Services
from hub_api.settings import Settings
from hub_api.simulator.examples import demo_caller
from hub_api.simulator.history.run import AGENTS, QUEUE
from hub_api.simulator.history.store import ensure_agents

# Virtual agents work at night and on holidays too: with the hub's own hours nothing would be late then, and who waits would be told that
# nobody is there. A day's last minute is the latest that hours can name.
ALWAYS = {"business_hours": "1-7 00:00-23:59", "holidays_closed": False}
# name, key of its queue, how many of the virtual agents. What the bot hands over waits in the one queue that everybody serves and sees,
# whatever his team; these two get what is transferred to them.
TEAMS = (("Suporte técnico", "suporte", 5), ("Financeiro", "financeiro", 3))
PROMISES = (
    NewPolicy(name="Primeira resposta em 2 minutos", target="first_response", seconds=120, warn_before_s=45),
    NewPolicy(name="Próxima resposta em 3 minutos", target="next_response", seconds=180, warn_before_s=60),
    NewPolicy(name="Resolução em 30 minutos", target="resolution", seconds=1800, warn_before_s=300),
)
# A name that is not known is left out with the space before it: {cliente} stands where a sentence can do without.
REPLIES = (
    NewCanned(shortcut="oi", title="Saudação",
              text="Oi {cliente}, aqui é {atendente}, da Telecom Exemplo. Já estou vendo o seu caso."),
    NewCanned(shortcut="segunda-via", title="Segunda via da fatura",
              text="Enviei a segunda via da sua fatura, com o código de barras e o Pix copia e cola. Pelo Pix, o pagamento cai em poucos minutos."),
    NewCanned(shortcut="roteador", title="Reiniciar o roteador",
              text="Vamos fazer um teste rápido: desligue o roteador da tomada, espere 30 segundos e ligue de novo. Em uns 3 minutos a luz da internet deve ficar acesa. Depois me conte o que aconteceu."),
    NewCanned(shortcut="visita", title="Visita técnica agendada",
              text="A visita técnica está agendada. O técnico avisa por aqui quando estiver a caminho. O protocolo é {protocolo}."),
    NewCanned(shortcut="aguarde", title="Consultando o sistema",
              text="Só um momento, por favor: estou consultando o sistema e já volto com a resposta."),
    NewCanned(shortcut="tchau", title="Encerramento",
              text="Tchau {cliente}, obrigado pelo contato! Seu protocolo é {protocolo}. Precisando, é só chamar por aqui."),
)  # fmt: skip
# The first is how most conversations end (agents.py: the virtual agents end theirs with one of these).
OUTCOMES = (
    ("resolvido", "Resolvido"), ("segunda_via_enviada", "Segunda via enviada"), ("visita_agendada", "Visita técnica agendada"),
    ("ajuste_remoto", "Ajuste feito a distância"), ("chamado_aberto", "Chamado técnico aberto"), ("sem_retorno", "Cliente não respondeu"),
)  # fmt: skip
MACROS = (
    NewMacro(
        name="Segunda via enviada",
        steps=Steps(
            reply="Pronto {cliente}, a segunda via foi enviada. Seu protocolo é {protocolo}.",
            add_tags=["segunda via"],
            resolve=True,
            disposition="segunda_via_enviada",
        ),
    ),
    NewMacro(
        name="Aguardar o teste do cliente",
        steps=Steps(
            reply="Combinado {cliente}, faça o teste com calma e me conte o resultado. Daqui a meia hora eu volto a falar com você.",
            add_tags=["aguarda teste"],
            snooze_minutes=30,
        ),
    ),
)
# Nobody can have these numbers: no mobile goes on with 0 after the nine.
STOPPED = (
    suppressions.Entry("exemplo-procon", "marketing", "complaint", phone="+5511900000001"),
    suppressions.Entry("exemplo-equipe", "marketing", "employee", phone="+5511900000002"),
)
# Mail of the demo goes nowhere: the simulator takes and shows it (/_sim/post).
ALERT = NewAlert(
    name="Satisfação abaixo de 4 (exemplo)", kpi="csat", comparison="below", threshold=4.0, days=7,
    emails=["supervisao@telecom.example"],
)  # fmt: skip
REPORT = NewReport(
    name="Diretoria, toda segunda (exemplo)", every="week", weekday=1, hour=8, emails=["diretoria@telecom.example"]
)


async def furnish(settings: Settings) -> list[str]:
    """Furnish what has nothing of its kind yet, by the functions that the API's routes call; what somebody changed or added stays.
    Returns the tables that were furnished."""
    who, done = demo_caller(), []
    async with roles.services(settings, "demo") as services, services.transaction() as tx:
        for table, fill in _FURNITURE.items():
            if not await tx.db.fetchval(f"SELECT EXISTS (SELECT FROM {table})"):  # noqa: S608 - our own names
                await fill(services, tx, who)
                done.append(table)
    return done


async def _make_teams(services: Services, tx: Transaction, who: Principal) -> None:
    members = iter(await ensure_agents(tx.db, AGENTS))
    for name, key, size in TEAMS:
        team_id = await teams.create_team(tx, who, name)
        for _ in range(size):
            await teams.set_member(services, tx, who, team_id, next(members), belongs=True)
        if not await tx.db.fetchval("SELECT EXISTS (SELECT FROM queues WHERE key = $1)", key):
            await queues.make_queue(services, tx, who, NewQueue(key=key, name=name, team_id=team_id, **ALWAYS))
    if await tx.db.fetchval("SELECT EXISTS (SELECT FROM queues WHERE key = $1)", QUEUE[0]):
        row = await queues.find_queue(tx.db, who, QUEUE[0])
        rules = QueueRules.model_validate({**{name: row[name] for name in QueueRules.model_fields}, **ALWAYS})
        await queues.change_queue(services, tx, who, QUEUE[0], rules, version=None)


async def _make_promises(services: Services, tx: Transaction, who: Principal) -> None:
    for promise in PROMISES:
        await policies.make_policy(tx, who, promise)


async def _make_replies(services: Services, tx: Transaction, who: Principal) -> None:
    for reply in REPLIES:
        await canned.make_canned(tx, who, reply)


async def _make_macros(services: Services, tx: Transaction, who: Principal) -> None:
    for macro in MACROS:
        await macros.make_macro(tx, who, macro)


async def _make_outcomes(services: Services, tx: Transaction, who: Principal) -> None:
    for key, name in OUTCOMES:
        new = NewDisposition(name=name)
        await tx.db.execute(desk.put_disposition, key, new.name, new.active)
        await audit.write(tx, who, "disposition.changed", "disposition", key, after=new.model_dump())


async def _stop_numbers(services: Services, tx: Transaction, who: Principal) -> None:
    for entry in STOPPED:
        await suppressions.put(tx, who, services.settings.secret_key.get_secret_value(), entry)


async def _make_alert(services: Services, tx: Transaction, who: Principal) -> None:
    await watch.create(tx, who, ALERT)


async def _schedule_report(services: Services, tx: Transaction, who: Principal) -> None:
    await schedules.create(tx, services, who, REPORT)


_FURNITURE: dict[str, Callable[[Services, Transaction, Principal], Awaitable[Any]]] = {
    "teams": _make_teams,
    "sla_policies": _make_promises,
    "canned_replies": _make_replies,
    "dispositions": _make_outcomes,
    "macros": _make_macros,
    "suppression_entries": _stop_numbers,
    "kpi_alerts": _make_alert,
    "report_schedules": _schedule_report,
}
