"""The survey after the end, where the 24 h window has closed: an approved template asks, or the conversation says why nobody was asked.

Inside the window the bot asks by itself (`ai/bot.py`). The template is the channel's business: `due` is the mark that
`whatsapp/survey` finds. What comes back is read here, since the channel and the bot both ask whether it is an answer.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

from hub_api.chat.conversations import queries
from hub_api.events import ConversationSurveyed
from hub_api.platform.postgres import Transaction

Outcome = Literal["due", "template", "no_template", "template_unusable", "opted_out"]

GRADE = "csat_"  # what is tapped is this and the grade, and after a colon the conversation where it does not follow
FORM = "nps:"  # a form's token is this and the conversation
SCORE = "score"  # the form's field with the recommendation
_GRADE = re.compile(r"csat_([1-5])(?::([0-9a-f-]{36}))?")
# Forms made in Meta's builder give the place of the option before its words: "9_9".
_SCORE = re.compile(r"(?:\d+_)?(10|\d)")


class Answer(NamedTuple):
    """A grade or a score, and the conversation that it names."""

    value: int
    about: UUID | None


def read_choice(choice: str | None) -> Answer | None:
    """The grade that a tap is; None for any other tap."""
    found = _GRADE.fullmatch(choice or "")
    return Answer(int(found[1]), _uuid(found[2])) if found else None


def form_token(conversation_id: UUID) -> str:
    """The token under which the form of a conversation comes back."""
    return f"{FORM}{conversation_id}"


def is_form(response: Any) -> bool:
    """Whether a filled form is the survey's, whatever it says."""
    return isinstance(response, Mapping) and str(response.get("flow_token")).startswith(FORM)


def read_form(response: Any) -> Answer | None:
    """The recommendation in a filled form of ours: its field `score`, or its only field; None when there is none from 0 to 10."""
    if not is_form(response):
        return None
    fields = {name: value for name, value in response.items() if name != "flow_token"}
    given = fields.get(SCORE, next(iter(fields.values())) if len(fields) == 1 else None)
    found = _SCORE.fullmatch(str(given).strip())
    about = _uuid(str(response["flow_token"]).removeprefix(FORM))
    return Answer(int(found[1]), about) if found and about else None


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


async def note(tx: Transaction, conversation_id: UUID, outcome: Outcome | None) -> None:
    """Write down how the survey went; None: it was asked inside the window after all. Noting the same twice changes nothing."""
    row = await tx.db.fetchrow(queries.note_survey, conversation_id, outcome)
    if row is not None:
        tx.emit(
            ConversationSurveyed(
                aggregate_id=conversation_id,
                aggregate_version=row["version"],
                occurred_at=datetime.now(UTC),
                customer_id=row["customer_id"],
                reason=outcome or "asked",
            )
        )
