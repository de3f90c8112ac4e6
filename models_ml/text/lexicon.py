"""What single words say, and what a reading says by them: the floor that a trained model has to beat, and features of it.

The lists are written for this project, for what customers of an operator say; words stand as `normalise` leaves them.
"""

from models_ml.text.normalise import CONTRASTS, Reading

_POSITIVE = """
bom boa bons boas otimo otima otimos otimas excelente excelentes perfeito perfeita perfeitos perfeitas maravilhoso maravilhosa maravilha
incrivel fantastico fantastica sensacional espetacular top show massa legal bacana joia beleza brabo braba bala firmeza arretado pai-d'egua
gostei gostamos gostando adorei adoro adoramos amei amo amando amor curti curtindo recomendo recomendado satisfeito satisfeita satisfeitos
contente feliz felizes alegre alegria aliviado aliviada alivio grato grata gratidao obrigado obrigada obrigados valeu agradeco agradecido
agradecida agradecimento parabens elogio elogiar elogiado elogiada resolveu resolveram resolvido resolvida solucionou solucionado solucionada
funciona funcionou funcionando voltou melhorou melhora melhor melhores agil agilidade rapido rapida rapidos rapidas rapidez pontual pontualidade
eficiente eficiencia eficaz educado educada educados educadas educacao gentil gentis gentileza atencioso atenciosa atenciosos simpatico simpatica
prestativo prestativa prestativos cordial cordialidade competente profissional profissionais caprichoso caprichou caprichado facil facilidade
facilitou pratico pratica praticidade tranquilo tranquila tranquilidade justo justa barato barata baratinho economia economizei compensa compensou
vale valeu-a-pena estavel estabilidade veloz voando nitido confiavel confianca seguro segura sucesso certinho certinha direitinho impecavel
surpreendeu surpreendeu surpreso superou ajudou ajudaram ajuda-otima acolhedor respeitoso respeito honesto honestidade transparente transparencia
correto correta nota_alta emoji_amor emoji_alegre emoji_sim emoji_obrigado emoji_estrela imbativel imperdivel vantagem vantajoso lindo linda lindos
bonito bonita limpo limpinho antes adiantado nitida fofo fofa anjo dez
"""
_NEGATIVE = """
ruim ruins pessimo pessima pessimos pessimas horrivel horriveis terrivel terriveis lixo porcaria palavrao droga vergonha vergonhoso vergonhosa
absurdo absurda ridiculo ridicula lamentavel deploravel decepcao decepcionado decepcionada decepcionante decepcionou insatisfeito insatisfeita
insatisfacao frustrado frustrada frustracao indignado indignada indignacao revoltado revoltada revoltante raiva odeio odiei detestei detesto
irritado irritada irritante chateado chateada chato chata cansado cansada cansei cansativo estressado estressada estresse nervoso nervosa
reclamar reclamacao reclamei reclamando reclamo procon anatel processo processar justica advogado golpe golpista fraude roubo roubando roubaram
ladrao ladroes enganado enganada enganosa enganacao enganaram mentira mentiras mentiroso mentirosos mentiram enrolacao enrolam enrolando enrolaram
descaso desrespeito despreparo despreparado despreparada incompetente incompetentes incompetencia grosso grossa grosseiro grosseria mal-educado
mal-educada maleducado debochou deboche ignorante estupido burro burra palhacada piada palhaco otario trouxa caiu cai caindo cair queda quedas
lento lenta lentos lentas lentidao trava travando travou travado travada instavel instabilidade oscila oscilando falha falhas falhando defeito
defeituoso quebrado quebrada quebrou estragado estragada problema problemas erro erros errado errada errados erradas indevido indevida indevidas
demora demorado demorada demorou demoram demorando atraso atrasado atrasada atrasou espera esperando esperei nunca ninguem nada piorou piora pior
piores caro cara caros caras carissimo abusivo abusiva abusivos exploracao salgado multa juros cobraram cobranca-indevida cortaram bloquearam
desligaram sumiu sumiram abandonado prejuizo perdi perdeu transtorno transtornos inferno pesadelo aff vixe socorro impossivel inadmissivel
inaceitavel inutil fraco fraca nota_baixa emoji_raiva emoji_triste emoji_medo emoji_nojo mancada vacilo vacilaram furada bugado bugada pistola
arrependido arrependida arrependo arrependimento desisto desisti pena infelizmente dificil dificuldade complicado complicada falta faltando faltou
feio feia sujo suja sujeira carroca bagunca caos perrengue aperreio osso humilhacao humilhado descumprem descumpriram falso falsa descontentamento
"""
_STRONGER = frozenset(
    {
        "muito",
        "muita",
        "demais",
        "super",
        "extremamente",
        "bastante",
        "totalmente",
        "completamente",
        "tao",
        "bem",
        "mega",
        "hiper",
    }
)
_REQUEST = frozenset(
    [
        "quero",
        "queria",
        "gostaria",
        "preciso",
        "poderia",
        "podem",
        "pode",
        "como",
        "qual",
        "quais",
        "quanto",
        "quando",
        "onde",
        "solicito",
        "informar",
        "saber",
        "manda",
        "envie",
        "mande",
        "favor",
        "segunda",
        "agendar",
        "consulta",
    ]
)
POLARITY = {**dict.fromkeys(_POSITIVE.split(), 1.0), **dict.fromkeys(_NEGATIVE.split(), -1.0)}
SIGNALS = (
    "positive", "negative", "positive_negated", "negative_negated", "positive_emoji", "negative_emoji", "score", "before_contrast",
    "after_contrast", "contrast_turns", "both", "question", "exclamation", "shouting", "stretched", "request", "words", "laughter", "swearing",
)  # fmt: skip


def polarities(reading: Reading) -> list[float]:
    """Per token −2 to 2: its polarity, turned by a negation that reaches it, doubled after a stronger word."""
    found = []
    for place, (token, negated) in enumerate(zip(reading.tokens, reading.negated, strict=True)):
        value = POLARITY.get(token, 0.0)
        if value and place and reading.tokens[place - 1] in _STRONGER:
            value *= 2
        found.append(-value if negated else value)
    return found


def lexicon_score(reading: Reading) -> float:
    """−1 to 1: the polarities' sum over their size, what stands after a contrast counting double; 0 without any."""
    values = polarities(reading)
    turn = _turn(reading)
    if turn is not None:
        values = [value * (2 if place > turn else 1) for place, value in enumerate(values)]
    size = sum(abs(value) for value in values)
    return sum(values) / (size + 1) if size else 0.0


def signals(reading: Reading) -> tuple[float, ...]:
    """The figures named in SIGNALS, each 0 to about 1."""
    values, tokens = polarities(reading), reading.tokens
    turn = _turn(reading)
    before = sum(values[:turn]) if turn is not None else 0.0
    after = sum(values[turn:]) if turn is not None else 0.0
    emoji = [value for token, value in zip(tokens, values, strict=True) if token.startswith("emoji")]
    pairs = list(zip(values, reading.negated, strict=True))
    positive, negative = sum(v > 0 for v in values), sum(v < 0 for v in values)
    return (
        min(positive, 4) / 4, min(negative, 4) / 4,
        float(any(v < 0 and n for v, n in pairs)), float(any(v > 0 and n for v, n in pairs)),
        float(any(v > 0 for v in emoji)), float(any(v < 0 for v in emoji)),
        lexicon_score(reading), _squash(before), _squash(after), float(before * after < 0), float(positive > 0 and negative > 0),
        float("?" in tokens), float("!" in tokens), reading.shouting, min(reading.stretched, 3) / 3,
        float(any(token in _REQUEST for token in tokens)), min(len(tokens), 40) / 40, float("risada" in tokens), float("palavrao" in tokens),
    )  # fmt: skip


def _turn(reading: Reading) -> int | None:
    return next((place for place, token in enumerate(reading.tokens) if token in CONTRASTS), None)


def _squash(value: float) -> float:
    return max(-1.0, min(1.0, value / 3))
