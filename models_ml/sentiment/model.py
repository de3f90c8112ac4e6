"""What a message says: its class with calibrated probabilities, a score, and the polarity of each aspect it speaks of."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models_ml.registry import pack_arrays, unpack_arrays
from models_ml.sentiment.corpus import ASPECTS, CLASSES
from models_ml.text.classifier import TextClassifier
from models_ml.text.normalise import strip_accents
from models_ml.text.vectorise import Prepared

BATCH = 512  # texts read and multiplied at once
NO_ASPECT = "none"
POLARITIES = ("negative", "neutral", "positive")
SURE = 0.55  # probability from which a clause is about an aspect
# Words that name an aspect whatever else stands beside them; accents removed.
NAMED = {
    "signal": r"sinal|sinau|internet|net|conexao|wi-?fi|velocidade|fibra|[345]g|rede|modem|roteador|cobertura|lent[ao]|trav\w+|oscil\w+",
    "billing": r"fatura\w*|boletos?|conta|cobran\w+|cobra(?:d[ao]|ram|ndo|r|m)|pix|estorn\w+|debito|vencimento|juros|pag(?:uei|ar|amento)",
    "price": r"precos?|car[ao]s?|barat\w+|mensalidade|desconto|promoc\w+|reajuste|salgado|custo|custa|quanto (?:e|fica|custa|sai)",
    "service": r"atend\w+|suporte|robo|protocolo|sac|central|educad[ao]|gross[ao]|fila|ligac\w+",
    "installation": r"instal\w+|tecnic[ao]s?|visita|agendamento|agendar",
    "cancellation": r"cancel\w+|rescis\w+|fidelidade|encerrar",
}
_NAMED = {aspect: re.compile(rf"\b(?:{words})\b") for aspect, words in NAMED.items()}
_CLAUSE = re.compile(
    r"[.;!?\n,]+|\b(?:mas|porem|so que|contudo|entretanto|todavia|pena que|em compensacao|por outro lado|embora)\b|(?<=\w) (?:ja|e) (?=[oa]s? )"
)


@dataclass(frozen=True, slots=True)
class Sentiment:
    """What a message says. `score` is P(positive) − P(negative), −1 to 1."""

    label: str
    probabilities: dict[str, float]
    score: float
    aspects: dict[str, str]


@dataclass(frozen=True)
class SentimentModel:
    """A classifier of messages and one that tells what a clause is about."""

    classifier: TextClassifier
    aspect: TextClassifier

    def predict(self, texts: Sequence[str]) -> list[Sentiment]:
        """One answer per text, in order; any string is answered."""
        found: list[Sentiment] = []
        for start in range(0, len(texts), BATCH):
            batch = texts[start : start + BATCH]
            found += self.answer(batch, Prepared.of(batch))
        return found

    def answer(self, texts: Sequence[str], readings: Prepared) -> list[Sentiment]:
        """`predict` for texts that were prepared already."""
        whole = self.probabilities(readings)
        parts = [split(text) for text in texts]
        # A message of one clause is its own clause: only the others are read again.
        several = [number for number, clauses in enumerate(parts) if len(clauses) > 1]
        clause_readings = Prepared.of(clause for number in several for clause in parts[number])
        polarity_of = iter(self.probabilities(clause_readings))
        subject_of = iter(self.aspect.probabilities(clause_readings))
        subjects = self.aspect.probabilities(readings)
        found = []
        for number, text in enumerate(texts):
            shares = whole[number]
            heard = [(text, subjects[number], shares)]
            if len(parts[number]) > 1:
                heard = [(clause, next(subject_of), next(polarity_of)) for clause in parts[number]]
            label = CLASSES[int(shares.argmax())]
            aspects = self._aspects(heard, shares, label, subjects[number])
            found.append(Sentiment(
                label, dict(zip(CLASSES, map(float, shares.round(6)), strict=True)), float(round(shares[2] - shares[0], 6)), aspects
            ))  # fmt: skip
        return found

    def probabilities(self, readings: Prepared) -> npt.NDArray[np.float64]:
        """Texts by CLASSES."""
        columns = [self.classifier.classes.index(name) for name in CLASSES]
        shares = self.classifier.probabilities(readings)
        return shares[:, columns] if len(readings) else np.zeros((0, len(CLASSES)))

    def _aspects(
        self,
        heard: Sequence[tuple[str, npt.NDArray[np.float64], npt.NDArray[np.float64]]],
        whole: npt.NDArray[np.float64],
        label: str,
        subject: npt.NDArray[np.float64],
    ) -> dict[str, str]:
        weights: dict[str, list[npt.NDArray[np.float64]]] = {}
        for clause, about, shares in heard:
            # The whole message says how its parts are meant, unless it says two things at once.
            meant = shares if label == "mixed" else (shares + whole) / 2
            for aspect in self.subjects(clause, about):
                weights.setdefault(aspect, []).append(meant)
        if not weights and len(heard) > 1:
            weights = {aspect: [whole] for aspect in self.subjects("", subject)}
        return {aspect: _polarity(np.mean(weights[aspect], axis=0)) for aspect in ASPECTS if aspect in weights}

    def subjects(self, clause: str, about: npt.NDArray[np.float64]) -> list[str]:
        """The aspects that a clause is about, given the classifier's probabilities for it."""
        plain = strip_accents(clause.lower())
        place = int(about.argmax())
        likely = self.aspect.classes[place]
        named = [aspect for aspect in ASPECTS if _NAMED[aspect].search(plain)]
        if likely != NO_ASPECT and (about[place] >= SURE or likely in named):
            floor = 0.2  # a second aspect must be named, and not be ruled out
            columns = {name: float(share) for name, share in zip(self.aspect.classes, about, strict=True)}
            return [likely, *(aspect for aspect in named if aspect != likely and columns.get(aspect, 0) >= floor)]
        return [aspect for aspect in named if float(about[self.aspect.classes.index(aspect)]) >= 0.3]

    def files(self) -> dict[str, bytes]:
        """The model's files for the registry."""
        tables: dict[str, object] = {}
        arrays: dict[str, npt.NDArray[np.generic]] = {}
        for name, one in (("sentiment", self.classifier), ("aspect", self.aspect)):
            table, numbers = one.state()
            tables[name] = table
            arrays |= {f"{name}/{key}": value for key, value in numbers.items()}
        return {"model.json": json.dumps(tables, ensure_ascii=False).encode(), "model.npz": pack_arrays(arrays)}

    @classmethod
    def from_files(cls, files: dict[str, bytes]) -> "SentimentModel":
        """The model that `files` wrote."""
        tables, arrays = json.loads(files["model.json"]), unpack_arrays(files["model.npz"])
        loaded = {
            name: TextClassifier.from_state(
                tables[name],
                {key.removeprefix(f"{name}/"): value for key, value in arrays.items() if key.startswith(f"{name}/")},
            )
            for name in ("sentiment", "aspect")
        }
        return cls(loaded["sentiment"], loaded["aspect"])


def split(text: str) -> list[str]:
    """A message's clauses, as it was typed: cut at marks, contrasts and a new subject; crumbs join what follows."""
    plain = strip_accents(text.lower())
    if len(plain) != len(text):  # a rare letter changes length when lowered: its message is one clause
        return [text]
    found, start = [], 0
    for match in _CLAUSE.finditer(plain):
        if len(plain[start : match.start()].split()) >= 2:
            found.append(text[start : match.end()] if text[match.start()] in ".;!?,\n" else text[start : match.start()])
            start = match.start() if plain[match.start()].isalpha() else match.end()
    rest = text[start:].strip()
    if found and len(rest.split()) < 2:
        found[-1] = f"{found[-1]} {rest}".strip()
    elif rest or not found:
        found.append(rest or text)
    return found


def _polarity(shares: npt.NDArray[np.float64]) -> str:
    """Of a mixed clause either side may be meant: its share goes to both."""
    negative, neutral, positive, mixed = shares
    return POLARITIES[int(np.argmax([negative + mixed / 2, neutral, positive + mixed / 2]))]
