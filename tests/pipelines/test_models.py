"""Runs with the models of messages: judged by a check, and a version below its floors stops what is built on it."""

import json
import shutil
from pathlib import Path

import dagster as dg
import pytest

from hub_api.settings import Settings
from models_ml.registry import Registry
from models_ml.sentiment import evaluate
from pipelines.definitions import build
from pipelines.jobs import QUIET
from pipelines.launching import range_tags
from tests.assets.conftest import Given
from tests.assets.story import Talk
from tests.support.models import trained

DAY = "2026-03-10"


@pytest.fixture
def own_models(warehouse_settings: Settings, tmp_path: Path) -> Settings:
    """Settings with models that the test may spoil."""
    folder = tmp_path / "models"
    shutil.copytree(trained(), folder)
    return warehouse_settings.model_copy(update={"models_dir": folder})


def some_talk() -> Talk:
    talk = Talk("ana", f"{DAY} 14:00")
    talk.customer(f"{DAY} 14:00", "que demora, ninguém me atende 😡")
    talk.moves(f"{DAY} 14:05", "queued", "suporte")
    talk.we(f"{DAY} 14:10", "agent")
    talk.customer(f"{DAY} 14:20", "resolveu, muito obrigada, adorei o atendimento")
    talk.moves(f"{DAY} 15:00", "resolved")
    return talk


def read(settings: Settings) -> dg.ExecuteInProcessResult:
    """The day's tables up to the sentiment of conversations, with their checks."""
    tables = (*(("silver", name) for name in ("messages", "conversations")), ("bronze", "events"))
    sentiment = (("gold", "message_sentiment"), ("gold", "conversation_sentiment"))
    with dg.DagsterInstance.ephemeral() as instance:
        return build(settings).resolve_job_def("refresh").execute_in_process(
            instance=instance, run_config=QUIET, tags=range_tags(DAY, DAY), raise_on_error=False,
            asset_selection=[dg.AssetKey(key) for key in (*tables, *sentiment)],
        )  # fmt: skip


def test_training_is_a_glance_when_nothing_changed_and_its_check_judges_what_is_in_use(
    given: Given, own_models: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = build(own_models).resolve_job_def("retrain")
    with dg.DagsterInstance.ephemeral() as instance:
        good = job.execute_in_process(instance=instance, run_config=QUIET)
        monkeypatch.setattr(evaluate, "FLOORS", {**evaluate.FLOORS, "held_out_accuracy": 0.999})
        bad = job.execute_in_process(instance=instance, run_config=QUIET, raise_on_error=False)
    (passed,) = good.get_asset_check_evaluations()
    metadata = good.asset_materializations_for_node("models__messages")[0].metadata
    assert passed.passed and metadata["teacher_labels"].value == 0
    assert str(metadata["agreement"].value).startswith("| teacher |")
    assert metadata["sentiment/version"].value == Registry(own_models.models_dir or Path()).promoted("sentiment")
    (failed,) = bad.get_asset_check_evaluations()
    assert not failed.passed and "held_out_accuracy" in (failed.description or "")


def test_messages_read_by_a_version_below_its_floors_stop_the_day(given: Given, own_models: Settings) -> None:
    given(*some_talk().events)
    assert read(own_models).success
    row = given.row("SELECT first_label, final_label, turning_message_id, score_slope FROM gold.conversation_sentiment")
    assert (row["first_label"], row["final_label"]) == ("negative", "positive") and row["score_slope"] > 0.5

    folder = own_models.models_dir or Path()
    manifest = Registry(folder).manifest("sentiment")
    path = folder / "sentiment" / manifest.version / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "floors": {"held_out_accuracy": 0.999}}))
    result = read(own_models)
    failed = {one.check_name: one.description for one in result.get_asset_check_evaluations() if not one.passed}
    assert list(failed) == ["model_reaches_its_floors"] and "0.999" in (failed["model_reaches_its_floors"] or "")
    built = {event.asset_key.path[-1] for event in result.get_asset_materialization_events()}
    assert "message_sentiment" in built and "conversation_sentiment" not in built
