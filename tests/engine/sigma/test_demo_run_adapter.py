"""The adapter of the run that the demo comes with loads on the bundled backbone, and proves to fit."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from clipsvd_app.engine.jobs.job import Engine
from clipsvd_app.jobs.answers import PredictResult, VerifyResult
from clipsvd_app.jobs.folders import read_request, read_result
from clipsvd_app.services.adapters import application
from clipsvd_app.services.models import backbones
from clipsvd_app.services.projects.demo_run import ADAPTER_MEMBER, demo_run_file
from clipsvd_app.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path


def test_the_adapter_of_the_demo_fits_the_bundled_backbone(tmp_path: Path) -> None:
    adapter = tmp_path / "demo.sigma.safetensors"
    with zipfile.ZipFile(demo_run_file()) as archive:
        adapter.write_bytes(archive.read(ADAPTER_MEMBER))
    backbone = backbones.find(Settings(), backbones.DEMO)
    job = application.prepare_verify(adapter, backbone, "cpu")
    Engine().run(job, read_request(job), lambda *_args: None)
    assert read_result(job, VerifyResult).passed


def test_it_warns_of_what_is_no_chest_film(tmp_path: Path) -> None:
    adapter, noise = tmp_path / "demo.sigma.safetensors", tmp_path / "noise.png"
    with zipfile.ZipFile(demo_run_file()) as archive:
        adapter.write_bytes(archive.read(ADAPTER_MEMBER))
    pixels = np.random.default_rng(1).integers(0, 256, (128, 128), dtype=np.uint8)
    Image.fromarray(pixels).save(noise)
    backbone = backbones.find(Settings(), backbones.DEMO)
    job = application.prepare_predict(adapter, backbone, application.list_files([noise]), "cpu")
    Engine().run(job, read_request(job), lambda *_args: None)
    found = read_result(job, PredictResult)
    assert found.learnt_kind == "radiography"
    assert found.images[0].unlike is not None
