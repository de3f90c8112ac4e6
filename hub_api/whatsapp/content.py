"""The words for a message: the customer's own where there are some, else what it is, in [brackets], for people and search."""

from collections.abc import Sequence

from hub_api.whatsapp.inbound import (
    CallPermission,
    Cards,
    Choice,
    Detail,
    Fault,
    FlowReply,
    Location,
    Media,
    Order,
    Text,
    Unknown,
    Unsupported,
)

MEDIA_WORDS = {
    "image": "imagem",
    "video": "vídeo",
    "audio": "áudio",
    "document": "documento",
    "sticker": "figurinha",
}

# `unsupported.type` as the channel writes it (channel document §1.2).
_UNSUPPORTED = {
    "button": "botão",
    "edit": "edição de mensagem",
    "gif": "GIF",
    "group_invite": "convite de grupo",
    "hsm": "modelo de mensagem",
    "image": "imagem",
    "interactive": "mensagem interativa",
    "keep_in_chat": "mensagem mantida na conversa",
    "link_preview": "prévia de link",
    "list": "lista",
    "location": "localização",
    "media_placeholder": "mídia",
    "order": "pedido",
    "pin": "mensagem fixada",
    "poll_creation": "enquete",
    "poll_update": "voto em enquete",
    "product": "produto",
    "reaction": "reação",
}

# Types whose whole meaning is that they came: no object, no words.
_BARE = {"request_welcome": "abriu a conversa", "media_placeholder": "mídia do histórico"}


def content_of(  # noqa: PLR0911 - one answer per kind of detail
    message_type: str, detail: Detail, faults: Sequence[Fault] = ()
) -> str:
    """The words to show and search for a message; never empty."""
    match detail:
        case Text(body=body):
            return body
        case Media():
            return _media(detail, faults)
        case Location():
            where = ", ".join(part for part in (detail.name, detail.address) if part)
            return bracketed("localização", f"{where} ({detail.latitude}, {detail.longitude})".strip())
        case Cards(cards=cards):
            people = (" ".join(filter(None, (card.name, *(p.phone or p.wa_id for p in card.phones)))) for card in cards)
            return bracketed("contato", "; ".join(people))
        case Choice():
            return detail.title or detail.id or "[opção sem título]"
        case FlowReply(name="address_message"):
            return bracketed("endereço", detail.body or "")
        case FlowReply():
            return "[formulário preenchido]"
        case CallPermission():
            answer = {"accept": "permitiu ligações", "reject": "recusou ligações"}
            return f"[{answer.get(detail.response or '', 'respondeu ao pedido de ligação')}]"
        case Order():
            pieces = sum(line.quantity or 1 for line in detail.lines)
            return bracketed("pedido", f"{pieces} {'item' if pieces == 1 else 'itens'}", detail.text)
        case Unsupported(unavailable=True):
            return "[mensagem indisponível: peça que seja enviada de novo]"
        case Unsupported():
            return bracketed("não suportada pelo canal", _UNSUPPORTED.get(detail.type or "", detail.type or ""))
        case Unknown():
            return _bare(message_type, detail)


def _media(media: Media, faults: Sequence[Fault]) -> str:
    word = "mensagem de voz" if media.voice else MEDIA_WORDS.get(media.kind, media.kind)
    if faults:
        note = "não pôde ser baixado do remetente" if any(fault.code == 131052 for fault in faults) else "não chegou"
        return bracketed(word, note, media.caption)
    return bracketed(word, media.filename or "", media.caption)


def _bare(message_type: str, detail: Unknown) -> str:
    if message_type in _BARE:
        return f"[{_BARE[message_type]}]"
    if message_type == "system":
        notice = detail.raw.get("system")
        return bracketed("aviso do canal", str(notice.get("body") or "") if isinstance(notice, dict) else "")
    if detail.raw.get(message_type) is not None or message_type not in KNOWN:
        return bracketed("tipo desconhecido", message_type)
    return bracketed("sem conteúdo", message_type)


# Types that carry an object of their name.
KNOWN = frozenset(
    {*MEDIA_WORDS, "text", "location", "contacts", "interactive", "button", "order", "edit", "revoke", "reaction"}
)


def bracketed(what: str, which: str, words: str | None = None) -> str:
    """`[what: which] words`, without what is empty."""
    head = f"[{what}: {which}]" if which else f"[{what}]"
    return f"{head} {words}" if words else head
