"""The pipeline that makes the demo backbone: its pictures, targets, losses and measures."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest
from demo_backbone import batches, degrade, lexicon, measure, phantoms, real_images, shards, targets
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

SCRIPTS = Path(lexicon.__file__).parent


def learning():
    """Import what needs torch's compiled parts only where it is used."""
    import importlib

    importlib.import_module("clipsvd_app.engine.device.torch_setup").import_open_clip()
    return importlib.import_module("demo_backbone.learning")


def held_out_rows():
    with (SCRIPTS / "held_out_words.csv").open(newline="") as lines:
        return list(csv.DictReader(lines))


@given(st.text("leftrigh sid,", max_size=40))
def test_mirroring_a_caption_twice_gives_it_back(text):
    assert batches.side_aware(batches.side_aware(text, turned=True), turned=True) == text


def test_a_mirrored_picture_names_the_other_side_and_leaves_other_words_alone():
    told = batches.side_aware("a left nodule, brightest on the right", turned=True)
    assert told == "a right nodule, brightest on the left"
    assert batches.side_aware("a left nodule", turned=False) == "a left nodule"


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25)
def test_degraded_pictures_are_colour_pictures_of_the_same_size_and_follow_from_the_seed(seed):
    picture = np.random.default_rng(0).integers(0, 256, (128, 128), dtype=np.uint8)
    first, second = (degrade.degrade(np.random.default_rng(seed), picture) for _ in range(2))
    assert first.shape == (128, 128, 3)
    assert first.dtype == np.uint8
    assert (first == second).all()


def test_no_caption_uses_a_held_out_word():
    rng = np.random.default_rng(3)
    wordings = " / ".join(
        words for _ in range(400) for fact in phantoms.draw(rng).statements for words in fact
    )
    assert not [row["word"] for row in held_out_rows() if row["word"] in wordings]


def test_every_held_out_word_names_phrases_of_the_corpus():
    known = set(lexicon.corpus())
    assert [row for row in held_out_rows() if not set(row["right"].split()) <= known] == []
    assert len({row["word"] for row in held_out_rows()}) == len(held_out_rows()) >= 40


def test_phrases_are_distinct_follow_from_the_seed_and_hold_the_words_held_out_from_captions():
    first, second = (lexicon.phrases(np.random.default_rng(1), 4000) for _ in range(2))
    assert first == second
    assert len(set(first)) == 4000
    assert {"pleural effusion", "scoliosis"} <= set(first)


def test_held_out_words_are_all_right_for_an_embedding_that_knows_them_and_none_for_its_opposite():
    rows = held_out_rows()
    meaning = {row["word"]: row["right"].split()[0] for row in rows}
    with_ids = {text: phrase for phrase, text in lexicon.corpus().items()}
    ids = sorted(with_ids.values())

    def knows(texts):
        found = np.zeros((len(texts), len(ids)), dtype=np.float32)
        for place, text in enumerate(texts):
            found[place, ids.index(with_ids.get(text) or meaning[text])] = 1
        return found

    assert measure.held_out_words(knows)["share"] == 1
    assert (
        measure.held_out_words(lambda texts: -knows(texts) if texts[0] in meaning else knows(texts))["share"]
        < 0.05
    )


def test_only_even_patients_are_read_for_training(tmp_path):
    for number in (2, 3, 8, 11):
        Image.new("L", (40, 40), number * 10).save(tmp_path / f"{number}_000.png")
    found = real_images.image_files(tmp_path, real_images.has_even_patient)
    assert [path.name for path in found] == ["2_000.png", "8_000.png"]
    images = list(real_images.training_images([tmp_path], np.random.default_rng(0), 6))
    assert len(images) == 6
    assert {image.shape for image in images} == {(128, 128, 3)}


def shard_of(rng, count=600):
    """Features in which the kind of picture has a hundred times the variance of what is in the picture."""
    kinds = np.arange(count) % 2
    pooled = rng.standard_normal((count, 1280)) * np.linspace(1, 0.05, 1280)
    pooled[:, 0] += 20 * kinds
    spatial = rng.standard_normal((count, 112, 8, 8)).astype(np.float16) * 3 + 1
    facts = [("ct" if kind else "mr", []) for kind in kinds]
    return shards.Shard(np.zeros((count, 1, 1, 3), np.uint8), pooled.astype(np.float16), spatial, facts)


def test_targets_weigh_what_tells_like_pictures_apart(tmp_path):
    rng = np.random.default_rng(0)
    shard = shard_of(rng)
    fitted = targets.fit([shard])
    mapped = fitted.pooled(shard.pooled).numpy()
    kinds = np.array([kind for kind, _ in shard.facts])
    between = np.var([mapped[kinds == kind].mean(axis=0) for kind in ("ct", "mr")], axis=0).sum()
    within = mapped[kinds == "ct"].var(axis=0).sum()
    assert mapped.shape == (600, targets.WIDTH)
    assert within > 2 * between
    assert fitted.spatial(shard.spatial).std().item() == pytest.approx(1, abs=0.05)
    fitted.save(tmp_path / "targets.npz")
    assert (targets.load(tmp_path / "targets.npz").pooled(shard.pooled).numpy() == mapped).all()


@pytest.mark.slow
def test_the_losses_are_least_where_pictures_meet_their_own_features_and_captions():
    import torch

    module = learning()
    features = torch.eye(6)
    assert module.telling_loss(features, features) < 0.01
    assert module.telling_loss(features, features.roll(1, 0)) > 5
    captions = ["a", "a", "b"]
    same = torch.tensor([[1.0, 0], [1, 0], [0, 1]])
    right = module.matching_loss(same, same, captions, torch.tensor(math.log(100.0)))
    assert right.item() == pytest.approx(2 / 3 * math.log(2), abs=1e-3)


@pytest.mark.slow
def test_the_image_embeddings_direction_alone_has_to_tell_the_teachers_features():
    import torch

    learning()
    from demo_backbone import towers
    from demo_backbone.student import Student

    from clipsvd_app.resources import resource_path

    student = Student(towers.build_model(resource_path("backbones", "demo")))
    embeddings = torch.randn(3, 256, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(student.echoed(embeddings), student.echoed(7 * embeddings), atol=1e-5)
    meanings, texts = student.read(torch.tensor([[2, 5, 3, 0], [2, 6, 7, 3]]))
    assert (meanings.shape, texts.shape) == ((2, 384), (2, 256))
    alone, _ = student.read(torch.tensor([[2, 5, 3]]))
    assert torch.allclose(alone[0], meanings[0], atol=1e-5)


def cache_with(folder, rng):
    """Two shards' worth of tiny facts: shard 0 is held out, shard 1 has two modalities and bare pictures."""
    folder.mkdir()
    facts = [
        ("ct", [["a cyst"]]) if n % 3 == 0 else ("mr", [["a nodule"]]) if n % 3 == 1 else ("mr", [])
        for n in range(shards.LENGTH)
    ]
    for number in (0, 1):
        np.savez(
            folder / f"shard_{number:03d}.npz",
            pixels=np.zeros((shards.LENGTH, 128, 128, 3), np.uint8),
            pooled=rng.standard_normal((shards.LENGTH, 1280)).astype(np.float16),
            spatial=np.zeros((shards.LENGTH, 112, 8, 8), np.float16),
            facts=np.array(json.dumps(facts)),
        )


@pytest.mark.slow
def test_batches_of_one_modality_hold_only_pictures_with_something_to_say(tmp_path):
    from tokenizers import Tokenizer

    from clipsvd_app.resources import resource_path

    cache_with(tmp_path / "cache", np.random.default_rng(0))
    tokenizer = Tokenizer.from_file(str(resource_path("backbones", "demo") / "tokenizer.json"))
    phrases = batches.Phrases(["a cyst"], np.ones((1, 384), np.float32))
    fitted = targets.fit([shards.load(tmp_path / "cache" / "shard_001.npz")])
    supply = batches.Supply(tmp_path / "cache", tokenizer, phrases, fitted, 0)
    told = [supply.batch(8, 8, 1, alike=1.0).captions for _ in range(12)]
    assert all(
        len({"cyst" in text for text in texts if "cyst" in text or "nodule" in text}) <= 1 for texts in told
    )
    mixed = [supply.batch(64, 64, 1, alike=0.0).captions for _ in range(2)]
    assert all(any("cyst" in t for t in texts) and any("nodule" in t for t in texts) for texts in mixed)
    assert supply.batch(6, 4, 3, alike=0.0).phrases.shape[0] == 3
