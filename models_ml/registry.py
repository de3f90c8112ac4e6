"""Trained models on disk: each version in a folder of its own with a manifest, one of them promoted, older ones kept.

    <models>/<name>/<version>/manifest.json     what it is: hashes of data and code, versions, metrics, floors, files
    <models>/<name>/<version>/<file>            its arrays (npz without pickle) and tables (JSON): loading runs no code
    <models>/<name>/promoted.json               the version in use and the ones before it

A version's name is the hash of what it is made from, so training twice from the same data and code is one version.
"""

import fcntl
import hashlib
import io
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy.typing as npt

KEPT = 4  # versions of a model that stay on disk beside the promoted one


class ModelError(Exception):
    """A model that is not there, is damaged, or does not reach its floors; the text says what to do."""


@dataclass(frozen=True)
class Manifest:
    """What a version is made from and how good it is."""

    name: str
    version: str
    created: str  # UTC, ISO 8601
    data_hash: str
    code_hash: str
    libraries: dict[str, str]
    metrics: dict[str, Any]
    floors: dict[str, float]  # the least that each metric of this name must be before the version is promoted
    files: dict[str, str] = field(default_factory=dict)  # name -> SHA-256

    @property
    def missed(self) -> dict[str, tuple[float, float]]:
        """Metrics below their floor: name -> (metric, floor). A metric that is not there counts as 0."""
        found = {name: float(self.metrics.get(name, 0.0)) for name in self.floors}
        return {name: (found[name], floor) for name, floor in self.floors.items() if not found[name] >= floor}


class Registry:
    """The models of one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, manifest: Manifest, files: Mapping[str, bytes]) -> Manifest:
        """Write a version aside and move it in whole; the manifest with the files' hashes. It is not promoted."""
        manifest = Manifest(**{**asdict(manifest), "files": {name: _sha(content) for name, content in files.items()}})
        home = self.folder / manifest.name
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home, prefix=".writing-") as aside:
            for name, content in {**files, "manifest.json": _json(asdict(manifest))}.items():
                (Path(aside) / name).write_bytes(content)
            target = home / manifest.version
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(aside, target)
        return manifest

    def manifest(self, name: str, version: str | None = None) -> Manifest:
        """The manifest of a version; of the promoted one unless given. Raises ModelError when there is none."""
        version = version or self.promoted(name)
        if version is None:
            raise ModelError(f"no version of {name} is promoted in {self.folder}: python -m models_ml.train")
        try:
            return Manifest(**json.loads((self.folder / name / version / "manifest.json").read_bytes()))
        except (OSError, ValueError, TypeError) as error:
            raise ModelError(f"{name} has no readable version {version} in {self.folder} ({error})") from error

    def files(self, manifest: Manifest) -> dict[str, bytes]:
        """The content of a version's files. Raises ModelError when one is not what the manifest says."""
        found = {}
        for name, expected in manifest.files.items():
            path = self.folder / manifest.name / manifest.version / name
            content = path.read_bytes() if path.exists() else b""
            if _sha(content) != expected:
                raise ModelError(f"{path} is damaged or missing: train again with python -m models_ml.train --again")
            found[name] = content
        return found

    def versions(self, name: str) -> list[Manifest]:
        """Every readable version, the newest first."""
        folders = (self.folder / name).glob("*/manifest.json")
        found = [self.manifest(name, path.parent.name) for path in folders]
        return sorted(found, key=lambda one: one.created, reverse=True)

    def promoted(self, name: str) -> str | None:
        """The version in use, None before there is one."""
        history = self._history(name)
        return history[-1] if history else None

    def promote(self, name: str, version: str) -> None:
        """Put a version into use and keep the one before it. Raises ModelError when it misses a floor: nothing changes."""
        manifest = self.manifest(name, version)
        self.files(manifest)
        if manifest.missed:
            told = ", ".join(f"{metric} {got:.3f} < {floor:.3f}" for metric, (got, floor) in manifest.missed.items())
            raise ModelError(f"{name} {version} is not promoted: {told}")
        history = [*(old for old in self._history(name) if old != version), version]
        self._write(name, history, [old for old in self.refused(name) if old != version])
        self._prune(name)

    def rollback(self, name: str) -> str:
        """Put the version before the present one into use; its name. The present one is refused from now on: who makes
        models by themselves leaves it alone. Raises ModelError when there is no version before it."""
        history = self._history(name)
        if len(history) < 2:
            raise ModelError(f"{name} has no earlier version to go back to")
        self.files(self.manifest(name, history[-2]))
        self._write(name, history[:-1], [*self.refused(name), history[-1]])
        return history[-2]

    def refused(self, name: str) -> list[str]:
        """Versions that somebody went back from, and nobody promoted again since."""
        return list(self._record(name).get("refused", []))

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """One trainer at a time: whoever comes second waits, and finds the first one's version."""
        (self.folder / name).mkdir(parents=True, exist_ok=True)
        with (self.folder / name / ".lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _history(self, name: str) -> list[str]:
        return list(self._record(name).get("history", []))

    def _record(self, name: str) -> dict[str, list[str]]:
        path = self.folder / name / "promoted.json"
        return dict(json.loads(path.read_bytes())) if path.exists() else {}

    def _write(self, name: str, history: list[str], refused: list[str]) -> None:
        path = self.folder / name / "promoted.json"
        aside = path.with_suffix(".aside")
        aside.write_bytes(_json({"history": history[-KEPT:], "refused": refused[-KEPT:]}))
        aside.replace(path)

    def _prune(self, name: str) -> None:
        used = set(self._history(name))
        others = [one for one in self.versions(name) if one.version not in used]
        for old in others[KEPT:]:
            shutil.rmtree(self.folder / name / old.version, ignore_errors=True)


def describe(
    name: str,
    *,
    data_hash: str,
    code_hash: str,
    metrics: Mapping[str, Any],
    floors: Mapping[str, float],
    libraries: Iterable[str],
) -> Manifest:
    """A manifest for a version trained now with the installed `libraries`; its name comes from the hashes."""
    used = {library: installed(library) for library in libraries}
    version = version_of(data_hash, code_hash, used)
    return Manifest(
        name, version, datetime.now(UTC).isoformat(), data_hash, code_hash, used, dict(metrics), dict(floors)
    )  # fmt: skip


def version_of(data_hash: str, code_hash: str, libraries: Mapping[str, str]) -> str:
    """The name of what comes from this data by this code with these libraries: twelve hexadecimal digits."""
    return _sha(_json([data_hash, code_hash, dict(sorted(libraries.items()))]))[:12]


def hash_files(paths: Iterable[Path]) -> str:
    """SHA-256 over names and contents, in the order of the names."""
    whole = hashlib.sha256()
    for path in sorted(paths, key=lambda one: (one.name, str(one))):
        whole.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def pack_arrays(arrays: Mapping[str, "npt.NDArray[Any]"]) -> bytes:
    """Numbers as a compressed npz. Raises ValueError on object arrays, which would need pickle."""
    import numpy as np

    if objects := [name for name, array in arrays.items() if array.dtype.hasobject]:
        raise ValueError(f"arrays of objects cannot be stored safely: {objects}")
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **dict(arrays))
    return buffer.getvalue()


def unpack_arrays(content: bytes) -> dict[str, "npt.NDArray[Any]"]:
    """The arrays of an npz; pickled ones are refused with ValueError."""
    import numpy as np

    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def models_folder(home: Path | None = None) -> Path:
    """Where models are: HUB_MODELS_DIR, or `models` in the home given or in HUB_HOME (default `.hub`)."""
    if folder := os.environ.get("HUB_MODELS_DIR"):
        return Path(folder)
    return (home or Path(os.environ.get("HUB_HOME") or ".hub")) / "models"


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True).encode()
