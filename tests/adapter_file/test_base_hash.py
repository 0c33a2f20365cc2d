from __future__ import annotations

import hashlib
import json
import os
import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest
from safetensors.numpy import save_file

from clipsvd_app.adapter_file.base_hash import canonical_sha256
from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLIPSVD_HOME", str(tmp_path / "home"))


def weights() -> dict[str, np.ndarray]:
    return {
        "b.weight": np.array([[1.0, -2.0, 0.5], [4.0, 0.0, -0.25]], dtype=np.float32),
        "a.bias": np.array([3.0, -1.5], dtype=np.float32),
        "scale": np.array(2.0, dtype=np.float32),
    }


def hash_of(tmp_path: Path, tensors: dict[str, np.ndarray], name: str = "w.safetensors") -> str:
    save_file(tensors, tmp_path / name)
    return canonical_sha256(tmp_path / name)


def test_the_hash_is_the_documented_one(tmp_path: Path) -> None:
    expected = hashlib.sha256()
    for name, array in sorted(weights().items()):
        expected.update(struct.pack("<Q", len(name)) + name.encode())
        expected.update(struct.pack(f"<{1 + array.ndim}Q", array.ndim, *array.shape))
        expected.update(array.astype("<f4").tobytes())
    assert hash_of(tmp_path, weights()) == expected.hexdigest()


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_equal_weights_in_another_number_type_have_one_hash(tmp_path: Path, dtype: type) -> None:
    other = {name: array.astype(dtype) for name, array in weights().items()}
    assert hash_of(tmp_path, other, "other.safetensors") == hash_of(tmp_path, weights())


def test_bfloat16_weights_hash_like_the_same_values_in_fp32(tmp_path: Path) -> None:
    values = np.array([1.5, -2.0, 0.0078125], dtype="<f4")
    raw = (values.view("<u4") >> 16).astype("<u2").tobytes()
    header = json.dumps({"w": {"dtype": "BF16", "shape": [3], "data_offsets": [0, 6]}}).encode()
    (tmp_path / "b.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + raw)
    assert canonical_sha256(tmp_path / "b.safetensors") == hash_of(tmp_path, {"w": values})


def test_position_tables_do_not_count(tmp_path: Path) -> None:
    with_table = weights() | {"position_ids": np.arange(7)}
    assert hash_of(tmp_path, with_table, "t.safetensors") == hash_of(tmp_path, weights())


@pytest.mark.parametrize("change", ["value", "name", "shape"])
def test_any_other_difference_counts(tmp_path: Path, change: str) -> None:
    other = weights()
    if change == "value":
        other["a.bias"][0] += 1e-6
    elif change == "name":
        other["c.bias"] = other.pop("a.bias")
    else:
        other["b.weight"] = other["b.weight"].reshape(3, 2)
    assert hash_of(tmp_path, other, "o.safetensors") != hash_of(tmp_path, weights())


def test_a_file_that_changed_is_hashed_again(tmp_path: Path) -> None:
    first = hash_of(tmp_path, weights())
    changed = weights()
    changed["b.weight"][0, 0] = 7.0
    second = hash_of(tmp_path, changed)
    os.utime(tmp_path / "w.safetensors", ns=(1, 1))
    assert first != second == canonical_sha256(tmp_path / "w.safetensors")


def test_a_damaged_note_in_the_cache_is_not_believed(tmp_path: Path) -> None:
    digest = hash_of(tmp_path, weights())
    for note in (tmp_path / "home" / "cache" / "base_hashes").iterdir():
        note.write_text("nonsense")
    assert canonical_sha256(tmp_path / "w.safetensors") == digest


def test_a_missing_file_is_named_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.safetensors"):
        canonical_sha256(tmp_path / "none.safetensors")


def test_other_weights_under_the_same_size_times_and_ends_have_another_hash(tmp_path: Path) -> None:
    """As two fine-tuned files out of archives that keep one time for all."""
    tensors = {name: np.zeros(200_000, dtype=np.float32) for name in "abc"}
    first = hash_of(tmp_path, tensors)
    os.utime(tmp_path / "w.safetensors", ns=(1, 1))
    first = canonical_sha256(tmp_path / "w.safetensors")
    tensors["b"][100_000] = 1.0
    save_file(tensors, tmp_path / "w.safetensors")
    os.utime(tmp_path / "w.safetensors", ns=(1, 1))
    assert canonical_sha256(tmp_path / "w.safetensors") != first
