"""How large an adapter for BiomedCLIP is: the true names and ranks need no weights."""

from __future__ import annotations

import numpy as np
from adapter_examples import example_document
from support.changing import replace

from clipsvd_app.adapter_file import AdapterContent, Spectrum, read_adapter, write_adapter
from clipsvd_app.adapter_file.document import AdapterClass, Canaries, Canary

WIDTH = 768
VISION = ("attn.qkv.q", "attn.qkv.k", "attn.qkv.v", "attn.proj", "mlp.fc1", "mlp.fc2")
TEXT = (
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
)


def biomedclip_names() -> list[str]:
    image = [f"visual.trunk.blocks.{block}.{part}" for block in range(12) for part in VISION]
    text = [f"text.transformer.encoder.layer.{layer}.{part}" for layer in range(12) for part in TEXT]
    return image + text


def spectrum(name: str, chance: np.random.Generator) -> Spectrum:
    base = np.sort(chance.uniform(0.01, 3, WIDTH))[::-1].astype(np.float32)
    moved = np.maximum(0, base + chance.normal(0, 0.05, WIDTH)).astype(np.float32)
    return Spectrum(name, moved, base, chance.normal(size=8).astype(np.float32))


def test_an_adapter_for_biomedclip_with_ten_classes_stays_under_a_million_bytes(tmp_path):
    chance = np.random.default_rng(0)
    classes = tuple(
        AdapterClass(
            f"a finding of twenty-odd letters {n}", ("a chest radiograph that shows the finding",) * 8
        )
        for n in range(10)
    )
    document = replace(
        example_document(),
        classes=classes,
        canaries=Canaries(tuple(Canary(seed, (12.34567,) * 10) for seed in (1, 2, 3))),
        training=replace(example_document().training, images_per_class=(16,) * 10),
    )
    content = AdapterContent(document, tuple(spectrum(name, chance) for name in biomedclip_names()))
    path = tmp_path / "biomedclip.sigma.safetensors"
    write_adapter(path, content)
    back = read_adapter(path)
    assert (len(back.spectra), back.trained_numbers) == (144, 110_592)
    assert path.stat().st_size < 1_000_000
