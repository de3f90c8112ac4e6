"""Versions of models on disk: promoted by their figures only, kept for going back, told when damaged."""

from pathlib import Path

import numpy as np
import pytest

from models_ml.registry import ModelError, Registry, describe, hash_files, pack_arrays, unpack_arrays


def saved(registry: Registry, data: str, accuracy: float, content: bytes = b"weights") -> str:
    manifest = describe(
        "taste", data_hash=data, code_hash="c", metrics={"accuracy": accuracy}, floors={"accuracy": 0.8}, libraries=["numpy"]
    )  # fmt: skip
    return registry.save(manifest, {"model.npz": content}).version


def test_a_version_below_its_floor_is_kept_and_the_one_before_stays_in_use(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    good = saved(registry, "one", 0.9)
    registry.promote("taste", good)
    bad = saved(registry, "two", 0.79)
    with pytest.raises(ModelError, match=r"accuracy 0.790 < 0.800"):
        registry.promote("taste", bad)
    assert registry.promoted("taste") == good
    assert {one.version for one in registry.versions("taste")} == {good, bad}
    nothing = saved(registry, "three", float("nan"))
    with pytest.raises(ModelError, match="accuracy nan"):
        registry.promote("taste", nothing)


def test_one_goes_back_to_the_version_before(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    first, second = saved(registry, "one", 0.9), saved(registry, "two", 0.95)
    for version in (first, second):
        registry.promote("taste", version)
    assert registry.rollback("taste") == first == registry.promoted("taste")
    with pytest.raises(ModelError, match="no earlier version"):
        registry.rollback("taste")
    assert registry.manifest("taste", second).metrics == {"accuracy": 0.95}


def test_a_damaged_file_is_never_loaded(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    version = saved(registry, "one", 0.9)
    registry.promote("taste", version)
    (tmp_path / "taste" / version / "model.npz").write_bytes(b"weightz")
    with pytest.raises(ModelError, match="damaged"):
        registry.files(registry.manifest("taste"))
    with pytest.raises(ModelError, match="damaged"):
        registry.promote("taste", version)
    with pytest.raises(ModelError, match="no version of other"):
        registry.manifest("other")


def test_old_versions_are_removed_and_those_one_can_go_back_to_are_not(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    versions = []
    for number in range(12):
        versions.append(saved(registry, f"data {number}", 0.9))
        registry.promote("taste", versions[-1])
    there = {one.version for one in registry.versions("taste")}
    assert len(there) <= 8 and set(versions[-4:]) <= there
    assert registry.rollback("taste") == versions[-2]


def test_the_same_data_and_code_are_one_version_and_other_data_another(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    assert saved(registry, "one", 0.9) == saved(registry, "one", 0.9) != saved(registry, "two", 0.9)
    file = tmp_path / "a.tsv"
    file.write_text("um")
    before = hash_files([file])
    file.write_text("dois")
    assert hash_files([file]) != before


def test_arrays_that_would_need_pickle_are_refused() -> None:
    arrays = {"w": np.arange(6, dtype=np.float16).reshape(2, 3)}
    assert (unpack_arrays(pack_arrays(arrays))["w"] == arrays["w"]).all()
    with pytest.raises(ValueError, match="safely"):
        pack_arrays({"w": np.array([object()])})
