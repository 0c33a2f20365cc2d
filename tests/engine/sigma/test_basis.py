"""The decomposition and its cache."""

from __future__ import annotations

import pytest
import torch

from clipsvd_app.engine.sigma.basis import decompose, load_basis


class Recorder:
    def __init__(self):
        self.stages = []

    def __call__(self, stage, done, total, metrics=None):
        self.stages.append((done, total))


@pytest.mark.parametrize("shape", [(24, 8), (8, 24), (16, 16)])
def test_the_parts_rebuild_the_matrix(shape):
    weight = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    matrix = decompose(weight)
    torch.testing.assert_close((matrix.u * matrix.s0) @ matrix.vt, weight, rtol=0, atol=1e-6)
    assert matrix.rank == min(shape)
    assert (matrix.s0.diff() <= 0).all()


def test_a_matrix_and_its_negative_differ_in_one_side_only():
    weight = torch.randn((6, 6), generator=torch.Generator().manual_seed(2))
    one, other = decompose(weight), decompose(-weight)
    torch.testing.assert_close(one.u, other.u)
    torch.testing.assert_close(one.vt, -other.vt)


def test_a_second_load_decomposes_nothing(backbone, tmp_path):
    first, again = Recorder(), Recorder()
    basis = load_basis(backbone, first, tmp_path)
    assert len(first.stages) == len(basis.targets) + 1
    assert load_basis(backbone, again, tmp_path).fingerprint == basis.fingerprint
    assert len(again.stages) == 1


@pytest.mark.parametrize("damage", ["truncated", "flipped"])
def test_a_damaged_cache_file_is_computed_again(backbone, tmp_path, damage):
    basis = load_basis(backbone, Recorder(), tmp_path)
    file = tmp_path / f"{basis.targets[0].name}.safetensors"
    content = bytearray(file.read_bytes())
    if damage == "flipped":
        content[-5] ^= 0x10
    file.write_bytes(content[: len(content) // 2] if damage == "truncated" else content)
    repaired = load_basis(backbone, Recorder(), tmp_path)
    name = basis.targets[0].name
    assert torch.equal(
        repaired.matrices[name].u, decompose(basis.targets[0].block(backbone.weight(basis.targets[0]))).u
    )
    assert not list(tmp_path.glob("*.part"))


def test_a_cancelled_decomposition_keeps_what_it_has(backbone, tmp_path):
    def stop(stage, done, total, metrics=None):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_basis(backbone, stop, tmp_path)
    assert len(list(tmp_path.glob("*.safetensors"))) == 3


def test_the_bytes_do_not_depend_on_the_number_of_threads(backbone, tmp_path):
    threads = torch.get_num_threads()
    bases = []
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            bases.append(load_basis(backbone, Recorder(), tmp_path / str(count)))
    finally:
        torch.set_num_threads(threads)
    for target in bases[0].targets:
        one, other = (basis.matrices[target.name] for basis in bases)
        assert torch.equal(one.u, other.u)
        assert torch.equal(one.s0, other.s0)
        assert torch.equal(one.vt, other.vt)
