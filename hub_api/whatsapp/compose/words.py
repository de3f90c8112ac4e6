"""The words of a message of ours for people and search: its own text where it has one, else what it is, in [brackets]."""

from collections.abc import Sequence
from datetime import UTC, datetime

from hub_api.whatsapp.compose.fields import AudioFile, Captioned, DocumentFile, Medium
from hub_api.whatsapp.compose.free_form import NewContacts, NewLocation, Person, Reaction
from hub_api.whatsapp.compose.interactive import Interactive
from hub_api.whatsapp.compose.orders import Amount, OrderDetails, OrderParameters, OrderStatus
from hub_api.whatsapp.compose.template_buttons import OrderFilling
from hub_api.whatsapp.compose.template_check import fill
from hub_api.whatsapp.compose.template_parts import CarouselFilling, Filled, OfferFilling
from hub_api.whatsapp.content import MEDIA_WORDS, bracketed
from hub_api.whatsapp.templates.shape import VARIABLE, Shape, Text

_ORDER = {
    "pending": "pendente",
    "processing": "em processamento",
    "partially_shipped": "parcialmente enviado",
    "shipped": "enviado",
    "completed": "concluído",
    "canceled": "cancelado",
}
_PAYMENT = {"pending": "pagamento pendente", "captured": "pagamento recebido", "failed": "pagamento recusado"}


def of_medium(medium: Medium) -> str:
    """[imagem] with its caption, [documento: fatura.pdf], [mensagem de voz]."""
    word = "mensagem de voz" if isinstance(medium, AudioFile) and medium.voice else MEDIA_WORDS[medium.kind]
    name = medium.filename if isinstance(medium, DocumentFile) else None
    return bracketed(word, name or "", medium.caption if isinstance(medium, Captioned) else None)


def of_location(message: NewLocation) -> str:
    """[localização: name, address (latitude, longitude)]."""
    place = message.location
    where = ", ".join(part for part in (place.name, place.address) if part)
    return bracketed("localização", f"{where} ({place.latitude}, {place.longitude})".strip())


def of_contacts(message: NewContacts) -> str:
    """[contato: Ana Souza +55…; …]."""
    return bracketed("contato", "; ".join(map(_person, message.contacts)))


def of_reaction(reaction: Reaction) -> str:
    """The emoji itself."""
    return reaction.emoji or "[reação retirada]"


def of_interactive(message: Interactive) -> str:
    """The body, after what a bill or its state is."""
    match message:
        case OrderDetails():
            return of_bill(message.action.parameters, message.body.text)
        case OrderStatus():
            state = message.action.parameters
            told = [_ORDER[state.order.status]] if state.order else []
            told += [_PAYMENT[state.payment.status]] if state.payment else []
            return bracketed("pedido", f"{state.reference_id}, {', '.join(told)}", message.body.text)
        case _:
            return message.body.text


def of_bill(bill: OrderParameters, text: str | None = None) -> str:
    """[cobrança: R$ 94,90, pedido FAT-1] and the words with it."""
    return bracketed("cobrança", f"{_money(bill.total_amount)}, pedido {bill.reference_id}", text)


def of_template(shape: Shape, filled: Sequence[Filled]) -> str | None:
    """The body with its variables filled in, the cards' bodies below, when an offer ends, the bill; None without any."""
    lines = [fill(shape.body, filled)]
    for component in filled:
        match component:
            case CarouselFilling(cards=cards):
                bodies = {card.index: card.body or Text("") for card in shape.cards}
                lines += [fill(bodies[card.card_index], card.components) for card in cards]
            case OfferFilling(parameters=[parameter]):
                ends = datetime.fromtimestamp(parameter.limited_time_offer.expiration_time_ms / 1_000, UTC)
                lines.append(f"[oferta até {ends:%d/%m/%Y %H:%M} UTC]")
            case OrderFilling(parameters=[shown]):
                lines.append(of_bill(shown.action.order_details))
    return "\n".join(line for line in lines if line) or None


def of_code(shape: Shape) -> str | None:
    """The body of a one-time code without the code: who reads conversations must not read how somebody signs in."""
    return VARIABLE.sub("••••••", shape.body.text) if shape.body else None


def _person(person: Person) -> str:
    numbers = (phone.phone or phone.wa_id for phone in person.phones)
    return " ".join(filter(None, (person.name.formatted_name, *numbers)))


def _money(amount: Amount) -> str:
    reais, cents = divmod(amount.value, 100)
    return f"R$ {reais:,}".replace(",", ".") + f",{cents:02}"
