from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clipsvd_app.resources import resource_path

FILES = {
    "README.md",
    "config.json",
    "open_clip_config.json",
    "open_clip_model.safetensors",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.txt",
}
# The demo studies ask for these, so the backbone must not have been taught them.
HELD_BACK = ("effusion", "pneumothorax", "cardiomegaly", "enlarged heart", "pleural", "cardiothoracic")


@pytest.fixture(scope="module")
def folder() -> Path:
    return resource_path("backbones", "demo").resolve()


@pytest.fixture(scope="module")
def config(folder: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((folder / "open_clip_config.json").read_text())
    return read


@pytest.fixture
def phantoms(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "packaging"))
    return importlib.import_module("demo_backbone.phantoms")


def test_the_backbone_folder_has_biomedclips_layout_and_nothing_else(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == FILES


def test_the_backbone_folder_fits_in_25_megabytes(folder: Path) -> None:
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 25_000_000


def test_the_vocabulary_agrees_in_all_three_places(folder: Path) -> None:
    pieces = (folder / "vocab.txt").read_text().splitlines()
    stored = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    assert json.loads((folder / "config.json").read_text())["vocab_size"] == len(pieces) <= 8000
    assert [stored[piece] for piece in pieces] == list(range(len(pieces)))


def test_the_card_says_what_the_model_is_not_and_what_it_was_made_from(folder: Path) -> None:
    card = (folder / "README.md").read_text()
    assert "not for clinical use" in card.splitlines()[0]
    for part in (
        "Apache-2.0",
        "ChestX-ray8",
        "CC BY 4.0",
        "EfficientNet-Lite0",
        "inear probe",
        "No real ultrasound",
    ):
        assert part in card


def test_the_weights_are_finite_half_precision_of_about_ten_million_numbers(folder: Path) -> None:
    load_file = importlib.import_module("safetensors.numpy").load_file
    tensors = load_file(folder / "open_clip_model.safetensors")
    assert {str(value.dtype) for value in tensors.values()} == {"float16"}
    assert all((abs(value) < 1000).all() for value in tensors.values())
    assert 8_000_000 < sum(value.size for value in tensors.values()) < 12_500_000


def test_the_preprocessing_is_written_out_in_full(config: dict[str, Any]) -> None:
    assert set(config["preprocess_cfg"]) == {"mean", "std", "interpolation", "resize_mode"}


def test_the_phantoms_teach_none_of_the_findings_of_the_demo_studies(phantoms: Any) -> None:
    rng = np.random.default_rng(5)
    for _ in range(200):
        wordings = " / ".join(words for fact in phantoms.draw(rng).statements for words in fact)
        assert not any(word in wordings for word in HELD_BACK)


def test_films_drawn_as_the_demo_studies_are_have_a_normal_heart_and_pleura(monkeypatch: Any) -> None:
    film = importlib.import_module("demo_backbone.draw_film")
    diseases = []
    draw_patient = film.draw_patient

    def watched(rng: Any, finding: str | None) -> Any:
        patient = draw_patient(rng, finding)
        diseases.append(patient.disease)
        return patient

    monkeypatch.setattr(film, "draw_patient", watched)
    wordings = [
        words
        for seed in range(12)
        for fact in film.draw(np.random.default_rng(seed)).statements
        for words in fact
    ]
    assert not any(word in " / ".join(wordings) for word in HELD_BACK)
    assert all(disease.effusion is None and disease.pneumothorax is None for disease in diseases)
    assert all(disease.heart_ratio <= 0.48 for disease in diseases)


def test_the_same_seed_draws_the_same_phantom(phantoms: Any) -> None:
    for generator, _ in phantoms.GENERATORS:
        first, second = (generator(np.random.default_rng(3)) for _ in range(2))
        assert (first.pixels == second.pixels).all()
        assert first.statements == second.statements
        assert first.pixels.shape[:2] == (128, 128)
        assert first.pixels.std() > 1


@pytest.mark.slow
def test_open_clip_loads_it_at_128_pixels_and_no_clinical_word_is_unknown(
    folder: Path, config: dict[str, Any]
) -> None:
    torch_setup = pytest.importorskip("clipsvd_app.engine.device.torch_setup")
    open_clip = torch_setup.import_open_clip()
    torch = importlib.import_module("torch")
    text_cfg = config["model_cfg"]["text_cfg"] | {
        "hf_model_name": str(folder),
        "hf_tokenizer_name": str(folder),
    }
    size = config["model_cfg"]["vision_cfg"]["image_size"]
    model, _ = open_clip.create_model_from_pretrained(
        f"local-dir:{folder}", text_cfg=text_cfg, force_image_size=size
    )
    tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}")
    tokens = tokenizer(
        ["Pleural effusion, pneumothorax, cardiomegaly; a hypoechoic (spiculated) mass of 12.5 mm?"]
    )

    assert tokenizer.tokenizer.unk_token_id not in tokens
    with torch.inference_mode():
        images, texts = model.encode_image(torch.zeros(2, 3, size, size)), model.encode_text(tokens)
    assert images.shape == (2, 256)
    assert texts.shape == (1, 256)
    assert model.visual.trunk.pos_embed.shape == (1, 65, 192)
