"""How Brazilians shorten words when they type, and what is meant. Written for this project; keys carry no accents."""

import re

LAUGHTER = re.compile(r"k{2,}|(?:ha|he|hu|hi|rs|ua|ah|eh){2,}[a-z]?|rs|k[k]+[a-z]?|lol|(?:ashu|hasu|shua)+\w*")

_PAIRS = """
vc voce|vcs voces|ce voce|ces voces|cê voce|oce voce|ocê voce|ta esta|tá esta|to estou|tô estou|tou estou|tava estava|tao estao
tavam estavam|tamo estamos|tiver tiver|tive tive|n nao|ñ nao|nn nao|naum nao|num nao|nops nao|ne ne|q que|qe que|oq o que|oque o que
pq porque|pqe porque|porq porque|pk porque|tb tambem|tbm tambem|tmb tambem|tbem tambem|mt muito|mto muito|mtu muito|mta muita|mts muitos
mtos muitos|mtas muitas|mui muito|hj hoje|amanha amanha|ontm ontem|agr agora|dps depois|dpois depois|qd quando|qdo quando|qnd quando
qndo quando|qto quanto|qnto quanto|qnt quanto|qts quantos|qtos quantos|qlqr qualquer|qq qualquer|qlq qualquer|cmg comigo|ctg contigo|c com
p para|pra para|pro para o|pras para as|pros para os|prq porque|d de|dum de um|duma de uma|nd nada|td tudo|tds todos|tdo tudo|tudo tudo
blz beleza|bele beleza|vlw valeu|vlww valeu|flw falou|obg obrigado|obgd obrigado|obgda obrigada|brigado obrigado|brigada obrigada
obrigadu obrigado|obrigadinha obrigada|pfv por favor|pf por favor|pfvr por favor|pff por favor|pls por favor|plis por favor|msg mensagem
msgs mensagens|tel telefone|fone telefone|cel celular|celu celular|net internet|internete internet|interneti internet|intenet internet
intrnet internet|ft foto|att atualizado|atend atendimento|atds atendentes|cod codigo|cd cade|kd cade|cade cade|vdd verdade|serio serio
fds fim de semana|bjs beijos|bj beijo|abs abracos|abc abraco|aq aqui|aki aqui|ak aqui|eh e|ehh e|eu eu|so so|sq so que|soq so que
ngm ninguem|ning ninguem|ninguen ninguem|algm alguem|alg alguem|sla sei la|slk sei la|aff aff|afff aff|affs aff|pqp palavrao|vsf palavrao
vtnc palavrao|fdp palavrao|porra palavrao|caralho palavrao|krl palavrao|crl palavrao|crlh palavrao|carai palavrao|karalho palavrao|merda palavrao
bosta palavrao|puta palavrao|foda palavrao|fodase palavrao|fudeu palavrao|fuder palavrao|foder palavrao|cacete palavrao|desgraca palavrao
cu palavrao|wtf palavrao|prr palavrao|tnc palavrao|pa para|dms demais|demaiss demais|d+ demais|mlr melhor|mlhr melhor|mió melhor|mior melhor
pior pior|piór pior|rapido rapido|rapidao rapido|rapidinho rapido|rapidim rapido|otimo otimo|otima otima|tops top|topp top|topzera top
show show|xou show|showw show|perf perfeito|prfto perfeito|parabens parabens|parabéns parabens|pessimo pessimo|pesimo pessimo|horrivel horrivel
orrivel horrivel|horivel horrivel|ruin ruim|ruinzinho ruim|bao bom|bão bom|boum bom|baum bom|bunito bonito|facil facil|dificil dificil
problm problema|prblm problema|prob problema|pblm problema|probl problema|pobrema problema|poblema problema|plano plano|valr valor
reaix reais|conto reais|pila reais|mangos reais|contos reais|min minuto|mins minutos|hr hora|hrs horas|hs horas|seg segundo|mes mes|fmz firmeza
tmj valeu|tmjt valeu|pdc pode crer|sdds saudades|sqn so que nao|sqnao so que nao|mds meu deus|mdss meu deus|pelamor meu deus|jesus meu deus
gzuis meu deus|glr galera|mn mano|mano mano|mina mina|vei mano|veio veio|véi mano|moh muito|mó muito|mo muito|bagulho coisa|parada coisa|trem coisa
treco coisa|trens coisas|eae e ai|iae e ai|eai e ai|bdia bom dia|bd bom dia|bt boa tarde|bn boa noite|btarde boa tarde|bnoite boa noite
trd tarde|tarde tarde|vo vou|vamo vamos|bora vamos|simbora vamos|qro quero|kero quero|quro quero|qria queria|queru quero|preciso preciso|presiso preciso
precizo preciso|pago pago|paguei paguei|pagto pagamento|pgto pagamento|pgt pagamento|pagamneto pagamento|fat fatura|fatur fatura|fatuda fatura|ftura fatura|boletu boleto
bolet boleto|blt boleto|fz faz|fzr fazer|faser fazer|fize fiz|cs casa|trampo trabalho|trampar trabalhar|tecnico tecnico|tec tecnico|tecnicu tecnico
atendeti atendente|atendent atendente|atendiment atendimento|atentimento atendimento|sinau sinal|sinall sinal|wi-fi wifi|uaifai wifi|uifi wifi
waifai wifi|roteadr roteador|rotiador roteador|cancela cancela|canselar cancelar|cancelr cancelar|canselamento cancelamento|instala instala|intalar instalar
intalacao instalacao|instalacão instalacao|instalasao instalacao|istalacao instalacao|entaum entao|intao entao|antaum entao|naõ nao|nãoo nao|axo acho|axei achei|mas mas|maiz mas
mais mais|poren porem|ent entao|entao entao|tipo tipo|hein hein|eim hein|hem hein|uai uai|oxe oxe|bah bah|tche tche|vish vixe|vix vixe|vixi vixe
resouveu resolveu|resolvel resolveu|rezolveu resolveu|rezolver resolver|funfa funciona|funfando funcionando|funcionano funcionando|funcinando funcionando
eita eita|gostey gostei|ameei amei|adorey adorei
"""
SHORT = {
    key: tuple(meant.split())
    for pair in _PAIRS.replace("\n", "|").split("|")
    if pair.strip()
    for key, meant in [pair.split(maxsplit=1)]
    if key != meant
}
