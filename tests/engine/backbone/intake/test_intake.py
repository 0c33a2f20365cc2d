"""Taking a model in, in each form that people have it, and refusing what would load silently wrong."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import shutil
import warnings
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from support.tiny_backbone import MATRICES, TRAINED_NUMBERS, write_tiny_backbone
from support.tiny_clip import write_tiny_clip

from clipsvd_app.engine.backbone.backbone import load_backbone
from clipsvd_app.engine.backbone.intake.known import KnownRelease
from clipsvd_app.engine.jobs.add_backbone import run_add
from clipsvd_app.engine.jobs.job import Engine
from clipsvd_app.errors import Cancelled, UserError
from clipsvd_app.jobs.answers import AddBackboneResult
from clipsvd_app.jobs.backbone_record import read_record
from clipsvd_app.jobs.folders import read_request, read_result, write_request
from clipsvd_app.jobs.requests import AddBackboneRequest

STAGES = ["Reading the file", "Reading the tensors", "Writing the backbone", "Checking the backbone"]
BIN, SAFE = "open_clip_pytorch_model.bin", "open_clip_model.safetensors"


def quiet(*_):
    """Take progress and drop it."""


@pytest.fixture
def download(tiny_folder, tmp_path) -> Path:
    """A model as the 2023 hub has it: old spelling, and a .bin with position ids."""
    folder = Path(shutil.copytree(tiny_folder, tmp_path / "download"))
    edit_text(
        folder,
        lambda text: text.update(proj=text.pop("hf_proj_type"), pooler_type=text.pop("hf_pooler_type")),
    )
    state = load_file(folder / SAFE)
    state["text.transformer.embeddings.position_ids"] = torch.arange(24)[None]
    torch.save(OrderedDict(state), folder / BIN)
    (folder / SAFE).unlink()
    return folder


@pytest.fixture
def target(tmp_path) -> Path:
    return tmp_path / "data" / "mine"


def edit_text(folder: Path, change) -> None:
    path = folder / "open_clip_config.json"
    stored = json.loads(path.read_text())
    change(stored["model_cfg"]["text_cfg"])
    path.write_text(json.dumps(stored))


def add(source: Path, target: Path, report=quiet, **known) -> AddBackboneResult:
    return run_add(AddBackboneRequest(str(source), str(target), "mine"), report, **known)


def refused(source: Path, target: Path, **known) -> UserError:
    with pytest.raises(UserError) as refusal:
        add(source, target, **known)
    assert refusal.value.message.endswith(".")
    assert refusal.value.remedy
    assert not target.parent.exists() or not list(target.parent.iterdir()), "nothing half-done stays behind"
    return refusal.value


def in_hub_cache(download: Path, cache: Path, commit: str = "a" * 40) -> Path:
    """Lay a download out as huggingface_hub does: blobs, and snapshots of links to them."""
    model = cache / "models--org--Tiny-CLIP"
    snapshot = model / "snapshots" / commit
    snapshot.mkdir(parents=True)
    (model / "blobs").mkdir(exist_ok=True)
    (model / "refs").mkdir(exist_ok=True)
    (model / "refs" / "main").write_text(commit)
    for file in download.iterdir():
        blob = model / "blobs" / hashlib.sha256(file.name.encode()).hexdigest()
        shutil.copyfile(file, blob)
        (snapshot / file.name).symlink_to(os.path.relpath(blob, snapshot))
    return model


def test_a_download_of_2023_becomes_a_complete_folder_that_loads(download, target, backbone):
    result = add(download, target)
    assert result.sha256 == backbone.sha256
    assert result.source_sha256 == hashlib.sha256((download / BIN).read_bytes()).hexdigest()
    assert (result.matrices, result.singular_values) == (MATRICES, TRAINED_NUMBERS)
    assert (result.architecture, result.parameters) == ("timm-vit+hf-bert", backbone.parameters)
    loaded = load_backbone(Path(result.folder))
    texts = ["a bright disc", "a dark disc"]
    assert torch.equal(loaded.tokenize(texts), backbone.tokenize(texts))
    with torch.no_grad():
        images = torch.rand(2, 3, 64, 64)
        assert torch.equal(loaded.model.encode_image(images), backbone.model.encode_image(images))
        tokens = loaded.tokenize(texts)
        assert torch.equal(loaded.model.encode_text(tokens), backbone.model.encode_text(tokens))


def test_what_is_written_is_explicit_and_needs_nothing_else(download, target):
    add(download, target)
    shutil.rmtree(download)
    text = json.loads((target / "open_clip_config.json").read_text())["model_cfg"]["text_cfg"]
    assert text["hf_pooler_type"] == "cls_last_hidden_state_pooler"
    assert {"proj", "pooler_type"}.isdisjoint(text)
    assert not any(file.is_symlink() for file in target.iterdir())
    assert "position_ids" not in " ".join(load_file(target / SAFE))


def test_a_berts_configuration_is_read_from_its_tensors(tmp_path, target):
    download = write_tiny_backbone(tmp_path / "wide", text_width=128, heads=2)
    true = json.loads((download / "config.json").read_text())
    (download / "config.json").unlink()
    add(download, target)
    found = json.loads((target / "config.json").read_text())
    assert {name: found[name] for name in true} == true
    assert load_backbone(target).sha256 == load_backbone(target, name="again").sha256


def test_heads_that_no_shape_tells_are_not_guessed(download, target):
    (download / "config.json").unlink()
    assert "width 48" in refused(download, target).message


def test_the_record_says_where_the_numbers_come_from_and_no_path(download, target):
    result = add(download, target)
    record = read_record(target)
    assert record is not None
    assert (record.sha256, record.source_sha256) == (result.sha256, result.source_sha256)
    assert str(target.parent) not in (target / "backbone.json").read_text()


@pytest.mark.parametrize("form", ["folder", "weights", "snapshot", "model in cache", "cache", "home"])
def test_every_form_of_a_download_is_found(download, target, tmp_path, backbone, form):
    hub = tmp_path / "huggingface" / "hub"
    model = in_hub_cache(download, hub)
    source = {
        "folder": download,
        "weights": download / BIN,
        "snapshot": model / "snapshots" / ("a" * 40),
        "model in cache": model,
        "cache": hub,
        "home": hub.parent,
    }[form]
    assert add(source, target).sha256 == backbone.sha256


def test_of_several_revisions_the_main_one_is_taken(download, target, tmp_path, backbone):
    model = in_hub_cache(download, tmp_path / "hub")
    other = shutil.copytree(model / "snapshots" / ("a" * 40), model / "snapshots" / ("b" * 40))
    torch.save({"x": torch.ones(2)}, other / BIN)
    assert add(model, target).sha256 == backbone.sha256


def test_a_complete_safetensors_folder_is_taken_in_with_the_same_hash(tiny_folder, target, backbone):
    result = add(tiny_folder, target)
    assert result.sha256 == backbone.sha256
    heads = json.loads((target / "config.json").read_text())["num_attention_heads"]
    assert heads == 4


def test_a_native_clip_needs_no_tokenizer_file(tmp_path, target):
    result = add(write_tiny_clip(tmp_path / "clip"), target)
    assert result.architecture == "open-clip-vit+open-clip-text"
    assert result.sha256 == load_backbone(target).sha256


def test_a_training_checkpoint_in_half_precision_keeps_its_numbers(download, target):
    state = {
        f"module.{name}": value.half()
        for name, value in torch.load(download / BIN).items()
        if value.is_floating_point()
    }
    torch.save({"epoch": 3, "state_dict": state}, download / BIN)
    result = add(download, target)
    assert {tensor.dtype for tensor in load_file(target / SAFE).values()} == {torch.float16}
    assert load_backbone(target).sha256 == result.sha256


def test_equal_weights_are_not_written_twice(download, target):
    first = add(download, target)
    again = run_add(AddBackboneRequest(str(download), str(target.with_name("again")), "again"), quiet)
    assert (again.name, again.folder) == (first.name, first.folder)
    assert "already" in again.notes[0]
    assert [file.name for file in target.parent.iterdir()] == ["mine"]


def test_equal_weights_with_another_preprocessing_are_noted_as_such(download, target):
    add(download, target)
    path = download / "open_clip_config.json"
    stored = json.loads(path.read_text())
    stored["preprocess_cfg"]["mean"] = [0.4, 0.4, 0.4]
    path.write_text(json.dumps(stored))
    again = run_add(AddBackboneRequest(str(download), str(target.with_name("again")), "again"), quiet)
    assert "differs" in again.notes[1]


def test_a_source_without_its_vocabulary_is_refused_though_its_weights_are_here(download, target):
    add(download, target)
    (download / "vocab.txt").unlink()
    with pytest.raises(UserError) as refusal:
        run_add(AddBackboneRequest(str(download), str(target.with_name("again")), "again"), quiet)
    assert refusal.value.code == "backbone_tokenizer"


@pytest.mark.parametrize("stage", STAGES)
def test_cancelling_leaves_nothing(download, target, stage):
    def report(name, *_):
        if name == stage:
            raise Cancelled

    with pytest.raises(Cancelled):
        add(download, target, report)
    assert not target.parent.exists() or not list(target.parent.iterdir())


def test_progress_goes_through_its_stages_and_never_beyond_a_total(download, target):
    told = []
    add(download, target, lambda stage, done, total, metrics=None: told.append((stage, done, total)))
    stages = list(dict.fromkeys(stage for stage, *_ in told))
    assert stages == STAGES
    assert all(done <= total for _, done, total in told)


class Hostile:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


def test_pickled_code_is_refused_and_never_run(download, target, tmp_path):
    mark = tmp_path / "was run"
    torch.save({"weights": torch.ones(2), "extra": Hostile(mark)}, download / BIN)
    assert "program code" in refused(download, target).message
    (download / BIN).write_bytes(pickle.dumps(Hostile(mark), protocol=2))
    assert "program code" in refused(download, target).message
    assert not mark.exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "damaged"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "Git LFS"),
        (b"PK\x03\x04 and then nothing", "damaged"),
        (b"<html>not found</html>", "damaged"),
    ],
)
def test_a_file_that_is_no_checkpoint_is_refused(download, target, content, words):
    (download / BIN).write_bytes(content)
    assert words in refused(download, target).message


class Doubling(torch.nn.Module):
    def forward(self, values):
        return 2 * values


def test_a_torchscript_archive_is_called_what_it_is(download, target):
    (download / BIN).unlink()
    archive = download / "ViT-B-32.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # newer releases of torch advise against it
        torch.jit.save(torch.jit.trace(Doubling(), torch.ones(2)), str(archive))
    refusal = refused(archive, target)
    assert "TorchScript" in refusal.message
    assert "damaged" not in refusal.message
    assert "open_clip release" in refusal.remedy


@pytest.mark.parametrize("with_configuration", [True, False])
def test_a_model_of_the_transformers_library_is_called_what_it_is(download, target, with_configuration):
    names = ("text_model.embeddings.token_embedding.weight", "vision_model.post_layernorm.weight")
    (download / BIN).unlink()
    weights = download / "model.safetensors"
    save_file({name: torch.ones(2, 2) for name in names}, weights)
    if not with_configuration:
        (download / "open_clip_config.json").unlink()
    refusal = refused(weights, target)
    assert "transformers layout" in refusal.message
    assert "open_clip release" in refusal.remedy


@pytest.mark.parametrize(
    ("lost", "code"),
    [
        (("vocab.txt",), "backbone_tokenizer"),
        ((BIN,), "backbone_source"),
        (("open_clip_config.json",), "backbone_preprocessing"),
    ],
)
def test_a_source_that_lacks_a_file_is_refused(download, target, lost, code):
    for name in lost:
        (download / name).unlink()
    assert refused(download, target).code == code


def test_missing_preprocessing_is_refused(download, target):
    path = download / "open_clip_config.json"
    stored = json.loads(path.read_text())
    del stored["preprocess_cfg"]
    path.write_text(json.dumps(stored))
    assert "preprocessing" in refused(download, target).message


def test_an_unstated_pooling_is_refused_because_no_shape_would_tell(download, target):
    edit_text(download, lambda text: text.pop("pooler_type"))
    assert "pools tokens" in refused(download, target).message


def pieces(folder: Path) -> list[str]:
    return (folder / "vocab.txt").read_text().split()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda kept: [*kept, "surplus"], "larger than its text encoder"),
        (lambda kept: kept[:90], "pieces where its text tower has"),
        (
            lambda kept: [piece if len(piece) < 2 or piece[0] == "[" else f"{piece}ö" for piece in kept],
            "cannot spell",
        ),
        (lambda kept: ["[UNK]", "[PAD]", *kept[2:]], "[PAD]"),
    ],
    ids=["too large", "too small", "another language", "specials elsewhere"],
)
def test_a_wrong_vocabulary_is_refused(download, target, wrong, words):
    (download / "vocab.txt").write_text("\n".join(wrong(pieces(download))) + "\n", encoding="utf-8")
    error = refused(download, target)
    assert words in error.message
    assert error.code == "backbone_tokenizer"


def test_two_tokenizer_files_that_disagree_are_refused(download, target):
    from tokenizers import Tokenizer, models

    vocabulary = {piece: place for place, piece in enumerate(pieces(download))}
    vocabulary["dark!"] = vocabulary.pop("dark")
    from tokenizers import normalizers, pre_tokenizers, processors

    other = Tokenizer(models.WordPiece(vocab=vocabulary, unk_token="[UNK]"))  # type: ignore[call-arg]
    other.normalizer, other.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    other.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    other.save(str(download / "tokenizer.json"))
    assert "contradict each other" in refused(download, target).message


def known_as(download: Path, **facts) -> dict[str, KnownRelease]:
    return {hashlib.sha256((download / BIN).read_bytes()).hexdigest(): KnownRelease("TinyCLIP 1", **facts)}


def test_a_known_release_is_named_and_another_is_only_noted(download, target):
    assert "Unrecognised weights" in add(download, target).notes[0]
    shutil.rmtree(target)
    assert "TinyCLIP 1" in add(download, target, known=known_as(download)).notes[0]


def test_a_known_release_with_another_vocabulary_of_the_same_size_is_refused(download, target):
    right = hashlib.sha256((download / "vocab.txt").read_bytes()).hexdigest()
    known = known_as(download, vocabulary_sha256=right)
    swapped = [{"dark": "bright", "bright": "dark"}.get(piece, piece) for piece in pieces(download)]
    (download / "vocab.txt").write_text("\n".join(swapped) + "\n")
    assert "vocabulary" in refused(download, target, known=known).message
    (download / "vocab.txt").write_text("\n".join(pieces(download)) + "\n")


def test_a_known_release_brings_its_configuration_when_the_file_is_missing(download, target):
    config = json.loads((download / "open_clip_config.json").read_text())
    (download / "open_clip_config.json").unlink()
    assert add(download, target, known=known_as(download, config=config)).matrices == MATRICES


def test_a_shape_that_does_not_fit_is_named(download, target):
    state = torch.load(download / BIN)
    name = "visual.trunk.blocks.0.mlp.fc1.weight"
    state[name] = torch.ones(7, 64)
    torch.save(state, download / BIN)
    message = refused(download, target).message
    assert f"“{name}” is 7 × 64 where" in message


def test_a_tensor_that_is_missing_or_unexpected_is_named(download, target):
    state = torch.load(download / BIN)
    torch.save({**state, "visual.extra": torch.ones(2)}, download / BIN)
    assert "“visual.extra” is unexpected" in refused(download, target).message
    del state["logit_scale"]
    torch.save(state, download / BIN)
    assert "“logit_scale” is missing" in refused(download, target).message


def test_a_bert_configuration_that_contradicts_the_weights_is_refused(download, tiny_folder, target):
    stated = json.loads((tiny_folder / "config.json").read_text()) | {"intermediate_size": 64}
    (download / "config.json").write_text(json.dumps(stated))
    assert "intermediate_size 64, but the weights have 96" in refused(download, target).message


def test_the_vocabulary_size_is_read_from_the_embedding_matrix(download, tiny_folder, target):
    stated = json.loads((tiny_folder / "config.json").read_text()) | {"vocab_size": 30522}
    (download / "config.json").write_text(json.dumps(stated))
    add(download, target)
    assert json.loads((target / "config.json").read_text())["vocab_size"] == len(pieces(download))


def test_another_text_tower_is_refused_in_one_sentence(download, target):
    (download / "config.json").write_text(json.dumps({"model_type": "roberta"}))
    error = refused(download, target)
    assert error.code == "unknown_architecture"
    assert error.message.count(". ") == 0


def test_an_unfinished_download_is_recognised(download, target, tmp_path):
    model = in_hub_cache(download, tmp_path / "hub")
    (model / "snapshots" / ("a" * 40) / BIN).resolve().unlink()
    assert "incomplete download" in refused(model, target).message


@pytest.mark.parametrize("source", ["nowhere", "notes.txt", "empty"])
def test_a_path_without_a_model_is_refused(tmp_path, target, source):
    (tmp_path / "notes.txt").write_text("no model")
    (tmp_path / "empty").mkdir()
    assert refused(tmp_path / source, target).code == "backbone_source"


def test_an_existing_target_is_never_written_over(download, target):
    target.mkdir(parents=True)
    with pytest.raises(UserError) as refusal:
        add(download, target)
    assert refusal.value.code == "backbone_name_taken"
    assert list(target.iterdir()) == []


def test_the_job_answers_with_a_result(download, target, tmp_path):
    job = tmp_path / "job"
    write_request(job, AddBackboneRequest(str(download), str(target), "mine"))
    Engine().run(job, read_request(job), quiet)
    assert read_result(job, AddBackboneResult).folder == str(target)
