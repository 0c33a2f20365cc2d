from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from clipsvd_app.adapter_file.base_hash import hash_tensors
from clipsvd_app.adapter_file.generator import canary_image, probe_vectors, seed_of, splitmix64

if TYPE_CHECKING:
    from pathlib import Path


def by_hand(seed: int, count: int) -> list[int]:
    """SplitMix64 as its authors print it, in whole numbers."""
    mask, state, numbers = 2**64 - 1, seed, []
    for _ in range(count):
        state = (state + 0x9E3779B97F4A7C15) & mask
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        numbers.append(z ^ (z >> 31))
    return numbers


def test_the_stream_is_splitmix64() -> None:
    assert splitmix64(1234567, 5).tolist() == by_hand(1234567, 5)
    assert splitmix64(2**64 - 1, 3).tolist() == by_hand(2**64 - 1, 3)
    assert splitmix64(0, 1).tolist() == [0xE220A8397B1DCDAF]


def test_probe_vectors_are_the_documented_signs() -> None:
    left, right = probe_vectors("visual.trunk.blocks.0.attn.proj", 5, 3)
    expected = by_hand(seed_of("sigma-adapter/1/probe/left/visual.trunk.blocks.0.attn.proj"), 40)
    assert left.ravel().tolist() == [1.0 - 2.0 * (number >> 63) for number in expected]
    assert right.shape == (3,)
    assert set(np.unique(np.abs(right))) == {1.0}


def test_the_canary_is_the_documented_image() -> None:
    image = canary_image(7, 20, 16)
    blocks = by_hand(seed_of("sigma-adapter/1/canary/7"), 192)
    assert image.shape == (20, 16, 3)
    assert image[19, 15].tolist() == [number >> 56 for number in blocks[189:]]
    assert image[0, 2].tolist() == [number >> 56 for number in blocks[3:6]]


def test_the_test_vectors_of_the_documentation_hold(repository: Path) -> None:
    text = " ".join((repository / "docs" / "sigma-adapter.md").read_text(encoding="utf-8").split())
    for seed in (0, 1234567):
        vector = ", ".join(f"`{int(number):#018x}`" for number in splitmix64(seed, 3))
        assert f"| {seed} | {vector} |" in text
    left, right = probe_vectors("toy", 3, 4)
    probe = left @ np.arange(1.0, 13.0).reshape(3, 4) @ right
    assert f"probe is ({', '.join(f'{value:.0f}' for value in probe)})".replace("-", "−") in text
    assert f"{seed_of('sigma-adapter/1/probe/left/toy'):#018x}" in text
    image = canary_image(1, 128, 128)
    for y, x in ((0, 0), (0, 16), (127, 127)):
        assert str(tuple(image[y, x].tolist())) in text


def test_the_hash_vector_of_the_documentation_holds(repository: Path) -> None:
    values = {"a": np.array([1.0, 2.0]), "b": np.array([[0.5]])}
    digest = hash_tensors({name: array.shape for name, array in values.items()}, lambda name: [values[name]])
    assert digest in (repository / "docs" / "sigma-adapter.md").read_text(encoding="utf-8")
