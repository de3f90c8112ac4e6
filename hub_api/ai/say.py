"""The bot's words as messages of the channel: within its limits whatever the data holds, and as Brazilians write."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from hub_api.ai.rules import (
    BUTTON_BODY,
    BUTTON_TITLE,
    LIST_BODY,
    ROW_DESCRIPTION,
    ROW_TITLE,
    ROWS,
    Rules,
)
from hub_api.chat.outgoing import Draft, text

_CURRENCIES = {"BRL": "R$"}
_BUTTONS = 3
_ID = 200  # row ids; buttons may have 256


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to tap: `id` comes back, `title` and `description` are clipped to what the channel takes."""

    id: str
    title: str
    description: str | None = None


def option(rules: Rules, name: str) -> Choice:
    """An option of the rules."""
    return Choice(name, rules.options[name].title, rules.options[name].description)


def message(rules: Rules, words: str, choices: Sequence[Choice] = (), *, button: str | None = None) -> Draft:
    """`words` with what can be tapped under it: up to three buttons, else one list (with `button`, always a list).

    A body too long for buttons becomes a list. Choices whose id the channel would refuse, and more than fit, are left out.
    """
    taken = _distinct(choices)
    if not taken:
        return text(clip(words, LIST_BODY))
    fits = len(taken) <= _BUTTONS and len(words) <= BUTTON_BODY
    if button is None and fits and all(len(one.title) <= BUTTON_TITLE for one in taken):
        action: dict[str, object] = {
            "buttons": [{"type": "reply", "reply": {"id": one.id, "title": one.title}} for one in taken]
        }
        kind = "button"
    else:
        action = {"button": button or rules.menu.button, "sections": [{"rows": [_row(one) for one in taken]}]}
        kind = "list"
    body = {
        "type": kind,
        "body": {"text": clip(words, BUTTON_BODY if kind == "button" else LIST_BODY)},
        "footer": {"text": rules.footer},
        "action": action,
    }
    return Draft("interactive", body, body["body"]["text"])  # type: ignore[index]


def form(rules: Rules, words: str, button: str, flow_id: str, token: str) -> Draft:
    """`words` over a button that opens a form (a flow); what is filled in comes back under `token`."""
    parameters = {
        "flow_message_version": "3", "flow_id": flow_id, "flow_cta": button, "flow_token": token, "flow_action": "navigate",
    }  # fmt: skip
    body = {
        "type": "flow",
        "body": {"text": clip(words, BUTTON_BODY)},
        "footer": {"text": rules.footer},
        "action": {"name": "flow", "parameters": parameters},
    }
    return Draft("interactive", body, clip(words, BUTTON_BODY))


def reaction(emoji: str, wamid: str) -> Draft:
    """An emoji put on the customer's message: says thanks without a text."""
    return Draft("reaction", {"message_id": wamid, "emoji": emoji}, emoji)


def clip(words: str, longest: int) -> str:
    """`words`, or as much of them as fits with an ellipsis."""
    return words if len(words) <= longest else words[: longest - 1].rstrip() + "…"


def money(micros: int, currency: str = "BRL") -> str:
    """129_900_000 -> "R$ 129,90"; to the cent, half up."""
    cents = (micros + 5_000) // 10_000
    grouped = f"{cents // 100:,}".replace(",", ".")
    return f"{_CURRENCIES.get(currency, currency)} {grouped},{cents % 100:02}"


def day(when: date) -> str:
    """31/12/2026."""
    return f"{when.day:02}/{when.month:02}/{when.year}"


def month(rules: Rules, when: date) -> str:
    """ "novembro/2026"."""
    return f"{rules.months[when.month - 1]}/{when.year}"


def moment(rules: Rules, when: datetime, now: datetime, zone: ZoneInfo) -> str:
    """ "hoje às 14:30", or with the date, on the clock of `zone`."""
    local = when.astimezone(zone)
    time = f"{local.hour:02}:{local.minute:02}"
    if local.date() == now.astimezone(zone).date():
        return rules.today.format(time=time)
    return rules.on_day.format(day=day(local.date()), time=time)


def first_name(full: str | None) -> str | None:
    """The first word of a profile name if it is one to address somebody by, capitalised; None for emoji, codes, shouts."""
    words = (full or "").split()
    if not words or not words[0].isalpha() or not 2 <= len(words[0]) <= 20:
        return None
    return words[0].capitalize()


def _row(choice: Choice) -> dict[str, str]:
    row = {"id": choice.id, "title": clip(choice.title, ROW_TITLE)}
    if choice.description:
        row["description"] = clip(choice.description, ROW_DESCRIPTION)
    return row


def _distinct(choices: Sequence[Choice]) -> list[Choice]:
    """Choices the channel accepts together: ids and shown titles are unique, ids short enough, ten at most."""
    ids: set[str] = set()
    titles: set[str] = set()
    taken = []
    for choice in choices:
        title = clip(choice.title.strip() or choice.id, ROW_TITLE)
        if title in titles:  # what differs is at the end, as in contract numbers
            title = f"…{choice.title[-(ROW_TITLE - 1) :]}"
        if choice.id in ids or title in titles or len(choice.id) > _ID:
            continue
        ids.add(choice.id)
        titles.add(title)
        taken.append(Choice(choice.id, title, choice.description))
    return taken[:ROWS]
