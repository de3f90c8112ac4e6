"""The corpus that virtual customers speak from: large, varied, labelled, and nowhere made by a template."""

import gzip
import re
import unicodedata
from collections import Counter, defaultdict
from pathlib import Path
from random import Random

from hub_api.simulator.corpus import REGION_OF_STATE, Utterance, load_corpus, read_texts, real_texts

CORPUS = load_corpus().utterances
SENTIMENTS = {"positive", "neutral", "negative", "mixed"}
ASPECTS = {"none", "billing", "signal", "installation", "service", "cancellation", "price"}
TONES = {"casual", "angry", "youth", "formal", "elderly", "polite", "anxious", "ironic"}


def plain(text: str) -> str:
    """Lower case, no accents, no punctuation, no digits: what two wordings of one template have in common."""
    letters = "".join(char for char in unicodedata.normalize("NFD", text.lower()) if not unicodedata.combining(char))
    return " ".join(re.findall(r"[a-z]+", letters))


def grams(text: str) -> set[str]:
    return {text[at : at + 4] for at in range(max(1, len(text) - 3))}


def test_there_are_more_than_three_thousand_distinct_utterances() -> None:
    assert len({line.text for line in CORPUS}) == len(CORPUS)
    worded = [words for words in map(plain, (line.text for line in CORPUS)) if words]
    assert len(set(worded)) > 4_000


def test_every_utterance_is_labelled_with_known_labels() -> None:
    assert {line.sentiment for line in CORPUS} == SENTIMENTS
    assert {line.aspect for line in CORPUS} == ASPECTS
    assert {line.region for line in CORPUS} == {"none", *REGION_OF_STATE.values()}
    assert {line.tone for line in CORPUS} == TONES
    intents = Counter(line.intent for line in CORPUS)
    assert len(intents) > 40 and min(intents.values()) >= 30, intents.most_common()[-3:]


def test_moods_voices_and_regions_are_all_well_represented() -> None:
    for count in (Counter(line.sentiment for line in CORPUS), Counter(line.tone for line in CORPUS)):
        assert min(count.values()) > 100, count
    assert min(Counter(line.region for line in CORPUS).values()) > 60
    assert sum(any(unicodedata.category(char) == "So" for char in line.text) for line in CORPUS) > 60
    slang = re.compile(
        r"\b(vcs?|tb|pq|blz|q|hj|net|mds|kkk+|rs+|aff|slk|mano|véi|uai|oxe|bah|tchê|égua)\b", re.IGNORECASE
    )
    assert sum(bool(slang.search(line.text)) for line in CORPUS) > 700


def test_no_two_utterances_are_nearly_the_same() -> None:
    """Of texts of some length none shares 70 % of its letter sequences with another: no template with changed words."""
    lines = [(words, grams(words)) for words in (plain(line.text) for line in CORPUS) if len(words) >= 20]
    having: dict[str, list[int]] = defaultdict(list)
    near = []
    for number, (words, own) in enumerate(lines):
        shared = Counter(other for gram in own for other in having[gram])
        near += [
            (words, lines[other][0])
            for other, common in shared.items()
            if common / (len(own) + len(lines[other][1]) - common) > 0.7
        ]
        for gram in own:
            having[gram].append(number)
    assert len(near) <= 0.001 * len(lines), near
    openings = Counter(" ".join(words.split()[:4]) for words, _ in lines)
    assert openings.most_common(1)[0][1] < 0.003 * len(lines), openings.most_common(5)


def test_texts_come_from_files_where_they_are_and_from_nowhere_else(tmp_path: Path) -> None:
    assert real_texts(tmp_path) == []
    (tmp_path / "olist_reviews").mkdir()

    with gzip.open(tmp_path / "olist_reviews" / "reviews.csv.gz", "wt", encoding="utf-8") as file:
        file.write('id,text\n1,"não chegou, e agora?"\n2,  \n3,tudo certo\n')
    assert real_texts(tmp_path) == ["não chegou, e agora?", "tudo certo"]
    assert read_texts(tmp_path / "olist_reviews" / "reviews.csv.gz", limit=1) == ["não chegou, e agora?"]


def test_a_line_is_said_in_the_voice_of_the_state_or_in_no_voice() -> None:

    rng = Random(3)
    said: list[Utterance] = [load_corpus().say(rng, "no_signal", None, "MG") for _ in range(500)]
    assert {line.intent for line in said} == {"no_signal"}
    strangers = sum(line.region not in ("none", "mg") for line in said)
    assert any(line.region == "mg" for line in said) and strangers <= 5
