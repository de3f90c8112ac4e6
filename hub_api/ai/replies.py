"""The bot's answers: what is said, what can be tapped under it, what follows. Pure; facts come in as values."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from hub_api.ai import say
from hub_api.ai.rules import ROWS, Rules
from hub_api.ai.say import Choice, option
from hub_api.chat.business.answers import Contract, Invoice, Plan
from hub_api.chat.consent import Scope

MOST_INVOICES, MOST_PLANS = 3, 12


@dataclass(frozen=True, slots=True)
class Answer:
    """Paragraphs, choices (a list if `button` names one), and what follows: a hand-over, the end, where yes and no lead."""

    texts: tuple[str, ...] = ()
    choices: tuple[Choice, ...] = ()
    button: str | None = None
    answered: bool = False
    hand_over: str | None = None
    resolve: str | None = None
    yes: str | None = None
    no: str | None = None


def menu(rules: Rules, *before: str) -> Answer:
    """What the bot can do, after the sentences `before`."""
    choices = tuple(option(rules, name) for name in rules.menu.options)
    return Answer((*before, rules.texts["menu"]), choices, button=rules.menu.button)


def hand_over(rules: Rules, reason: str, text: str, protocol: str) -> Answer:
    """A person goes on: says so, with the protocol number."""
    return Answer((rules.texts[text].format(protocol=protocol),), hand_over=reason)


def offer_agent(rules: Rules) -> Answer:
    """Ask whether a person should go on."""
    return Answer((rules.texts["offer_agent"],), _options(rules, "agent", "menu"), yes="agent", no="menu")


def stop_promotions(rules: Rules, *, or_cancel: bool) -> Answer:
    """Ask what is to stop; with `or_cancel` the contract may be meant ("cancelar"). Nothing is recorded by asking."""
    if or_cancel:
        return Answer((rules.texts["which_cancel"],), _options(rules, "OPTOUT_PROMO", "cancel_service", "agent"))
    return Answer((rules.texts["stop_promotions"],), _options(rules, "OPTOUT_PROMO", "menu", "agent"))


def consent_text(rules: Rules, scope: Scope, granted: bool) -> str:
    """The one confirmation of a recorded opt-out or opt-in."""
    if granted:
        return rules.texts["opted_in"]
    return rules.texts["opted_out" if scope == "marketing" else f"opted_out_{scope}"]


def invoice_copy(rules: Rules, contracts: Sequence[Contract], chosen: str | None) -> Answer:
    """Unpaid invoices of the only, or the chosen, contract; asks which one when several have some.

    `chosen` is looked for among the customer's own contracts only: an id made up elsewhere leads nowhere.
    """
    if not contracts:
        return Answer((rules.texts["no_contract"],), _options(rules, "agent", "menu"))
    owing = [one for one in contracts if one.invoices]
    if not owing:
        return Answer((rules.texts["invoices_none"],), _options(rules, "solved", "menu", "agent"), answered=True)
    contract = next((one for one in owing if one.id == chosen), owing[0] if len(owing) == 1 else None)
    if contract is None:
        rows = [_contract_row(one) for one in owing[: ROWS - 1]]
        choices = (*rows, option(rules, "agent"))
        return Answer((rules.texts["choose_contract"],), choices, button=rules.contracts.button)
    head = rules.texts["invoices_of"].format(contract=contract.id, plan=contract.plan_name)
    texts = [head] if len(contracts) > 1 else []
    texts += [_invoice(rules, one) for one in contract.invoices[:MOST_INVOICES]]
    if (more := len(contract.invoices) - MOST_INVOICES) > 0:
        texts.append(rules.texts["invoices_more"].format(count=more))
    return Answer(tuple(texts), _options(rules, "solved", "menu", "agent"), answered=True)


def _contract_row(contract: Contract) -> Choice:
    where = ", ".join(part for part in (contract.plan_name, contract.city) if part)
    return Choice(f"invoice_copy:{contract.id}", f"Contrato {contract.id}", where)


def _invoice(rules: Rules, invoice: Invoice) -> str:
    name = "invoice_overdue" if invoice.overdue else "invoice"
    lines = [
        rules.texts[name].format(
            month=say.month(rules, invoice.reference_month),
            amount=say.money(invoice.amount_micros, invoice.currency),
            due=say.day(invoice.due_on),
        )
    ]
    if invoice.barcode:
        lines.append(rules.texts["invoice_barcode"].format(barcode=invoice.barcode))
    if invoice.pix_code:
        lines.append(rules.texts["invoice_pix"].format(pix=invoice.pix_code))
    return "\n".join(lines)


def no_signal(
    rules: Rules, contracts: Sequence[Contract], now: datetime, zone_of: Callable[[Contract], ZoneInfo]
) -> Answer:
    """A running outage of one of the contracts, else an open ticket, else a suspended contract, else what to try."""
    for contract in contracts:
        for outage in contract.outages:
            zone = zone_of(contract)
            since = say.moment(rules, outage.started_at, now, zone)
            city = contract.city or outage.region_code
            if outage.expected_end_at is None or outage.expected_end_at <= now:
                words = rules.texts["outage_without_end"].format(city=city, since=since)
            else:
                until = say.moment(rules, outage.expected_end_at, now, zone)
                words = rules.texts["outage"].format(city=city, since=since, until=until)
            return Answer((words,), _options(rules, "menu", "agent"), answered=True)
    for contract in contracts:
        for ticket in contract.tickets:
            zone = zone_of(contract)
            if ticket.scheduled_for is not None and ticket.scheduled_for > now:
                words = rules.texts["ticket_scheduled"].format(visit=say.moment(rules, ticket.scheduled_for, now, zone))
            else:
                words = rules.texts["ticket"].format(opened=say.moment(rules, ticket.opened_at, now, zone))
            return Answer((words,), _options(rules, "menu", "agent"), answered=True)
    if contracts and all(contract.status == "suspended" for contract in contracts):
        return Answer((rules.texts["suspended"],), _options(rules, "invoice_copy", "agent"), answered=True)
    words = rules.texts["troubleshooting" if contracts else "troubleshooting_unknown"]
    choices = _options(rules, "solved", "still_broken", "agent")
    return Answer((words,), choices, answered=True, yes="solved", no="still_broken")


def plans(rules: Rules, offered: Sequence[Plan]) -> Answer:
    """What can be had and what it costs; asked for, so no advertising."""
    if not offered:
        return Answer((rules.texts["plans_none"],), _options(rules, "agent", "menu"))
    lines = [rules.texts["plans"], *(_plan(rules, plan) for plan in offered[:MOST_PLANS])]
    if (more := len(offered) - MOST_PLANS) > 0:
        lines.append(rules.texts["plans_more"].format(count=more))
    return Answer(("\n".join(lines),), _options(rules, "buy_plan", "menu", "agent"), answered=True)


def _plan(rules: Rules, plan: Plan) -> str:
    sizes = {"speed_mbps": plan.speed_mbps, "data_gb": plan.data_gb}
    notes = [
        rules.plan_units[unit].format(number=size)  # type: ignore[index]
        for unit, size in sizes.items()
        if size and str(size) not in plan.name
    ]
    name = f"{plan.name} ({', '.join(notes)})" if notes else plan.name
    return rules.texts["plan"].format(name=name, price=say.money(plan.price_micros, plan.currency))


def _options(rules: Rules, *names: str) -> tuple[Choice, ...]:
    return tuple(option(rules, name) for name in names)
