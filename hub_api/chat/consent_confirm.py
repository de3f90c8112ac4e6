"""The one confirmation of an opt-out that was made outside of the conversation: by a link, an agent, a program.

What a customer writes or taps is confirmed by the bot; a preference set at Meta is confirmed by WhatsApp itself.
"""

from uuid import UUID

from hub_api.chat.consent import Scope, queries
from hub_api.chat.outgoing import queue_message, text
from hub_api.platform.postgres import Transaction

_WORDS: dict[Scope, str] = {
    "marketing": "Pronto! Você não vai mais receber nossas promoções por aqui. Para voltar a receber, responda VOLTAR.",
    "utility": "Pronto! Você não vai mais receber nossos avisos por aqui. Para voltar a receber, responda VOLTAR.",
    "all": "Pronto! Você só vai receber respostas ao que nos perguntar. Para voltar a receber o resto, responda VOLTAR.",
}


async def confirm(tx: Transaction, customer_id: UUID, scope: Scope) -> bool:
    """Queue the confirmation of an opt-out that was recorded just now; False when nothing but a template could reach him."""
    conversation_id = await tx.db.fetchval(queries.open_window, customer_id)
    if conversation_id is None:
        return False
    await queue_message(tx, conversation_id, text(_WORDS[scope], author="system"))
    return True
