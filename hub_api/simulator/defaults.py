"""The templates that are approved from the start."""

from typing import Any


def default_templates() -> list[dict[str, Any]]:
    """Fields of `Template` for each: the one that Meta gives every account, utilities with named parameters, of these one with a link and one with a document, a marketing one
    with quick replies, a survey and an authentication code."""
    return [
        {
            **_template(
                "hello_world",
                "UTILITY",
                {"type": "HEADER", "format": "TEXT", "text": "Hello World"},
                {
                    "type": "BODY",
                    "text": "Welcome and congratulations!! This message demonstrates your ability to send.",
                },
                {"type": "FOOTER", "text": "WhatsApp Business Platform sample message"},
            ),
            "language": "en_US",
        },
        _template(
            "fatura_disponivel",
            "UTILITY",
            _body(
                "Olá {{primeiro_nome}}, sua fatura de {{valor}} já está disponível. Pague em dia e evite juros.",
                named=[("primeiro_nome", "Ana"), ("valor", "R$ 99,90")],
            ),
            _quick_replies("Segunda via", "Falar com atendente"),
            parameter_format="NAMED",
        ),
        _template(
            "fatura_lembrete",
            "UTILITY",
            _body(
                "Oi {{primeiro_nome}}! A fatura de {{valor}} venceu em {{vencimento}}. Já pagou? Então esqueça este aviso.",
                named=[("primeiro_nome", "Ana"), ("valor", "R$ 99,90"), ("vencimento", "10/11/2026")],
            ),
            _quick_replies("Segunda via", "Já paguei"),
            parameter_format="NAMED",
        ),
        _template(
            "fatura_pagar",
            "UTILITY",
            _body(
                "Oi {{primeiro_nome}}! A fatura de {{valor}} venceu em {{vencimento}}. Para pagar agora: {{link}} Já pagou? Esqueça este aviso.",
                named=[
                    ("primeiro_nome", "Ana"),
                    ("valor", "R$ 99,90"),
                    ("vencimento", "10/11/2026"),
                    ("link", "https://telecom.example/l/4fTq0ZbW9xKc2LmA"),
                ],
            ),
            _quick_replies("Segunda via", "Já paguei"),
            parameter_format="NAMED",
        ),
        _template(
            "fatura_com_documento",
            "UTILITY",
            {"type": "HEADER", "format": "DOCUMENT", "example": {"header_handle": ["4::aW"]}},
            _body(
                "Olá {{primeiro_nome}}, segue sua fatura de {{valor}} em anexo.",
                named=[("primeiro_nome", "Ana"), ("valor", "R$ 99,90")],
            ),
            {
                "type": "BUTTONS",
                "buttons": [
                    {
                        "type": "URL",
                        "text": "Segunda via",
                        "url": "https://telecom.example/{{1}}",
                        "example": ["https://telecom.example/2via/abc123"],
                    },
                    {"type": "QUICK_REPLY", "text": "Parar promoções"},
                ],
            },
            parameter_format="NAMED",
        ),
        _template("boas_vindas", "UTILITY", _body("Olá {{1}}, bem-vindo! Sua instalação está confirmada.", "Ana")),
        _template(
            "oferta_fibra",
            "MARKETING",
            _body("{{1}}, chegou fibra de 500 mega na sua rua com instalação grátis. Aproveite!", "Ana"),
            {"type": "FOOTER", "text": "Responda SAIR para não receber promoções"},
            _quick_replies("Quero contratar", "Parar promoções"),
        ),
        _template(
            "pesquisa_satisfacao",
            "UTILITY",
            _body("Seu atendimento de protocolo {{1}} foi concluído. De 1 a 5, que nota você dá?", "20261123000001"),
            _quick_replies("1", "2", "3", "4", "5"),
        ),
        _template(
            "codigo_acesso",
            "AUTHENTICATION",
            _body("*{{1}}* é seu código de verificação. Por segurança, não o compartilhe.", "123456"),
            {
                "type": "BUTTONS",
                "buttons": [
                    {
                        "type": "URL",
                        "text": "Copiar código",
                        "url": "https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp{{1}}",
                        "example": ["https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp123456"],
                    }
                ],
            },
        ),
    ]


def _template(
    name: str, category: str, *components: dict[str, Any], parameter_format: str = "POSITIONAL"
) -> dict[str, Any]:
    return {
        "name": name,
        "language": "pt_BR",
        "category": category,
        "components": list(components),
        "parameter_format": parameter_format,
    }


def _body(text: str, *examples: str, named: list[tuple[str, str]] | None = None) -> dict[str, Any]:
    if named is not None:
        example: dict[str, Any] = {"body_text_named_params": [{"param_name": n, "example": e} for n, e in named]}
    else:
        example = {"body_text": [list(examples)]}
    return {"type": "BODY", "text": text, "example": example}


def _quick_replies(*labels: str) -> dict[str, Any]:
    return {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": label} for label in labels]}
