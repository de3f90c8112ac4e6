"""What to do about an error of Meta's, in the words of whoever operates the numbers (channel document §5)."""

from hub_api.whatsapp.send.errors_table import rule_for

_ADVICE: tuple[tuple[tuple[int, ...], str], ...] = (
    ((0, 190), "Token inválido ou vencido: gere outro no Gerenciador e cadastre-o; o envio continua sozinho."),
    (
        (3, 10, *range(200, 300), 131005),
        "Falta permissão: atribua a conta ao usuário de sistema e confira a revisão do app.",
    ),
    ((1, 131000), "Falha da Meta: já tentamos de novo; se continuar, abra chamado com o fbtrace_id."),
    ((2, 131016, 133004), "A Meta está instável: tentamos de novo sozinhos; veja metastatus.com."),
    ((4, 80007), "Limite de chamadas da Meta: esperamos alguns minutos; evite consultas em massa."),
    ((33,), "A Meta não conhece este número: confira o phone_number_id ou remova o número."),
    ((100, 131008, 131009, 135000), "Parâmetro errado na mensagem: corrija o conteúdo ou o programa que a criou."),
    ((368, 131031), "Conta restrita pela Meta: veja a Central de Suporte da empresa e peça revisão."),
    ((130403,), "Nós bloqueamos esta pessoa: desbloqueie à mão, se for o caso."),
    ((130429,), "Vazão do número no limite: o envio foi desacelerado; distribua por mais números."),
    ((130472,), "Pessoa em experimento da Meta: use outro canal."),
    ((130497,), "Categoria do negócio não permitida neste país: não envie para ele."),
    ((131021,), "O destinatário é o próprio número: corrija o cadastro."),
    ((131026,), "Não entregue (sem WhatsApp, app antigo ou bloqueio): tente outro canal após três falhas."),
    ((131030,), "Número de teste: inclua o destinatário na lista de teste."),
    ((131037,), "Nome de exibição não aprovado: ajuste-o no Gerenciador; o envio volta com a aprovação."),
    ((131042,), "Problema de pagamento: avise o financeiro; sem pagamento nem as respostas saem."),
    ((131045, 133010), "Número não registrado: registre-o com o PIN (hub numbers register)."),
    ((131047,), "Janela de 24 h fechada: envie um modelo aprovado."),
    ((131048,), "Restrição por spam: marketing parado por 24 h; reveja público e conteúdo."),
    ((131049,), "Limite de marketing da pessoa: espere ao menos 24 h; o modelo não tem culpa."),
    ((131050,), "A pessoa parou o marketing: registrado como descadastro."),
    ((131051,), "Tipo de mensagem sem suporte: corrija o programa que a criou."),
    ((131052,), "Mídia do cliente não pôde ser baixada: peça que envie de novo (até 100 MB)."),
    ((131053,), "A Meta recusou nosso arquivo: confira tipo, tamanho e codec."),
    ((131055, 134100), "Não é modelo de marketing: envie pela rota comum."),
    ((131056,), "Mensagens demais para a mesma pessoa: esperamos e tentamos de novo."),
    ((131057, 2494100), "Número em manutenção na Meta: volta em minutos."),
    ((131060,), "Mensagem do cliente indisponível (comum em anúncios): peça que escreva de novo."),
    ((131062,), "Código de autenticação exige telefone: peça o contato à pessoa."),
    ((131063,), "Marketing desligado na Cloud API: ajuste na conta ou use a MM API."),
    ((131064,), "Modelos mal classificados: corrija as categorias; utilidade parada por enquanto."),
    ((132000, 132005, 132008, 132012, 132018), "Preenchimento do modelo errado: corrija a campanha."),
    ((132001,), "Modelo ou idioma não existe na Meta: sincronize os modelos e corrija a campanha."),
    ((132007, 132016), "Modelo contra a política ou desativado: retire-o de uso."),
    ((132015,), "Modelo pausado por baixa qualidade: espere ou melhore o conteúdo."),
    ((132068, 132069), "Fluxo bloqueado ou limitado: ofereça um menu em seu lugar."),
    ((133000, 133005, 133006, 133008, 133009, 133015, 133016), "Registro do número incompleto: confira PIN e espera; não repita em série."),
    ((134011,), "Termos de pagamento pendentes: aceite-os no Gerenciador."),
    ((134101, 134102), "Modelo ainda não disponível na MM API: espere dez minutos ou confira a elegibilidade."),
    ((137000,), "A identidade do cliente mudou: confirme quem é antes de escrever."),
)  # fmt: skip
_BY_CODE = {code: words for codes, words in _ADVICE for code in codes}
UNKNOWN = "Código que não conhecemos: guarde o erro e abra chamado na Meta."
OTHER_FEATURE = "Erro de outro recurso (chamadas, bloqueios, nomes de usuário): veja a documentação da Meta."


def advice(code: int) -> str:
    """What a person should do, in Portuguese; also for a code nobody knows."""
    if words := _BY_CODE.get(code):
        return words
    return OTHER_FEATURE if rule_for(code).meaning.startswith("error of another feature") else UNKNOWN


def meaning(code: int) -> str:
    """What the code means, in English, as the error table says it."""
    return rule_for(code).meaning
