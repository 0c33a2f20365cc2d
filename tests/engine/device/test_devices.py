"""Which device is used, in which precision, and what is said of a GPU that is not; all from faked facts."""

from __future__ import annotations

import math

import pytest
import torch
from support.fake_devices import CARD, CODE, FakeProbe

from clipsvd_app.engine.device import facts as device_facts
from clipsvd_app.engine.device import kernel
from clipsvd_app.engine.device.devices import (
    BFLOAT16_TOLERANCE,
    FP32_TOLERANCE,
    Devices,
    has_fast_bfloat16,
)
from clipsvd_app.engine.device.facts import NvidiaFacts, TorchProbe
from clipsvd_app.errors import UserError


def with_card(**changes):
    facts = {name: getattr(CARD, name) for name in NvidiaFacts.__slots__}
    return Devices(FakeProbe(NvidiaFacts(**(facts | changes))))


def refusal(devices: Devices, name: str) -> UserError:
    with pytest.raises(UserError) as caught:
        devices.pick(name)
    return caught.value


# --- which device


def test_without_a_gpu_auto_is_the_cpu_and_nothing_is_amiss():
    devices = Devices(FakeProbe())
    assert devices.pick("auto").type == "cpu"
    assert devices.note() == ""
    assert devices.usable() == ("cpu",)
    assert refusal(devices, "cuda").code == "no_such_device"
    assert refusal(devices, "mps").code == "no_such_device"


def test_a_gpu_that_computes_right_is_preferred_and_named():
    devices = Devices(FakeProbe(CARD, units=("cuda",)))
    assert devices.pick("auto").type == "cuda"
    assert devices.title(torch.device("cuda")) == "cuda (NVIDIA Something)"
    assert devices.describe() == "cuda (NVIDIA Something), trains in bfloat16, 2 threads"
    assert devices.note() == ""


def test_an_apple_gpu_is_used_in_fp32():
    devices = Devices(FakeProbe(mps=True))
    assert devices.pick("auto").type == "mps"
    assert not devices.has_fast_bfloat16("mps")


def test_a_device_that_does_not_exist_is_refused_by_name():
    assert "“tpu”" in str(refusal(Devices(FakeProbe()), "tpu"))


@pytest.mark.parametrize(
    ("changes", "sentence", "remedy"),
    [
        (
            {"available": False, "driver": False, "build": ""},
            "This computer has an NVIDIA GPU, but no driver for it.",
            "Install NVIDIA's driver",
        ),
        (
            {"available": False, "build": ""},
            "This computer has an NVIDIA GPU, but the installed PyTorch is CPU-only.",
            "packaging/bootstrap.py --cuda",
        ),
        (
            {"available": False},
            "This computer has an NVIDIA GPU, but its driver does not support CUDA 13.0.",
            "Update NVIDIA's driver",
        ),
        (
            {"capability": (6, 1)},
            "The GPU NVIDIA Something is too old for the installed PyTorch: it has no code for compute "
            "capability 6.1.",
            "Choose auto or cpu.",
        ),
        ({"capability": (13, 0)}, "is too new for the installed PyTorch", "Choose auto or cpu."),
    ],
)
def test_a_gpu_that_is_there_and_cannot_be_used_is_explained_in_one_sentence(changes, sentence, remedy):
    devices = with_card(**changes)
    assert devices.pick("auto").type == "cpu"
    assert sentence in devices.note()
    assert devices.note().endswith("Using the CPU instead.")
    refused = refusal(devices, "cuda")
    assert (refused.code, remedy in refused.remedy) == ("device_unusable", True)
    assert sentence in refused.message
    assert "cuda" not in devices.usable()


@pytest.mark.parametrize(
    ("capability", "architectures", "runs"),
    [
        ((8, 9), CODE, True),  # code for an older card of the same generation
        ((8, 9), ("sm_90",), False),
        ((12, 1), ("sm_90", "compute_90"), True),  # intermediate code is translated for newer cards
        ((7, 0), ("sm_75", "compute_120"), False),
        ((9, 0), ("sm_90a",), True),
        ((9, 0), ("gfx942",), True),  # names that mean nothing to us exclude nothing
        (None, (), True),
    ],
)
def test_a_card_runs_what_its_generation_or_the_intermediate_code_allows(capability, architectures, runs):
    devices = with_card(capability=capability, architectures=architectures)
    assert ("cuda" in devices.usable()) is runs


@pytest.mark.parametrize("off", [None, math.nan, 10 * FP32_TOLERANCE])
def test_a_gpu_that_fails_the_test_kernel_gets_no_work(off):
    devices = Devices(FakeProbe(CARD, off={("cuda", False): off}))
    assert devices.pick("auto").type == "cpu"
    assert "short test" in devices.note()
    assert refusal(devices, "cuda").code == "device_unusable"


def test_a_cpu_that_fails_the_test_kernel_stops_everything():
    devices = Devices(FakeProbe(off={("cpu", False): None}))
    assert "fails in a short test" in str(refusal(devices, "auto"))
    assert devices.usable() == ()
    assert devices.describe() == "PyTorch fails in a short test on this computer."


def test_every_device_is_tested_once_and_a_gpu_not_at_all_when_the_cpu_is_asked_for():
    probe = FakeProbe(CARD, units=("cuda", "cpu"))
    devices = Devices(probe)
    for _ in range(2):
        devices.pick("cpu")
        devices.title(torch.device("cpu"))
    assert probe.kernels == [("cpu", False), ("cpu", True)]
    for _ in range(2):
        devices.describe()
    assert probe.kernels == [("cpu", False), ("cpu", True), ("cuda", False), ("cuda", True)]


# --- which precision


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"units": ()}, False),
        ({"off": {("cpu", True): None}}, False),
        ({"off": {("cpu", True): 2 * BFLOAT16_TOLERANCE}}, False),
        ({"off": {("cpu", True): math.nan}}, False),
    ],
)
def test_the_cpu_computes_in_bfloat16_where_it_has_it_right_and_faster(changes, expected):
    devices = Devices(FakeProbe(**({"units": ("cpu",)} | changes)))
    assert has_fast_bfloat16("cpu", devices) is expected
    assert has_fast_bfloat16("cuda", devices) is False


def test_a_gpu_with_bfloat16_units_is_not_timed():
    assert has_fast_bfloat16("cuda", Devices(FakeProbe(CARD, units=("cuda",))))


def test_a_gpu_whose_bfloat16_is_wrong_still_computes_in_fp32():
    devices = Devices(FakeProbe(CARD, units=("cuda",), off={("cuda", True): 1.0}))
    assert devices.pick("auto").type == "cuda"
    assert not devices.has_fast_bfloat16("cuda")


# --- the real thing, on the CPU


def test_this_cpu_passes_the_kernel_in_both_precisions():
    cpu = torch.device("cpu")
    assert 0 < kernel.deviation(cpu, bfloat16=False) < FP32_TOLERANCE / 100
    assert FP32_TOLERANCE < kernel.deviation(cpu, bfloat16=True) < BFLOAT16_TOLERANCE


def test_the_kernel_gives_the_same_answer_wherever_it_is_asked_from():
    cpu = torch.device("cpu")
    plain = kernel.deviation(cpu, bfloat16=False)
    state = torch.get_rng_state()
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        assert kernel.deviation(cpu, bfloat16=False) == plain
    assert torch.equal(torch.get_rng_state(), state)


def test_a_device_that_this_torch_cannot_start_fails_the_probe_and_not_the_program():
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    absent = "cuda" if torch.backends.mps.is_available() else "mps"
    assert TorchProbe().deviation(absent, bfloat16=False) is None


def test_only_display_devices_of_the_vendor_count_as_a_gpu(tmp_path):
    def add(name, vendor, kind):
        (tmp_path / name).mkdir()
        (tmp_path / name / "vendor").write_text(f"{vendor}\n")
        (tmp_path / name / "class").write_text(f"{kind}\n")

    add("0", "0x8086", "0x030000")
    add("1", "0x10de", "0x040300")  # the sound device of such a card
    (tmp_path / "2").mkdir()
    assert not device_facts._has_nvidia_card(tmp_path)
    add("3", "0x10de", "0x030200")
    assert device_facts._has_nvidia_card(tmp_path)


def test_a_name_that_goes_into_files_is_short_and_plain():
    assert device_facts._plain("GPU\n" + "\u202ex" * 100) == "GPU" + "x" * 61
