"""`python -m models_ml.train`: make the models of customers' messages from our corpus, and put them into use.

Exit codes: 0 the models in use reach their floors, 1 a model is missing or below them, 2 wrong usage.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from models_ml.messages import NAMES, ensure
from models_ml.registry import Manifest, ModelError, Registry, models_folder
from models_ml.sentiment.corpus import SIMULATOR, Label


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, list, or go back to the version before."""
    parser = argparse.ArgumentParser(prog="python -m models_ml.train", description=__doc__)
    parser.add_argument("--folder", type=Path, help="where models are; else HUB_MODELS_DIR, else HUB_HOME/models")
    parser.add_argument("--corpus", type=Path, default=SIMULATOR, help="folder of the simulator's corpus, *.tsv")
    parser.add_argument(
        "--labels", type=Path, help="a teacher's labels: JSON lines of text, sentiment, intent, weight, source"
    )
    parser.add_argument("--again", action="store_true", help="train even when nothing changed")
    parser.add_argument("--list", action="store_true", help="list the versions and which are in use")
    parser.add_argument("--rollback", choices=NAMES, help="use the version before the present one")
    parser.add_argument("--json", action="store_true", help="print the manifests in use as JSON")
    chosen = parser.parse_args(arguments)
    folder = chosen.folder or models_folder()
    registry = Registry(folder)
    try:
        if chosen.rollback:
            print(f"{chosen.rollback}: {registry.rollback(chosen.rollback)} is in use")  # noqa: T201
        elif chosen.list:
            for name in NAMES:
                for one in registry.versions(name):
                    print(describe(one, one.version == registry.promoted(name)))  # noqa: T201
        else:
            labels = read_labels(chosen.labels) if chosen.labels else None
            found = ensure(
                folder,
                chosen.corpus,
                labels,
                again=chosen.again,
                say=lambda line: print(line, file=sys.stderr),  # noqa: T201
            )
            if chosen.json:
                print(json.dumps({name: vars(one) for name, one in found.items()}, ensure_ascii=False))  # noqa: T201
            else:
                for one in found.values():
                    print(describe(one, True))  # noqa: T201
    except (ModelError, FileNotFoundError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def read_labels(path: Path) -> list[Label]:
    """A teacher's labels from JSON lines. Raises ValueError with the line that is wrong."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.strip():
            try:
                found.append(Label(**json.loads(line)))
            except (TypeError, ValueError) as error:
                raise ValueError(f"{path}, line {number}: {error}") from error
    return found


def describe(manifest: Manifest, used: bool) -> str:
    """A version on one line, with the figures that its floors are about."""
    figures = ", ".join(f"{name} {float(manifest.metrics.get(name, 0)):.3f}" for name in manifest.floors)
    return f"{manifest.name} {manifest.version} {manifest.created} {'in use' if used else 'kept'}: {figures}"


if __name__ == "__main__":
    sys.exit(main())
