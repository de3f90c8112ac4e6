"""What the bot decides: pure, from rules, state and facts. Every message is judged by the simulator's own checks."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_api.ai.bot import (
    Decision,
    Facts,
    HandOver,
    Rate,
    Recommend,
    Reopen,
    Resolve,
    Say,
    State,
    ask_satisfaction,
    decide,
)
from hub_api.ai.hear import Inbound
from hub_api.ai.rules import load_rules
from hub_api.chat.business.answers import Contract, Invoice, Outage, Plan, Ticket
from hub_api.chat.outgoing import Draft
from hub_api.simulator.check_message import check_content

RULES = load_rules()
NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)  # 12:00 in São Paulo
GREETED = State(greeted=True)


def facts(*contracts: Contract, **more: Any) -> Facts:
    return Facts(
        **{
            "protocol": "2026112300000001",
            "now": NOW,
            "zone": ZoneInfo("America/Sao_Paulo"),
            "name": "ana souza",
            "contracts": contracts,
            **more,
        }
    )


def contract(id: str = "C-1", **more: Any) -> Contract:
    given = {"status": "active", "city": "Santos", "state_code": "SP", "region_code": "SP-1"}
    return Contract(**{"id": id, "plan_name": "Fibra 500", "plan_kind": "fiber", **given, **more})


def invoice(contract_id: str = "C-1", **more: Any) -> Invoice:
    given: dict[str, Any] = {
        "contract_id": contract_id,
        "reference_month": date(2026, 11, 1),
        "amount_micros": 1_299_900_000,
        "currency": "BRL",
        "due_on": date(2026, 12, 10),
        "overdue": False,
        "barcode": "8467000000012",
        "pix_code": "000201PIX",
    }
    return Invoice(**{**given, **more})


def wrote(*texts: str) -> list[Inbound]:
    return [Inbound("text", text, wamid=f"wamid.{n}") for n, text in enumerate(texts)]


def tapped(choice: str, title: str = "x") -> list[Inbound]:
    return [Inbound("choice", title, choice=choice, wamid="wamid.t")]


def only_message(decision: Decision) -> Draft:
    """The one message of a decision, accepted by the channel's rules."""
    drafts = [action.draft for action in decision.actions if isinstance(action, Say)]
    assert len(drafts) == 1, decision
    judge(drafts[0])
    return drafts[0]


def judge(draft: Draft) -> None:
    check_content(draft.type, {draft.type: draft.body}[draft.type], None, lambda media: None)


def ids(draft: Draft) -> list[str]:
    action = draft.body.get("action", {})
    if "buttons" in action:
        return [button["reply"]["id"] for button in action["buttons"]]
    return [row["id"] for section in action.get("sections", ()) for row in section["rows"]]


def said(*texts: str, known: Facts | None = None, state: State = GREETED) -> Draft:
    return only_message(decide(RULES, state, wrote(*texts), known or facts()))


# --- opening --------------------------------------------------------------------------------------------------------


def test_the_first_answer_greets_tells_the_protocol_and_shows_the_menu_in_one_message():
    decision = decide(RULES, State(), wrote("oi"), facts())
    draft = only_message(decision)
    assert draft.content is not None and draft.content.startswith("Olá, Ana!") and "2026112300000001" in draft.content
    assert ids(draft) == list(RULES.menu.options) and decision.state.greeted
    again = only_message(decide(RULES, decision.state, wrote("oi"), facts()))
    assert "protocolo" not in str(again.content)


def test_a_first_message_with_a_demand_is_greeted_and_answered_in_one_message():
    draft = said("quero a segunda via", known=facts(contract(invoices=(invoice(),))), state=State())
    assert "2026112300000001" in str(draft.content) and "R$ 1.299,90" in str(draft.content)


@pytest.mark.parametrize("name", [None, "", "🌻🌻", "X", "+5511999999999", "http://x.yz", "A" * 300, "C3PO"])
def test_a_name_that_is_no_name_is_left_out(name):
    draft = said("oi", known=facts(name=name), state=State())
    assert str(draft.content).startswith("Olá!")


def test_a_person_can_be_reached_from_every_message_and_every_text_is_accepted_by_the_channel():
    known = facts(contract(invoices=(invoice(),)), plans=(Plan("Fibra", "fiber", 500, None, 99_900_000, "BRL"),))
    for text in ("oi", "segunda via", "sem sinal", "planos", "blá blá", "cancelar", "me tira dessa lista de promoção"):
        draft = said(text, known=known)
        assert "agent" in ids(draft), text
        assert "ATENDENTE" in draft.body["footer"]["text"]
    for text in ("opted_out", "opted_out_utility", "opted_out_all", "opted_in"):
        assert "ATENDENTE" in RULES.texts[text]


def test_several_messages_are_answered_once_by_what_they_want_most():
    known = facts(contract(invoices=(invoice(),)))
    assert "R$ 1.299,90" in str(said("oi", "tudo bem?", "quero meu boleto", "obrigada", known=known).content)
    decision = decide(RULES, GREETED, wrote("quero meu boleto", "quero falar com um atendente", "oi"), known)
    assert HandOver("agent") in decision.actions


# --- segunda via ----------------------------------------------------------------------------------------------------


def test_an_open_invoice_is_told_with_amount_due_date_barcode_and_pix():
    text = str(said("boleto", known=facts(contract(invoices=(invoice(),)))).content)
    for part in ("novembro/2026", "R$ 1.299,90", "10/12/2026", "8467000000012", "000201PIX"):
        assert part in text
    assert "vencida" not in text
    late = said("boleto", known=facts(contract(invoices=(invoice(overdue=True, barcode=None, pix_code=None),))))
    assert "vencida" in str(late.content) and "Pix" not in str(late.content)


def test_no_open_invoice_and_no_contract_are_said():
    assert "não há faturas em aberto" in str(said("boleto", known=facts(contract())).content)
    unknown = said("boleto")
    assert "Não encontrei um contrato" in str(unknown.content) and ids(unknown)[0] == "agent"


def test_with_several_contracts_the_customer_chooses_one_by_tap_or_number():
    first = contract(invoices=(invoice(amount_micros=10_000_000),))
    second = contract("C-2", invoices=(invoice("C-2", amount_micros=20_000_000),))
    known = facts(first, second, contract("C-3"))
    decision = decide(RULES, GREETED, wrote("boleto"), known)
    assert ids(only_message(decision)) == ["invoice_copy:C-1", "invoice_copy:C-2", "agent"]
    by_tap = only_message(decide(RULES, decision.state, tapped("invoice_copy:C-2"), known))
    by_number = only_message(decide(RULES, decision.state, wrote("2"), known))
    assert by_tap == by_number and "R$ 20,00" in str(by_tap.content) and "C-2" in str(by_tap.content)


def test_a_made_up_contract_leads_to_no_invoice_of_somebody_else():
    known = facts(contract("C-1", invoices=(invoice(),)), contract("C-2", invoices=(invoice("C-2"),)))
    draft = only_message(decide(RULES, GREETED, tapped("invoice_copy:C-999"), known))
    assert "De qual deles?" in str(draft.content)
    stranger = only_message(decide(RULES, GREETED, tapped("invoice_copy:C-1"), facts()))
    assert "R$" not in str(stranger.content)


# --- sem sinal ------------------------------------------------------------------------------------------------------


def outage(**more: Any) -> Outage:
    given = {"region_code": "SP-1", "service": "fiber", "started_at": NOW - timedelta(hours=2)}
    return Outage(**{"expected_end_at": NOW + timedelta(hours=3), **given, **more})


def test_an_outage_is_told_with_its_end_on_the_customers_clock():
    assert "hoje às 10:00" in str(said("sem sinal", known=facts(contract(outages=(outage(),)))).content)
    assert "hoje às 15:00" in str(said("sem sinal", known=facts(contract(outages=(outage(),)))).content)
    manaus = contract(state_code="AM", city="Manaus", outages=(outage(),))
    assert "hoje às 14:00" in str(said("sem sinal", known=facts(manaus)).content)
    tomorrow = outage(expected_end_at=NOW + timedelta(days=1))
    assert "24/11/2026 às 12:00" in str(said("sem sinal", known=facts(contract(outages=(tomorrow,)))).content)


@pytest.mark.parametrize("end", [None, NOW - timedelta(minutes=1)])
def test_an_outage_without_an_end_or_past_it_promises_nothing(end):
    text = str(said("sem sinal", known=facts(contract(outages=(outage(expected_end_at=end),)))).content)
    assert "sem previsão" in text


def test_an_open_ticket_then_a_suspension_then_advice():
    ticket = Ticket("C-1", "reparo", NOW + timedelta(days=1), NOW - timedelta(days=1))
    assert "24/11/2026 às 12:00" in str(said("sem sinal", known=facts(contract(tickets=(ticket,)))).content)
    unscheduled = Ticket("C-1", "reparo", None, NOW - timedelta(days=1))
    assert "22/11/2026 às 12:00" in str(said("sem sinal", known=facts(contract(tickets=(unscheduled,)))).content)
    assert ids(said("sem sinal", known=facts(contract(status="suspended"))))[0] == "invoice_copy"
    assert ids(said("sem sinal", known=facts(contract()))) == ["solved", "still_broken", "agent"]
    assert "Não encontrei um contrato" in str(said("sem sinal").content)


def test_a_yes_after_the_advice_ends_the_demand_and_a_no_brings_a_person():
    advised = decide(RULES, GREETED, wrote("sem sinal"), facts(contract())).state
    assert decide(RULES, advised, wrote("sim, voltou"), facts()).actions == (Resolve("solved"),)
    decision = decide(RULES, advised, wrote("não resolveu"), facts())
    assert decision.actions[-1] == HandOver("still_broken")


# --- people, misses, media ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("4", "agent"),
        ("atendente", "agent"),
        ("vou na anatel", "complaint"),
        ("quero cancelar o plano", "cancel_service"),
    ],
)
def test_who_asks_for_a_person_gets_one_and_the_protocol(text, reason):
    decision = decide(RULES, GREETED, wrote(text), facts())
    assert "2026112300000001" in str(only_message(decision).content)
    assert decision.actions[-1] == HandOver(reason)


def test_not_understood_shows_the_menu_then_offers_a_person_then_brings_one():
    first = decide(RULES, GREETED, wrote("xyz"), facts())
    assert ids(only_message(first)) == list(RULES.menu.options) and "não entendi" in str(only_message(first).content)
    second = decide(RULES, first.state, wrote("abc"), facts())
    assert ids(only_message(second)) == ["agent", "menu"]
    assert decide(RULES, second.state, wrote("sim"), facts()).actions[-1] == HandOver("agent")
    third = decide(RULES, second.state, wrote("def"), facts())
    assert third.actions[-1] == HandOver("not_understood")


def test_something_understood_in_between_starts_the_count_anew():
    missed = decide(RULES, GREETED, wrote("xyz"), facts()).state
    understood = decide(RULES, missed, wrote("planos"), facts()).state
    assert ids(only_message(decide(RULES, understood, wrote("abc"), facts()))) == list(RULES.menu.options)


@pytest.mark.parametrize(
    ("inbound", "words"),
    [
        (Inbound("media", voice=True), "áudio"),
        (Inbound("media"), "arquivo"),
        (Inbound("unsupported"), "não chegou"),
        (Inbound("location"), "não chegou"),
    ],
)
def test_what_the_bot_cannot_read_is_answered_kindly_with_the_menu(inbound, words):
    draft = only_message(decide(RULES, GREETED, [inbound], facts()))
    assert words in str(draft.content) and ids(draft) == list(RULES.menu.options)


def test_a_caption_is_read_like_a_text():
    draft = only_message(decide(RULES, GREETED, [Inbound("media", "quero a segunda via")], facts(contract())))
    assert "não há faturas" in str(draft.content)


def test_thanks_cost_no_text_and_end_a_demand_that_was_answered():
    thanks = only_message(decide(RULES, GREETED, wrote("obrigada"), facts()))
    assert (thanks.type, thanks.body["message_id"]) == ("reaction", "wamid.0")
    answered = decide(RULES, GREETED, wrote("planos"), facts(plans=(Plan("F", "fiber", 1, 1, 1, "BRL"),))).state
    assert decide(RULES, answered, wrote("obrigada"), facts()).actions == (Resolve("thanked"),)


# --- consent --------------------------------------------------------------------------------------------------------


def consented(scope: str, granted: bool, text: str = "sair") -> Inbound:
    return Inbound("text", text, consent=(scope, granted))  # type: ignore[arg-type]


def test_an_opt_out_gets_one_confirmation_and_no_menu():
    draft = only_message(decide(RULES, GREETED, [consented("marketing", False)] * 3, facts()))
    assert draft.type == "text" and str(draft.content).count("Você não receberá mais") == 1
    everything = only_message(decide(RULES, GREETED, [consented("all", False)], facts()))
    assert "a não ser em resposta às suas" in str(everything.content)
    back = only_message(decide(RULES, GREETED, [consented("marketing", True, "voltar")], facts()))
    assert "voltará a receber" in str(back.content)


def test_an_opt_out_beside_a_demand_is_confirmed_and_the_demand_answered_in_one_message():
    inbound = [consented("marketing", False), *wrote("e manda meu boleto")]
    text = str(only_message(decide(RULES, GREETED, inbound, facts(contract(invoices=(invoice(),))))).content)
    assert "não receberá mais" in text and "R$ 1.299,90" in text


def test_an_opt_out_that_the_ledger_does_not_hold_is_asked_about_and_never_confirmed():
    draft = said("sair")
    assert "OPTOUT_PROMO" in ids(draft) and "Pronto" not in str(draft.content)


def test_a_bare_cancel_asks_what_is_to_be_cancelled():
    draft = said("cancelar")
    assert ids(draft) == ["OPTOUT_PROMO", "cancel_service", "agent"]
    decision = decide(RULES, GREETED, tapped("cancel_service"), facts())
    assert decision.actions[-1] == HandOver("cancel_service")


def test_voltar_without_an_opt_out_shows_the_menu():
    assert ids(said("voltar")) == list(RULES.menu.options)


# --- after the end --------------------------------------------------------------------------------------------------


def test_satisfaction_is_asked_once_and_a_tap_or_a_number_rates():
    asked = ask_satisfaction(RULES, GREETED, facts(resolved=True))
    draft = only_message(asked)
    assert set(ids(draft)) == {f"csat_{grade}" for grade in range(1, 6)} and "2026112300000001" in str(draft.content)
    assert ask_satisfaction(RULES, asked.state, facts(resolved=True)).actions == ()
    assert asked.state.awaiting == "rating"
    for inbound in (tapped("csat_4"), wrote("4"), wrote("nota quatro")):
        rated = decide(RULES, asked.state, inbound, facts(resolved=True))
        assert rated.actions[0] == Rate(4) and only_message(rated).type == "reaction"
        assert rated.state.awaiting is None


def test_where_it_is_wanted_the_grade_is_followed_by_zero_to_ten_once():
    asked = ask_satisfaction(RULES, GREETED, facts(resolved=True)).state
    wanted = facts(resolved=True, asks_nps=True)
    graded = decide(RULES, asked, wrote("5"), wanted)
    assert graded.actions[0] == Rate(5) and "0 a 10" in str(only_message(graded).content)
    assert graded.state.awaiting == "rating", "its answer reopens nothing either"
    for words, score in (("10", 10), ("0", 0), ("zero", 0), ("nota dez", 10), ("5", 5)):
        scored = decide(RULES, graded.state, wrote(words), wanted)
        assert scored.actions[0] == Recommend(score) and scored.state.awaiting is None
        assert only_message(scored).type == "reaction"
    again = decide(RULES, scored.state, wrote("4"), wanted)
    assert again.actions[0] == Rate(4) and only_message(again).type == "reaction", "asked once in its life"
    for words in ("11", "quero ver os planos"):
        assert decide(RULES, graded.state, wrote(words), wanted).actions[0] == Reopen(to_queue=False)
    assert only_message(decide(RULES, asked, wrote("5"), facts(resolved=True))).type == "reaction", "not by itself"


def test_a_new_demand_after_the_end_reopens_and_is_answered_or_goes_back_to_people():
    asked = ask_satisfaction(RULES, GREETED, facts(resolved=True)).state
    with_bot = decide(RULES, asked, wrote("quero ver os planos"), facts(resolved=True))
    assert with_bot.actions[0] == Reopen(to_queue=False) and isinstance(with_bot.actions[1], Say)
    with_people = decide(RULES, asked, wrote("quero ver os planos"), facts(resolved=True, for_people=True))
    assert with_people.actions == (Reopen(to_queue=True),)
    assert with_bot.state.awaiting is None and with_people.state.awaiting is None


def test_thanks_after_the_end_reopen_nothing():
    asked = ask_satisfaction(RULES, GREETED, facts(resolved=True)).state
    decision = decide(RULES, asked, wrote("obrigada!"), facts(resolved=True))
    assert only_message(decision).type == "reaction" and decision.state.awaiting == "rating"


# --- whatever the data holds ----------------------------------------------------------------------------------------

words = st.text(min_size=1, max_size=150)
contracts = st.builds(
    Contract,
    id=st.text(min_size=1, max_size=100),
    status=st.sampled_from(["active", "suspended"]),
    city=st.none() | words,
    state_code=st.sampled_from([None, "SP", "AM", "ZZ"]),
    region_code=st.just("R"),
    plan_name=words,
    plan_kind=st.just("fiber"),
    invoices=st.lists(
        st.builds(
            invoice,
            contract_id=st.just("x"),
            amount_micros=st.integers(0, 10**15),
            currency=st.sampled_from(["BRL", "USD"]),
            barcode=st.none() | st.text(max_size=60),
            pix_code=st.none() | st.text(max_size=600),
        ),
        max_size=5,
    ).map(tuple),
)
plans = st.lists(
    st.builds(
        Plan,
        words,
        st.just("fiber"),
        st.none() | st.integers(1, 9999),
        st.none(),
        st.integers(0, 10**12),
        st.just("BRL"),
    ),
    max_size=20,
)


@given(st.lists(contracts, max_size=14, unique_by=lambda one: one.id), plans, words, st.booleans())
def test_whatever_the_data_holds_the_channel_accepts_the_message(owned, offered, name, greeted):
    known = facts(*owned, plans=tuple(offered), name=name)
    for text in ("segunda via", "sem sinal", "planos", "oi"):
        only_message(decide(RULES, State(greeted=greeted), wrote(text), known))
    for one in owned[:3]:
        only_message(decide(RULES, GREETED, tapped(f"invoice_copy:{one.id}"), known))


states = st.builds(
    State,
    greeted=st.booleans(),
    misses=st.integers(0, 4),
    answered=st.booleans(),
    offered=st.lists(st.sampled_from([*RULES.options, "invoice_copy:C-1", "gone"]), max_size=4).map(tuple),
    yes=st.sampled_from([None, "solved", "agent"]),
    no=st.sampled_from([None, "still_broken", "menu"]),
    rating_asked=st.booleans(),
    nps_asked=st.booleans(),
    awaiting=st.sampled_from([None, "rating"]),
)
inbounds = st.lists(
    st.builds(
        Inbound,
        carries=st.sampled_from(["text", "media", "choice", "unknown", "location"]),
        text=st.none()
        | st.text(max_size=40)
        | st.sampled_from(["sair", "cancelar", "oi", "1", "obrigado", "boleto", "sim"]),
        choice=st.none() | st.sampled_from([*RULES.options, "csat_3", "csat_9", "csat_", "invoice_copy:C-1", "x"]),
        voice=st.booleans(),
        wamid=st.none() | st.just("wamid.1"),
        consent=st.none() | st.tuples(st.sampled_from(["marketing", "utility", "all"]), st.booleans()),
    ),
    max_size=5,
)


@given(states, inbounds, st.booleans(), st.booleans())
def test_every_turn_ends_in_at_most_one_message_that_the_channel_accepts(state, inbound, resolved, for_people):
    known = facts(contract(invoices=(invoice(),)), resolved=resolved, for_people=for_people)
    decision = decide(RULES, state, inbound, known)
    drafts = [action.draft for action in decision.actions if isinstance(action, Say)]
    assert len(drafts) <= 1
    for draft in drafts:
        judge(draft)
