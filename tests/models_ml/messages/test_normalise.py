"""What the models read of a message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_ml.sentiment.model import split
from models_ml.text.lexicon import SIGNALS, lexicon_score, signals
from models_ml.text.normalise import MAX_CHARS, read
from models_ml.text.vectorise import Prepared


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Instalação ÓTIMA", "instalacao otima"),
        ("mtoooo booommm", "muito bom"),
        ("vc n atende pq?", "voce nao atende porque ?"),
        ("kkkkkk hahaha rsrs", "risada risada risada"),
        ("paguei R$ 1.299,90 dia 10/06", "paguei dinheiro dia numero"),
        ("veja https://x.io/a?b=c e a@b.com", "veja endereco e email"),
        ("👍🏽 ❤️ 😡", "emoji_sim emoji_amor emoji_raiva"),
        ("bom :) ruim :(", "bom emoji_alegre ruim emoji_triste"),
        ("carro correu", "carro correu"),
        ("nota 10!!!", "nota numero ! !! nota_alta"),
    ],
)
def test_typing_habits_are_undone(text: str, tokens: str) -> None:
    assert read(text).plain == tokens


@pytest.mark.parametrize(
    ("text", "reached"),
    [
        ("não gostei do sinal de ontem", {"gostei", "do", "sinal"}),
        ("não, gostei", set()),
        ("não veio mas gostei", {"veio"}),
        ("sem sinal", {"sinal"}),
        ("gostei", set()),
    ],
)
def test_a_negation_reaches_three_words_and_stops_at_a_mark_or_a_contrast(text: str, reached: set[str]) -> None:
    reading = read(text)
    assert {token for token, negated in zip(reading.tokens, reading.negated, strict=True) if negated} == reached


@pytest.mark.parametrize(
    ("text", "sign"), [("gostei", 1), ("não gostei", -1), ("nada a reclamar", 0), ("muito ruim", -1), ("boleto", 0)]
)
def test_the_word_list_turns_with_a_negation(text: str, sign: int) -> None:
    score = lexicon_score(read(text))
    assert (score > 0.25) - (score < -0.25) == sign or sign == 0


@given(st.text(max_size=400))
def test_any_text_can_be_read_and_split(text: str) -> None:
    reading = read(text)
    assert len(reading.tokens) == len(reading.negated)
    assert len(signals(reading)) == len(SIGNALS) and all(-1 <= value <= 2 for value in signals(reading))
    clauses = split(text)
    assert clauses and sum(map(len, clauses)) <= len(text) + 2 * len(clauses)


def test_of_a_long_message_both_ends_are_read() -> None:
    reading = read("começo " + "x " * MAX_CHARS + "fim")
    assert reading.tokens[0] == "comeco" and reading.tokens[-1] == "fim" and len(reading.tokens) < MAX_CHARS


def test_a_message_is_cut_where_it_turns() -> None:
    assert [part.strip(" ,.") for part in split("a internet é boa, mas o atendimento é péssimo")] == [
        "a internet é boa", "mas o atendimento é péssimo",
    ]  # fmt: skip


def test_texts_that_are_kept_are_cut_as_others_are_with_equal_terms_held_once() -> None:
    texts = ["não gostei do atendimento, mas o sinal é bom", "o sinal caiu, o sinal não volta!!", "", "😡 caiu"]
    kept = Prepared.of_many(texts)
    assert kept == Prepared.of(texts)
    terms = [term for cut in kept.terms.values() for one in cut for term in one]
    assert len({id(term) for term in terms}) == len(set(terms)) < len(terms)
