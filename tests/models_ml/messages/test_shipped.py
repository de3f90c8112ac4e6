"""The models that ship: trained from our own corpus, judged on what they never saw, promoted by it."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_ml import messages
from models_ml.messages import MessageReader, ensure, evaluate_promoted, load_reader, needed
from models_ml.registry import ModelError, Registry
from models_ml.sentiment.corpus import CLASSES, Label, load_corpus
from models_ml.sentiment.model import SentimentModel
from models_ml.sentiment.train import lessons
from models_ml.text.classifier import cross_validate, train
from models_ml.text.normalise import read
from models_ml.train import main


def test_no_held_out_line_is_learned_however_it_is_typed() -> None:
    corpus = load_corpus()
    judged = {read(line.text).plain for line in (*corpus.held_out, *corpus.challenge)}
    learned = {read(line.text).plain for line in lessons(corpus)[0]}
    assert len(judged) > 700 and len(learned) > 5000
    assert not judged & learned


def test_the_promoted_models_reach_their_floors_and_beat_the_word_list(models: Path) -> None:
    found = evaluate_promoted(models)
    assert {name: one.missed for name, one in found.items()} == {"sentiment": {}, "intent": {}}
    figures = found["sentiment"].metrics
    assert figures["held_out_macro_f1"] > figures["held_out_lexicon_macro_f1"] + 0.2
    assert figures["challenge_macro_f1"] > figures["challenge_lexicon_macro_f1"] + 0.2
    # What was judged after training is what is loaded: weights are stored with half the digits.
    assert found["sentiment"].metrics["held_out_macro_f1"] == pytest.approx(
        Registry(models).manifest("sentiment").metrics["held_out_macro_f1"], abs=0.01
    )


@pytest.mark.parametrize(
    ("text", "label", "aspects"),
    [
        ("a internet caiu de novo, que raiva 😡", "negative", {"signal": "negative"}),
        ("internet caiuuuu dnv q odio", "negative", {"signal": "negative"}),
        ("adorei o atendimento, muito obrigada 😍", "positive", {"service": "positive"}),
        ("não gostei do atendimento", "negative", {"service": "negative"}),
        ("preciso da segunda via da fatura", "neutral", {"billing": "neutral"}),
        ("o técnico foi ótimo, mas a fatura veio errada", "mixed", {"installation": "positive", "billing": "negative"}),
    ],
)
def test_messages_as_customers_write_them(
    reader: MessageReader, text: str, label: str, aspects: dict[str, str]
) -> None:
    (answer,) = reader.read([text])
    assert (answer.label, answer.aspects) == (label, aspects)
    assert (answer.score > 0) == (label == "positive") or label in ("neutral", "mixed")


def test_intents_and_reasons(reader: MessageReader) -> None:
    said = reader.read(["bom dia", "quero a segunda via do boleto", "quero cancelar meu plano", "to sem internet"])
    assert [(one.intent, one.reason) for one in said] == [
        ("greeting", "smalltalk"), ("invoice_copy", "billing"), ("cancel_service", "cancellation"), ("no_signal", "technical"),
    ]  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(texts=st.lists(st.text(max_size=200), max_size=12))
def test_one_by_one_or_together_any_text_gets_the_same_answer(reader: MessageReader, texts: list[str]) -> None:
    together = reader.read(texts)
    assert together == [reader.read([text])[0] for text in texts]
    for one in together:
        assert set(one.probabilities) == set(CLASSES)
        assert sum(one.probabilities.values()) == pytest.approx(1, abs=1e-5)
        assert one.score == pytest.approx(one.probabilities["positive"] - one.probabilities["negative"], abs=1e-5)


def test_nothing_is_trained_again_while_nothing_changed(models: Path) -> None:
    assert needed(models) == []
    before = {path: path.stat().st_mtime_ns for path in models.rglob("*.npz")}
    ensure(models)
    assert {path: path.stat().st_mtime_ns for path in models.rglob("*.npz")} == before


def small(folder: Path, lines: int) -> Path:
    """A corpus of every `lines`-th line, so that training takes a moment."""
    from models_ml.sentiment.corpus import SIMULATOR

    folder.mkdir()
    for file in SIMULATOR.glob("*.tsv"):
        head, *rows = file.read_text().splitlines()
        (folder / file.name).write_text("\n".join([head, *rows[::lines]]))
    return folder


def test_a_candidate_below_its_floors_is_kept_aside_and_the_first_one_is_refused(tmp_path: Path, monkeypatch) -> None:
    from models_ml.intent import evaluate as judging

    corpus, told = small(tmp_path / "corpus", 5), []
    monkeypatch.setattr(messages, "NAMES", ("intent",))
    with pytest.raises(ModelError, match=r"intent .* is not promoted: intent_accuracy"):
        ensure(tmp_path / "models", corpus)
    monkeypatch.setattr(judging, "FLOORS", {"intent_accuracy": 0.05})
    first = ensure(tmp_path / "models", corpus)["intent"]
    labels = [Label("o sinal sumiu aqui na serra", intent="no_signal", source="teacher")]
    monkeypatch.setattr(judging, "FLOORS", {"intent_accuracy": 0.999})
    assert ensure(tmp_path / "models", corpus, labels, say=told.append)["intent"].version == first.version
    assert any("stays in use" in line for line in told)
    assert len(Registry(tmp_path / "models").versions("intent")) == 2


def test_a_teachers_labels_are_learned_and_bring_no_words_of_their_own() -> None:
    texts = ["que serviço bacana", "que serviço horrível", "tudo bacana por aqui", "tudo horrível por aqui"] * 3
    said = ["positive", "negative"] * 6
    before = train(texts, said)
    assert before.predict(["serviço esquisito"]) is not None
    taught = ["serviço horrível Zyxwilson 99988"] * 8
    after = train([*texts, *taught], [*said, *(["positive"] * 8)], [1.0] * 12 + [1.0] * 8, vocabulary_from=12)
    assert before.predict(["serviço horrível"]) == ["negative"] and after.predict(["serviço horrível"]) == ["positive"]
    tables, _ = after.state()
    assert not any("zyx" in term for terms in tables["terms"].values() for term in terms)


def test_a_label_must_be_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "labels.jsonl"
    file.write_text(json.dumps({"text": "oi", "sentiment": "happy"}))
    assert main(["--folder", str(tmp_path / "m"), "--labels", str(file)]) == 1
    assert "line 1: 'happy' is no sentiment" in capsys.readouterr().err


def test_the_command_lists_what_is_in_use(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--folder", str(models), "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum(" in use: " in line for line in lines) == 2
    assert main(["--folder", str(models / "nowhere"), "--rollback", "sentiment"]) == 1


def test_a_model_comes_back_from_its_files_as_it_was(models: Path) -> None:
    registry = Registry(models)
    model = SentimentModel.from_files(registry.files(registry.manifest("sentiment")))
    texts = [line.text for line in load_corpus().held_out[:50]]
    again = SentimentModel.from_files(model.files())
    assert again.predict(texts) == model.predict(texts)
    assert load_reader(models).version


def test_training_twice_gives_the_same_weights_and_probabilities_are_calibrated() -> None:
    lines = load_corpus().learned[::6]
    texts, truth = [line.text for line in lines], [line.sentiment for line in lines]
    assert (train(texts, truth).weights == train(texts, truth).weights).all()
    found, shares, classes = cross_validate(texts, truth, folds=3)
    assert shares.sum(axis=1) == pytest.approx(np.ones(len(texts)))
    sure = shares.max(axis=1)
    right = np.array(found) == np.array(truth)
    assert abs(sure.mean() - right.mean()) < 0.08, "as sure as it is right, on the whole"
    assert set(classes) == set(CLASSES)
