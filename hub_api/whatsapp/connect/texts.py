"""What `hub whatsapp connect` says: titles, findings, and the remedy of each failure; Portuguese first, then English."""

from typing import Literal

from hub_api.whatsapp.connect.run import Outcome

Language = Literal["pt", "en"]
Both = tuple[str, str]

TITLES: dict[str, Both] = {
    "settings": ("Segredo do aplicativo e token de verificação", "App secret and verify token"),
    "token": ("Token do usuário do sistema", "System user token"),
    "app_secret": ("Segredo confere com o aplicativo", "Secret belongs to the app"),
    "permissions": ("Permissões do token", "Permissions of the token"),
    "waba": ("Conta do WhatsApp Business (WABA)", "WhatsApp Business account (WABA)"),
    "subscription": ("Conta inscrita no aplicativo", "Account subscribed to the app"),
    "address": ("Endereço público HTTPS", "Public HTTPS address"),
    "handshake": ("Verificação do webhook", "Webhook verification"),
    "signature": ("Assinatura dos webhooks", "Webhook signature"),
    "number": ("Número conectado e registrado", "Number connected and registered"),
    "callback": ("Webhooks chegam a este endereço", "Webhooks come to this address"),
    "name": ("Nome de exibição", "Display name"),
    "quality": ("Qualidade e limites", "Quality and limits"),
    "payment": ("Forma de pagamento", "Payment method"),
    "message": ("Primeira mensagem de teste", "First test message"),
}

FOUND: dict[str, Both] = {
    "settings": ("presentes; a Meta é {meta} ({version})", "present; Meta is {meta} ({version})"),
    "token": ("válido, do aplicativo {app}", "valid, of app {app}"),
    "app_secret": ("a Meta aceitou a prova; o token é de {user}", "Meta took the proof; the token is of {user}"),
    "permissions": ("{granted}", "{granted}"),
    "waba": ("{name} ({waba}), moeda {currency}", "{name} ({waba}), currency {currency}"),
    "subscription": ("inscrita no aplicativo {app} {done}", "subscribed to app {app} {done}"),
    "address": ("{url}, certificado até {certificate}", "{url}, certificate until {certificate}"),
    "handshake": ("o desafio voltou; token errado é recusado", "the challenge came back; a wrong token is refused"),
    "signature": ("webhook assinado foi gravado aqui; assinatura errada é recusada",
                  "a signed webhook was stored here; a wrong signature is refused"),
    "number": ("{display}: {status}", "{display}: {status}"),
    "callback": ("{url} ({level})", "{url} ({level})"),
    "name": ("{name}, aprovado", "{name}, approved"),
    "quality": ("qualidade {quality}, {mps} mensagens/s, limite {limit}",
                "quality {quality}, {mps} messages/s, limit {limit}"),
    "payment": ("envio {state}", "sending {state}"),
    "message": ("{state} em {seconds} s", "{state} in {seconds} s"),
}  # fmt: skip

# By the code of a failure: what was found, and what to do about it.
FAILURES: dict[str, tuple[Both, Both]] = {
    "needs_value": (
        ("falta um valor", "a value is missing"),
        ("Informe {flag}.", "Give {flag}."),
    ),
    "meta_refused": (
        ("a Meta recusou: {meta_code} {words}", "Meta refused: {meta_code} {words}"),
        ("Corrija o que a Meta diz e rode de novo; código em developers.facebook.com → WhatsApp → Error codes.",
         "Repair what Meta says and run again; the code is explained at developers.facebook.com → WhatsApp → Error codes."),
    ),
    "meta_unreachable": (
        ("a Meta não respondeu: {why}", "Meta did not answer: {why}"),
        ("Libere a saída HTTPS para graph.facebook.com (ou confira HUB_META_BASE_URL) e rode de novo.",
         "Allow HTTPS to graph.facebook.com (or check HUB_META_BASE_URL) and run again."),
    ),
    "secret_missing": (
        ("falta {name}", "{name} is not set"),
        ("Copie o segredo em Meta for Developers → seu app → Configurações → Básico, invente um token de verificação, ponha os "
         "dois no ambiente ou em HUB_HOME/hub.env e reinicie o hub.",
         "Copy the secret from Meta for Developers → your app → Settings → Basic, make up a verify token, put both into the "
         "environment or HUB_HOME/hub.env and restart the hub."),
    ),
    "secret_too_short": (
        ("{name} tem menos de {least} caracteres", "{name} has fewer than {least} characters"),
        ("Copie o segredo em Meta for Developers → seu app → Configurações → Básico, ou gere o token de verificação com "
         "`openssl rand -hex 16`; ponha em {name} e reinicie o hub.",
         "Copy the secret from Meta for Developers → your app → Settings → Basic, or make the verify token with "
         "`openssl rand -hex 16`; put it in {name} and restart the hub."),
    ),
    "secrets_equal": (
        ("HUB_META_APP_SECRET e HUB_META_VERIFY_TOKEN são iguais", "HUB_META_APP_SECRET and HUB_META_VERIFY_TOKEN are equal"),
        ("O segredo vem da Meta; invente outro token de verificação.", "The secret comes from Meta; make another verify token."),
    ),
    "token_invalid": (
        ("token inválido ou vencido {words}", "token invalid or expired {words}"),
        ("Gere outro em business.facebook.com → Configurações → Usuários do sistema → Gerar token (validade: nunca).",
         "Make another at business.facebook.com → Settings → System users → Generate token (expiry: never)."),
    ),
    "token_of_a_person": (
        ("o token é do tipo {kind}, de uma pessoa", "the token is of type {kind}, of a person"),
        ("Use o token de um usuário do sistema: o de uma pessoa vence e cai quando ela sai da empresa.",
         "Use the token of a system user: a person's expires, and ends when the person leaves."),
    ),
    "token_ends": (
        ("o token vence em {days} dias", "the token ends in {days} days"),
        ("Gere um token sem validade para o usuário do sistema.", "Make a token without expiry for the system user."),
    ),
    "secret_of_another_app": (
        ("HUB_META_APP_SECRET é de outro aplicativo", "HUB_META_APP_SECRET is of another app"),
        ("Copie o segredo do aplicativo do token (Configurações → Básico) para HUB_META_APP_SECRET e reinicie o hub.",
         "Copy the secret of the token's app (Settings → Basic) into HUB_META_APP_SECRET and restart the hub."),
    ),
    "permission_missing": (
        ("falta {missing}", "{missing} is missing"),
        ("Gere o token de novo marcando {missing}.", "Make the token again with {missing} ticked."),
    ),
    "waba_unreadable": (
        ("a conta {waba} não pode ser lida: {words}", "account {waba} cannot be read: {words}"),
        ("Confira o id em Gerenciador do WhatsApp → Configurações e atribua a conta ao usuário do sistema com controle total.",
         "Check the id in WhatsApp Manager → Settings and assign the account to the system user with full control."),
    ),
    "waba_refused": (
        ("análise da conta: {review}", "review of the account: {review}"),
        ("Peça nova análise em Suporte da Empresa (business.facebook.com/business-support-home).",
         "Ask for another review at business.facebook.com/business-support-home."),
    ),
    "not_subscribed": (
        ("a conta não ficou inscrita no aplicativo {app}", "the account did not stay subscribed to app {app}"),
        ("Ponha o aplicativo em modo Ao vivo e inscreva o campo `messages` em WhatsApp → Configuração.",
         "Put the app in Live mode and subscribe the field `messages` in WhatsApp → Configuration."),
    ),
    "not_https": (
        ("{url} não é HTTPS", "{url} is not HTTPS"),
        ("Publique o hub atrás de um proxy com certificado público (deploy/nginx) e informe https://…",
         "Publish the hub behind a proxy with a public certificate (deploy/nginx) and give https://…"),
    ),
    "name_unknown": (
        ("o nome {host} não existe no DNS", "the name {host} is not in the DNS"),
        ("Crie o registro A/AAAA de {host} para o IP público do hub.", "Make an A/AAAA record of {host} for the hub's public IP."),
    ),
    "address_private": (
        ("{host} aponta para {ip}, que não é público", "{host} leads to {ip}, which is not public"),
        ("Aponte {host} para o IP público; a Meta chama pela internet.", "Point {host} to the public IP; Meta calls over the internet."),
    ),
    "unreachable": (
        ("sem resposta: {why}", "no answer: {why}"),
        ("Abra a porta no firewall e confira se o proxy e o hub estão no ar (`hub status`).",
         "Open the port in the firewall and check that proxy and hub run (`hub status`)."),
    ),
    "no_tls": (
        ("a porta não fala TLS: {why}", "the port speaks no TLS: {why}"),
        ("Ative TLS 1.2 ou mais novo no proxy.", "Turn on TLS 1.2 or newer in the proxy."),
    ),
    "certificate_self_signed": (
        ("certificado autoassinado ou de autoridade própria", "certificate self-signed or of an own authority"),
        ("A Meta só aceita autoridade pública: emita com Let's Encrypt.", "Meta takes public authorities only: use Let's Encrypt."),
    ),
    "certificate_chain": (
        ("cadeia do certificado incompleta: {why}", "chain of the certificate incomplete: {why}"),
        ("Sirva o certificado com os intermediários (fullchain.pem).", "Serve the certificate with its intermediates (fullchain.pem)."),
    ),
    "certificate_expired": (
        ("certificado vencido", "certificate expired"),
        ("Renove o certificado e recarregue o proxy.", "Renew the certificate and reload the proxy."),
    ),
    "certificate_ends": (
        ("certificado vence em {days} dias", "certificate ends in {days} days"),
        ("Renove já: vencido, a Meta para de entregar. Confira a renovação automática.",
         "Renew now: once it has ended Meta stops delivering. Check the automatic renewal."),
    ),
    "certificate_other_name": (
        ("certificado de outro nome: {why}", "certificate of another name: {why}"),
        ("Emita o certificado para o nome do endereço informado.", "Issue the certificate for the name in the address."),
    ),
    "certificate_wrong": (
        ("certificado recusado: {why}", "certificate refused: {why}"),
        ("Emita outro certificado público para este nome.", "Issue another public certificate for this name."),
    ),
    "ca_file": (
        ("{file} não pode ser lido: {why}", "{file} cannot be read: {why}"),
        ("Informe um arquivo PEM em --ca-file.", "Give a PEM file with --ca-file."),
    ),
    "handshake_not_answered": (
        ("resposta {status}: {body}", "answer {status}: {body}"),
        ("Confira se o proxy leva /webhooks/whatsapp a este hub e se HUB_META_VERIFY_TOKEN é o mesmo nos dois.",
         "Check that the proxy leads /webhooks/whatsapp to this hub and that HUB_META_VERIFY_TOKEN is the same in both."),
    ),
    "handshake_open": (
        ("um token errado também foi aceito", "a wrong token was taken too"),
        ("Não é o hub que responde neste endereço: corrija o proxy.", "It is not the hub that answers at this address: repair the proxy."),
    ),
    "signature_not_checked": (
        ("um webhook com assinatura errada foi aceito", "a webhook with a wrong signature was taken"),
        ("Não é o hub que responde neste endereço: corrija o proxy.", "It is not the hub that answers at this address: repair the proxy."),
    ),
    "signature_refused": (
        ("o webhook assinado foi recusado ({status})", "the signed webhook was refused ({status})"),
        ("O hub que responde tem outro HUB_META_APP_SECRET, ou o proxy altera o corpo: iguale o segredo e reinicie.",
         "The hub that answers has another HUB_META_APP_SECRET, or the proxy changes the body: make the secret equal and restart."),
    ),
    "webhook_answer": (
        ("resposta {status} ao webhook", "answer {status} to the webhook"),
        ("Confira o proxy (limite de corpo de 3 MB, método POST) e o log da API (`hub logs api`).",
         "Check the proxy (bodies up to 3 MB, method POST) and the API's log (`hub logs api`)."),
    ),
    "another_hub": (
        ("outro hub respondeu: o webhook não está neste banco", "another hub answered: the webhook is not in this database"),
        ("Aponte o endereço para este hub, ou rode o comando com o ambiente do hub publicado.",
         "Lead the address to this hub, or run the command with the environment of the published one."),
    ),
    "number_unreadable": (
        ("o número {number} não pode ser lido: {words}", "number {number} cannot be read: {words}"),
        ("Use o id do número (Identificação do número de telefone), não o telefone; veja Gerenciador do WhatsApp.",
         "Use the phone number id, not the phone; see WhatsApp Manager."),
    ),
    "number_state": (
        ("o número está {status}", "the number is {status}"),
        ("Só CONNECTED envia. Veja o motivo em Gerenciador do WhatsApp → Números e peça análise no Suporte da Empresa.",
         "Only CONNECTED sends. See why in WhatsApp Manager → Phone numbers and ask for a review in Business Support."),
    ),
    "pin_wrong": (
        ("PIN de verificação em duas etapas errado", "two-step verification PIN is wrong"),
        ("Informe o PIN certo em --pin ou troque-o em Gerenciador do WhatsApp → Número → Verificação em duas etapas.",
         "Give the right PIN with --pin, or change it in WhatsApp Manager → Number → Two-step verification."),
    ),
    "pin_locked": (
        ("PIN errado vezes demais", "the PIN was wrong too often"),
        ("Espere o tempo que a Meta indica e só então tente de novo.", "Wait as long as Meta says before you try again."),
    ),
    "registered_too_often": (
        ("registros demais: 10 em 72 h", "too many registrations: 10 in 72 h"),
        ("Espere 72 h; não registre em laço.", "Wait 72 h; never register in a loop."),
    ),
    "deleted_lately": (
        ("o número foi apagado há pouco", "the number was deleted a moment ago"),
        ("Espere 5 minutos e rode de novo.", "Wait 5 minutes and run again."),
    ),
    "phone_not_verified": (
        ("o telefone precisa ser verificado de novo", "the phone must be verified again"),
        ("Verifique por SMS ou ligação em Gerenciador do WhatsApp → Números.", "Verify by SMS or call in WhatsApp Manager → Phone numbers."),
    ),
    "callback_not_set": (
        ("nenhum endereço de webhook configurado", "no webhook address is configured"),
        ("Em Meta for Developers → WhatsApp → Configuração ponha {ours} e o token de verificação, ou rode com --override-callback.",
         "Put {ours} and the verify token in Meta for Developers → WhatsApp → Configuration, or run with --override-callback."),
    ),
    "callback_elsewhere": (
        ("os webhooks vão para {found} ({level})", "webhooks go to {found} ({level})"),
        ("Troque por {ours} em WhatsApp → Configuração, ou rode com --override-callback para que valha nesta conta.",
         "Change it to {ours} in WhatsApp → Configuration, or run with --override-callback to set it for this account."),
    ),
    "name_not_approved": (
        ("{name}: {status}", "{name}: {status}"),
        ("Aguarde a análise ou proponha outro nome em Gerenciador do WhatsApp → Números → Perfil.",
         "Wait for the review, or propose another name in WhatsApp Manager → Phone numbers → Profile."),
    ),
    "quality_red": (
        ("qualidade RED", "quality RED"),
        ("Pare campanhas por 7 dias, revise modelos e consentimento; a nota é de uma janela de 7 dias.",
         "Stop campaigns for 7 days and review templates and consent; the rating looks at 7 days."),
    ),
    "no_payment": (
        ("sem forma de pagamento válida {words}", "no valid payment method {words}"),
        ("Adicione em business.facebook.com → Cobrança; desde 01/10/2026 também respostas são cobradas.",
         "Add one at business.facebook.com → Billing; since 1 Oct 2026 replies are billed too."),
    ),
    "blocked": (
        ("{entity} bloqueado {words}", "{entity} blocked {words}"),
        ("Veja Suporte da Empresa: business.facebook.com/business-support-home.",
         "See Business Support: business.facebook.com/business-support-home."),
    ),
    "phone_wrong": (
        ("não é um telefone completo", "no full phone number"),
        ("Informe com DDD, por exemplo 11 98765-4321 ou +5511987654321.", "Give it with its area code, such as +5511987654321."),
    ),
    "templates_unreadable": (
        ("os modelos não puderam ser lidos: {why}", "templates could not be read: {why}"),
        ("Espere alguns minutos e rode de novo.", "Wait some minutes and run again."),
    ),
    "template_not_approved": (
        ("não há modelo aprovado {template}", "there is no approved template {template}"),
        ("Escolha um aprovado com --template; `hub templates list --status APPROVED` mostra quais.",
         "Choose an approved one with --template; `hub templates list --status APPROVED` shows them."),
    ),
    "template_needs_more": (
        ("o modelo {template} pede mídia, botões ou cartões", "template {template} needs media, buttons or cards"),
        ("Escolha com --template um modelo só de texto.", "Choose a template of text alone with --template."),
    ),
    "send_failed": (
        ("a mensagem falhou: {meta_code} {words}", "the message failed: {meta_code} {words}"),
        ("Corrija a causa e rode de novo; `hub numbers list` mostra o estado do número.",
         "Repair the cause and run again; `hub numbers list` shows the state of the number."),
    ),
    "held_back": (
        ("a mensagem espera: {reason}", "the message waits: {reason}"),
        ("Resolva a causa e libere o número ou a conta (resume).", "Repair the cause and resume the number or account."),
    ),
    "no_worker": (
        ("a mensagem ficou {seconds} s na fila", "the message stayed {seconds} s in the queue"),
        ("Nenhum processo envia: inicie `hub up` ou `hub worker`.", "No process sends: start `hub up` or `hub worker`."),
    ),
    "no_status": (
        ("a Meta aceitou, e nenhum status chegou em {seconds} s", "Meta accepted, and no status came in {seconds} s"),
        ("Os webhooks não chegam: confira o campo `messages` em WhatsApp → Configuração, o firewall e `hub webhooks dead`.",
         "Webhooks do not arrive: check the field `messages` in WhatsApp → Configuration, the firewall and `hub webhooks dead`."),
    ),
    "not_delivered": (
        ("{state}, mas não entregue em {seconds} s", "{state}, but not delivered in {seconds} s"),
        ("Confira se o telefone está ligado, com internet e com WhatsApp; rode de novo.",
         "Check that the phone is on, online and has WhatsApp; run again."),
    ),
}  # fmt: skip

WAITING: Both = ("espera “{title}”", "waits for “{title}”")
SKIPPED: Both = ("pulado", "skipped")


def title(step: str, language: Language) -> str:
    """The name of a step for people."""
    return _in(TITLES[step], language)


def found(outcome: Outcome, language: Language) -> str:
    """What a step found, in one line."""
    match outcome.state:
        case "passed":
            text = _in(FOUND[outcome.step], language)
        case "failed":
            text = _in(FAILURES[outcome.code][0], language)
        case "waiting":
            return _in(WAITING, language).format(title=title(outcome.facts["for"], language))
        case _:
            return _in(SKIPPED, language)
    return text.format_map(outcome.facts).strip()


def remedy(outcome: Outcome, language: Language) -> str | None:
    """What to do about a failure; None when there is none."""
    if outcome.state != "failed":
        return None
    return _in(FAILURES[outcome.code][1], language).format_map(outcome.facts)


def _in(both: Both, language: Language) -> str:
    return both[0] if language == "pt" else both[1]
