"""The models of messages as the data platform trains and opens them: in `settings.models_dir`, or HUB_HOME/models."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from assets.warehouse import Warehouse, load_sql
from hub_api.settings import Settings

if TYPE_CHECKING:
    from models_ml.messages import MessageReader
    from models_ml.sentiment.corpus import Label


def folder_of(settings: Settings) -> Path:
    """Where the models of this hub are."""
    return settings.models_dir or settings.home / "models"


def reader_of(settings: Settings, say: Callable[[str], None]) -> "MessageReader":
    """The promoted models, trained first when they are missing or come from another corpus, code or library.

    Raises ModelError when none reaches its floors.
    """
    from models_ml.messages import ensure, load_reader

    ensure(folder_of(settings), say=say)
    return load_reader(folder_of(settings))


def missed_by(settings: Settings) -> tuple[str, list[str]]:
    """The promoted version, and in words what is wrong with it: floors that were missed, files that are damaged."""
    from models_ml.messages import NAMES
    from models_ml.registry import ModelError, Registry

    registry, versions, problems = Registry(folder_of(settings)), [], []
    for name in NAMES:
        try:
            manifest = registry.manifest(name)
            registry.files(manifest)
        except ModelError as error:
            problems.append(str(error))
            continue
        versions.append(manifest.version)
        problems += [f"{name}: {metric} {got:.3f} < {floor:.3f}" for metric, (got, floor) in manifest.missed.items()]
    return "-".join(dict.fromkeys(versions)), problems


def teacher_labels(warehouse: Warehouse) -> list["Label"]:
    """What teachers (silver.message_labels: the ai service's, or people's) say of messages that still have words."""
    from models_ml.sentiment.corpus import Label

    rows = warehouse.rows(load_sql(__package__, "teacher_labels.sql"))
    return [Label(text, sentiment, intent, float(weight), source) for text, sentiment, intent, weight, source in rows]
