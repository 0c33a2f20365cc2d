"""A small adapter for tests; the golden file was written from the same numbers."""

from __future__ import annotations

import numpy as np
from msgspec.structs import asdict, replace

from clipsvd_app.adapter_file.class_head import HeadTensors
from clipsvd_app.adapter_file.content import AdapterContent, Spectrum
from clipsvd_app.adapter_file.document import (
    AccuracyInterval,
    AdapterClass,
    AdapterDocument,
    Base,
    BasisNote,
    Canaries,
    Canary,
    Card,
    Code,
    EvaluatedMethod,
    EvaluationNote,
    HeadedDocument,
    HeadNote,
    Preprocessing,
    Training,
)


def example_document() -> AdapterDocument:
    return AdapterDocument(
        created="2026-11-21",
        app_version="0.1.0",
        libraries={"numpy": "2.4.6", "torch": "2.13.0"},
        base=Base("demo", "bundled with the program", "ab" * 32, 5_000_000, "timm-vit+hf-bert"),
        basis=BasisNote("fp64-gesdd-1", "float32", "cd" * 32),
        classes=(
            AdapterClass("normal", ("a normal chest",)),
            AdapterClass(
                "nodule", ("a lung nodule", "a round opacity"), (Code("SCT", "27925004", "Nodule"),)
            ),
        ),
        logit_scale=42.5,
        preprocessing=Preprocessing((128, 128), "bicubic", "longest", (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)),
        training=Training(
            recipe={"preset": "quick", "steps": 60, "flip": True, "learning_rates": (0.01, 0.04)},
            learning_rate=0.04,
            seed=3,
            shots=4,
            images_per_class=(4, 4),
            patients=8,
            split_sha256="ef" * 32,
            device="cpu",
            seconds=12.5,
        ),
        evaluation=EvaluationNote(
            "held_out",
            images=20,
            patients=18,
            methods=(EvaluatedMethod("clip_svd", 0.8, AccuracyInterval(0.6, 0.9)),),
            verdict="helped",
            sentence="Adaptation helped.",
        ),
        canaries=Canaries((Canary(1, (1.25, -0.5)),)),
        card=Card(contact="A. Author"),
    )


def example_content(document: AdapterDocument | None = None) -> AdapterContent:
    names = ("visual.trunk.blocks.0.attn.qkv.q", "visual.trunk.blocks.0.mlp.fc1")
    return AdapterContent(document or example_document(), tuple(_spectrum(name) for name in names))


def headed_content() -> AdapterContent:
    """The example with a class head of four numbers per class."""
    content = example_content()
    document = HeadedDocument(**asdict(content.document), head=HeadNote("linear_probe"))
    offsets = np.arange(6, dtype=np.float32).reshape(2, 3) / 4
    return AdapterContent(document, content.spectra, HeadTensors(offsets, np.float32([0.5, -0.5])))


def with_classes(names: tuple[str, ...]) -> AdapterContent:
    classes = tuple(AdapterClass(name, (name,)) for name in names)
    return example_content(replace(example_document(), classes=classes))


def _spectrum(name: str) -> Spectrum:
    base = np.linspace(2.0, 0.125, 6, dtype=np.float32)
    change = np.array([0.25, 0.0, -0.125, 0.0, 0.0, 0.0625], dtype=np.float32)
    return Spectrum(name, base + change, base, np.arange(8, dtype=np.float32) / 4)
