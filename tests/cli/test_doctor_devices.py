"""What the doctor says of devices."""

from __future__ import annotations

from dataclasses import replace

from support.fake_devices import CARD, FakeProbe

from clipsvd_app.cli.doctor import device_findings
from clipsvd_app.engine.device.devices import Devices


def findings(probe: FakeProbe):
    return {finding.name: finding for finding in device_findings(Devices(probe))}


def test_a_computer_without_a_gpu_is_not_reproached_for_it():
    found = findings(FakeProbe())
    assert set(found) == {"device cpu", "device auto"}
    assert found["device cpu"].detail == "passed a test in float32 (deviation 1e-06)"


def test_an_unusable_gpu_is_explained_and_is_no_failure_of_the_program():
    found = findings(FakeProbe(replace(CARD, available=False, build="", name="")))
    card = found["device cuda"]
    assert (card.works, card.needed) == (False, False)
    assert "CPU-only" in card.detail
    assert "bootstrap.py --cuda" in card.detail
    assert found["device auto"].detail.startswith("cpu, trains in float32")


def test_a_cpu_that_computes_wrongly_is_a_failure():
    found = findings(FakeProbe(off={("cpu", False): 1.0}))
    assert (found["device cpu"].works, found["device cpu"].needed) == (False, True)
    assert "device auto" not in found
