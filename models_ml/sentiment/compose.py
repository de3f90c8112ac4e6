"""Messages joined from our own clauses: two aspects in one message, contrasts, greetings, thanks, emoji, hurried typing.

People say two things at once more often than a written corpus does. Each clause keeps its aspect and polarity, so a
composed message knows its class and the polarity of each aspect.
"""

from collections.abc import Sequence
from random import Random

from models_ml.sentiment.corpus import Line
from models_ml.text.normalise import strip_accents

JOINED = (" e ", ", ", ". ", " e também ", "; ", ", e além disso ", "\n")
TURNED = (", mas ", ", porém ", ", só que ", ". Já ", ", pena que ", ", mas infelizmente ", " mas ", ". Por outro lado, ", ", em compensação ", ", entretanto ")  # fmt: skip
GREETINGS = ("oi, ", "olá, ", "bom dia, ", "boa tarde. ", "boa noite, ", "oi tudo bem? ", "opa, ", "pessoal, ", "moça, ", "então, ", "olha, ", "gente, ")  # fmt: skip
ENDINGS = {
    "neutral": (
        " por favor",
        ", obrigado",
        ", obrigada desde já",
        "?",
        " pfv",
        ", aguardo",
        " 🙏",
        ", grata",
        "??",
        " 😊",
    ),
    "positive": ("!", "!!", " 👏", " 😍", " ❤️", ", obrigado", ", valeu", " 🙏", " kkk", " 👍", ", parabéns", " 😁"),
    "negative": (
        "!",
        "!!!",
        " 😡",
        " 😤",
        ", absurdo",
        " 🤬",
        ", aff",
        " 👎",
        "...",
        ", resolvam",
        " 😞",
        " pelo amor de deus",
    ),
    "mixed": (".", "...", " rs", " kkk", " 🤷", "!", " né", " 😅"),
}
SHORTENED = (("você", "vc"), ("vocês", "vcs"), ("não", "n"), ("não", "nao"), ("muito", "mt"), ("muito", "mto"), ("que", "q"), ("porque", "pq"),
             ("também", "tb"), ("está", "tá"), ("estou", "tô"), ("hoje", "hj"), ("internet", "net"), ("para", "pra"), ("quando", "qnd"),
             ("obrigado", "obg"), ("por favor", "pfv"), ("demais", "dms"), ("ninguém", "ngm"), ("quero", "qro"), ("pagamento", "pgto"))  # fmt: skip


def compose(clauses: Sequence[tuple[str, str, str]], count: int, seed: int = 7) -> list[Line]:
    """`count` messages from clauses (aspect, polarity, text); the same seed gives the same ones. Classes come in about
    equal shares of negative, positive, mixed and neutral."""
    chance = Random(seed)
    by_polarity = {
        polarity: [clause for clause in clauses if clause[1] == polarity] for polarity in ("negative", "neutral", "positive")
    }  # fmt: skip
    makers = (_mixed, _alike, _alike, _neutral)
    return [makers[number % 4](chance, by_polarity, number) for number in range(count)]


def _mixed(chance: Random, by: dict[str, list[tuple[str, str, str]]], _: int) -> Line:
    first, second = chance.choice(by["positive"]), chance.choice(by["negative"])
    if first[0] == second[0] and first[0] != "none":
        second = chance.choice([clause for clause in by["negative"] if clause[0] != first[0]])
    if chance.random() < 0.5:
        first, second = second, first
    glue = chance.choice(TURNED) if chance.random() < 0.85 else ". "
    return _finish(chance, [first, second], glue, "mixed")


def _alike(chance: Random, by: dict[str, list[tuple[str, str, str]]], number: int) -> Line:
    polarity = "negative" if number % 4 == 1 else "positive"
    parts = [chance.choice(by[polarity])]
    if chance.random() < 0.45:
        parts.append(chance.choice(by[polarity if chance.random() < 0.6 else "neutral"]))
    if chance.random() < 0.3:
        chance.shuffle(parts)
    return _finish(chance, parts, chance.choice(JOINED), polarity)


def _neutral(chance: Random, by: dict[str, list[tuple[str, str, str]]], _: int) -> Line:
    parts = [chance.choice(by["neutral"]) for _ in range(2 if chance.random() < 0.3 else 1)]
    return _finish(chance, parts, chance.choice(JOINED), "neutral")


def _finish(chance: Random, parts: Sequence[tuple[str, str, str]], glue: str, sentiment: str) -> Line:
    text = glue.join(part[2] for part in parts)
    aspects: dict[str, str] = {}
    for aspect, polarity, _ in parts:
        if aspect != "none" and aspects.get(aspect) in (None, "neutral"):
            aspects[aspect] = polarity
    if chance.random() < 0.25:
        text = chance.choice(GREETINGS) + text
    if chance.random() < 0.45:
        text += chance.choice(ENDINGS[sentiment])
    return Line(type_hurriedly(chance, text, 0.35), sentiment, aspects, shows="composed")


def type_hurriedly(chance: Random, text: str, share: float) -> str:
    """The text as somebody in a hurry types it, for `share` of texts: without accents, shortened, in capitals, with
    letters lost, doubled, swapped or stretched."""
    if chance.random() >= share:
        return text
    for word, short in SHORTENED:
        if word in text and chance.random() < 0.4:
            text = text.replace(word, short)
    if chance.random() < 0.5:
        text = "".join(strip_accents(char) if char.isalpha() else char for char in text)
    if chance.random() < 0.08:
        text = text.upper()
    words = text.split(" ")
    for place, word in enumerate(words):
        if len(word) > 4 and word.isalpha() and chance.random() < 0.12:
            words[place] = _slip(chance, word)
    return " ".join(words)


def _slip(chance: Random, word: str) -> str:
    at = chance.randrange(1, len(word) - 1)
    return chance.choice((
        word[:at] + word[at + 1 :],
        word[:at] + word[at] + word[at:],
        word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        word + word[-1] * chance.randint(2, 4),
    ))  # fmt: skip
