"""The words that people read and search of each example."""

_BILL = "[cobrança: R$ 94,90, pedido FAT-2026-11-000123] Segunda via de novembro"
_PAID = "[pedido: FAT-2026-11-000123, concluído, pagamento recebido] Recebemos o seu pagamento. Obrigado!"
TOLD = {
    "text": "Boa tarde, Ana! Já estou verificando.",
    "reply": "R$ 99,90 por mês.",
    "image": "[imagem] As luzes do modem",
    "video": "[vídeo] Como reiniciar o modem",
    "audio": "[áudio]",
    "voice": "[mensagem de voz]",
    "document": "[documento: fatura-2026-11.pdf] Sua fatura",
    "sticker": "[figurinha]",
    "location": "[localização: Loja Sé, Praça da Sé, 1, São Paulo (-23.5505, -46.6333)]",
    "contacts": "[contato: Suporte Provedor +551130001000]",
    "reaction": "👍",
    "reaction_removed": "[reação retirada]",
    "buttons": "Como posso ajudar?",
    "list": "Escolha um plano",
    "cta_url": "A segunda via está pronta.",
    "flow": "Atualize o seu cadastro.",
    "location_request": "Onde fica a instalação?",
    "contact_request": "Qual é o seu telefone?",
    "order_details": _BILL,
    "order_status": _PAID,
    "template": "Olá Ana, a visita é hoje.",
    "template_named": "Olá Ana, segue sua fatura de R$ 99,90 em anexo.",
    "template_code": "*123456* é seu código de verificação.",
    "template_offer": "Olá Ana, fibra com desconto.\n[oferta até 01/01/2099 00:00 UTC]",
    "template_carousel": "Olá Ana, escolha o seu plano.\nA partir de R$ 79,90 por mês.\nA partir de R$ 79,90 por mês.",
    "template_flow": "Atualize o seu cadastro.",
}
