"""An adapter on the tiny backbone, and the job that converts it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from support.made_adapter import write_made_adapter
from support.small_clip import made_head, no_report

from clipsvd_app.engine.backbone.backbone import embed_texts
from clipsvd_app.engine.data.features import FeatureStore
from clipsvd_app.engine.jobs.convert import run_convert
from clipsvd_app.engine.sigma.adapter import LoadedAdapter, load_adapter
from clipsvd_app.engine.sigma.warm import WarmBackbone
from clipsvd_app.jobs.requests import BackboneRef, ConvertRequest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def adapter_file(tmp_path_factory, backbone, basis) -> Path:
    path = tmp_path_factory.mktemp("adapter") / "disc.sigma.safetensors"
    write_made_adapter(path, backbone, basis)
    return path


@pytest.fixture(scope="session")
def loaded(adapter_file, backbone, basis) -> LoadedAdapter:
    return load_adapter(adapter_file, backbone, basis)


@pytest.fixture(scope="session")
def headed_file(tmp_path_factory, backbone, basis) -> Path:
    """The same adapter with a class head."""
    path = tmp_path_factory.mktemp("adapter") / "headed.sigma.safetensors"
    with torch.no_grad():
        width = embed_texts(backbone.model, backbone.tokenize(["a"])).shape[1]
    write_made_adapter(path, backbone, basis, head=made_head(width=width))
    return path


@pytest.fixture(scope="session")
def headed(headed_file, backbone, basis) -> LoadedAdapter:
    return load_adapter(headed_file, backbone, basis)


@pytest.fixture(scope="session")
def warm(backbone) -> WarmBackbone:
    return WarmBackbone(backbone, FeatureStore(backbone))


@pytest.fixture(scope="session")
def convert(warm, adapter_file, tiny_folder):
    """Convert the adapter: form, target and further fields of the request."""

    def run(form, out, report=no_report, adapter=adapter_file, **fields):
        reference = BackboneRef("tiny", str(tiny_folder), warm.backbone.sha256)
        return run_convert(ConvertRequest(reference, str(adapter), form, str(out), **fields), warm, report)

    return run
