"""Whole jobs, from request.json to result.json."""

from __future__ import annotations

import errno
import json

import numpy as np
import pytest
from PIL import Image
from support.changing import replace
from support.tiny_backbone import MATRICES, TRAINED_NUMBERS
from support.tiny_clip import MATRICES as CLIP_MATRICES
from support.tiny_clip import TRAINED_NUMBERS as CLIP_NUMBERS
from support.tiny_clip import write_tiny_clip

from clipsvd_app import settings
from clipsvd_app.adapter_file import read_adapter
from clipsvd_app.domain.classes import class_from_name
from clipsvd_app.domain.recipe import Recipe
from clipsvd_app.domain.results.cases import best_known
from clipsvd_app.domain.results.evaluation import METHOD_TITLES, Evaluation
from clipsvd_app.domain.results.explanation import CaseExplanation, RunExplanation
from clipsvd_app.domain.results.run import RunNote, RunResult
from clipsvd_app.domain.words.case import case_statements
from clipsvd_app.engine.fewshot import benchmark
from clipsvd_app.engine.fewshot.benchmark import few_shot_records
from clipsvd_app.engine.jobs.job import Engine
from clipsvd_app.errors import Cancelled, UserError
from clipsvd_app.jobs.answers import PredictResult, PreviewResult, VerifyResult
from clipsvd_app.jobs.folders import read_request, read_result, write_request
from clipsvd_app.jobs.requests import (
    BackboneRef,
    ExplainRequest,
    ExplainRunRequest,
    ImageInput,
    PredictRequest,
    PreviewRequest,
    TrainRequest,
    VerifyRequest,
)
from clipsvd_app.jobs.stages import STEP_STAGES, TRAIN_STAGE

CLASSES = (class_from_name("bright disc"), class_from_name("dark disc"))
RECIPE = Recipe(steps=4, choice_steps=2, batch_size=4, folds=2)


def quiet(stage, done, total, metrics=None):
    """Take progress and drop it."""


@pytest.fixture(scope="module")
def engine():
    return Engine()


@pytest.fixture(scope="module")
def reference(tiny_folder):
    return BackboneRef("tiny", str(tiny_folder))


@pytest.fixture(scope="module")
def ask(engine, tmp_path_factory):
    def run(request, kind):
        folder = tmp_path_factory.mktemp(type(request).__name__)
        write_request(folder, request)
        engine.run(folder, read_request(folder), quiet)
        return read_result(folder, kind), folder

    return run


@pytest.fixture(scope="module")
def with_pool(studies):
    """Eight labelled patients of two images, the last labels hidden for a pool."""
    return (*studies[:12], *(replace(image, label=None) for image in studies[12:]))


@pytest.fixture(scope="module")
def held_out(ask, reference, studies):
    return ask(TrainRequest(reference, CLASSES, studies, RECIPE, shots=2), RunResult)


@pytest.fixture(scope="module")
def adapter(held_out):
    return str(held_out[1] / "adapter.safetensors")


def kept_runs():
    folder = settings.cache_folder() / "checkpoints"
    return folder.iterdir() if folder.is_dir() else ()


def timeless(folder):
    methods = read_result(folder, RunResult).evaluation.methods
    return [replace(score, seconds=0.0) for score in methods]


def test_a_run_that_was_cancelled_goes_on_where_it_stopped(engine, reference, studies, tmp_path):
    request = TrainRequest(reference, CLASSES, studies, replace(RECIPE, steps=6), seed=5)
    cancelled, resumed, straight = (tmp_path / name for name in ("cancelled", "resumed", "straight"))
    for folder in (cancelled, resumed, straight):
        write_request(folder, request)
    others, trained = set(kept_runs()), []

    def cancel_in_training(stage, done, total, metrics=None):
        if stage.endswith(TRAIN_STAGE) and metrics is not None:
            trained.append(done)
            if done == 3:
                raise Cancelled

    with pytest.raises(Cancelled):
        engine.run(cancelled, read_request(cancelled), cancel_in_training)
    engine.run(resumed, read_request(resumed), quiet)
    engine.run(straight, read_request(straight), quiet)
    one, other = (read_adapter(folder / "adapter.safetensors") for folder in (resumed, straight))
    assert trained == [1, 2, 3]
    assert RunNote("resumed") in read_result(resumed, RunResult).notes
    assert RunNote("resumed") not in read_result(straight, RunResult).notes
    for found, expected in zip(one.spectra, other.spectra, strict=True):
        assert found.sigma.tobytes() == expected.sigma.tobytes()
    assert timeless(resumed) == timeless(straight)
    assert set(kept_runs()) == others, "a finished run leaves no state"


def test_what_a_run_exports_of_frozen_methods_predicts_as_they_do(ask, held_out, reference, studies):
    asked, answers = tuple(studies[:4]), {}
    for file in sorted((held_out[1] / "classifiers").iterdir()):
        found, _ = ask(PredictRequest(reference, str(file), asked), PredictResult)
        answers[file.name.removesuffix(".classifier.safetensors")] = found.images
    assert set(answers) == {"zero_shot", "text_probe", "linear_probe", "gda"}
    for image in answers["zero_shot"]:
        assert image.adapted == pytest.approx(image.zero_shot, abs=1e-4)
    assert answers["linear_probe"] != answers["gda"]


def test_a_run_tells_the_frozen_methods_before_it_trains_and_the_verdict_before_it_explains(
    engine, reference, studies, tmp_path
):
    write_request(tmp_path, TrainRequest(reference, CLASSES, studies, RECIPE))
    told = []

    def report(stage, done, total, metrics=None):
        if not told or told[-1] != stage:
            told.append(stage)

    engine.run(tmp_path, read_request(tmp_path), report, told.append)
    first, second = (place for place, known in enumerate(told) if isinstance(known, Evaluation))
    baselines, verdict = told[first], told[second]
    final = read_result(tmp_path, RunResult).evaluation
    methods = [score.method for score in baselines.methods]
    assert methods == [name for name in METHOD_TITLES if not name.startswith("clip_svd")]
    assert (baselines.recommended, baselines.differences) == (None, ())
    assert baselines.methods == verdict.methods[: len(methods)] == final.methods[: len(methods)]
    assert (verdict.differences, verdict.recommended) == (final.differences, final.recommended)
    assert not any("Estimate" in stage for stage in told[:first])
    assert any("Estimate" in stage for stage in told[first + 1 : second])
    assert {"Training", "Saving the adapter"} <= set(told[second + 1 :])


def test_a_run_whose_result_finds_the_disk_full_is_not_trained_again(
    engine, reference, studies, tmp_path, monkeypatch
):
    from clipsvd_app.engine.jobs import job

    request = TrainRequest(reference, CLASSES, studies, replace(RECIPE, steps=2), seed=6, shots=2)
    others = set(kept_runs())

    def full(*_):
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patch:
        patch.setattr(job, "write_result", full)
        write_request(tmp_path, request)
        with pytest.raises(UserError, match="disk is full"):
            engine.run(tmp_path, read_request(tmp_path), quiet)
    assert set(kept_runs()) > others
    write_request(tmp_path, request)
    engine.run(tmp_path, read_request(tmp_path), quiet)
    assert RunNote("resumed") in read_result(tmp_path, RunResult).notes
    assert set(kept_runs()) == others


def test_a_held_out_run_tests_on_patients_that_did_not_train(held_out, studies):
    result, _ = held_out
    patient_ids = {image.id: image.patient for image in studies}
    roles = {
        role: {patient_ids[p.image_id] for p in result.predictions if p.role == role}
        for role in ("train", "test")
    }
    assert roles["train"]
    assert roles["test"]
    assert not roles["train"] & roles["test"]
    assert result.evaluation.kind == "held_out"
    assert [score.method for score in result.evaluation.methods] == list(METHOD_TITLES)
    assert result.evaluation.images == sum(p.role == "test" for p in result.predictions)


def test_a_run_says_what_was_trained(held_out):
    result, _ = held_out
    sigmas = result.trainable_parameters - result.head_parameters
    assert (result.matrices, sigmas) == (MATRICES, TRAINED_NUMBERS)
    assert (result.start == "probe") == bool(result.head_parameters) == bool(result.probe)
    assert result.share in (RECIPE.share, 1.0)
    assert (result.plain, result.choice_folds) == (False, 0), "four images are too few to choose on"
    assert result.train_images == 4
    assert len(result.curve) == RECIPE.steps
    assert len(result.explanation.matrices) == MATRICES


def test_every_point_of_the_curves_is_in_the_metrics_file(held_out):
    _, folder = held_out
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert sum(line["stage"] == "Training" for line in lines) == RECIPE.steps


def test_results_and_adapter_hold_no_path_and_no_patient(held_out, studies, tiny_folder):
    _, folder = held_out
    for name in ("result.json", "adapter.safetensors", "metrics.jsonl"):
        content = (folder / name).read_bytes()
        for secret in ("patient 0", ".png", studies[0].path, str(tiny_folder.parent)):
            assert secret.encode() not in content, (name, secret)


def test_without_shots_every_labelled_image_is_predicted_by_a_fit_on_other_patients(
    ask, reference, with_pool
):
    result, _ = ask(
        TrainRequest(reference, CLASSES, with_pool, replace(RECIPE, folds=3), shots=None), RunResult
    )
    # Three patients in a class are too few to estimate from.
    assert result.evaluation.kind == "none"
    assert result.evaluation.no_estimate.code == "too_few_patients"
    assert {p.role for p in result.predictions} == {"train", "pool"}


def test_four_patients_in_every_class_are_enough_for_an_estimate(ask, reference, studies):
    result, _ = ask(TrainRequest(reference, CLASSES, studies, RECIPE), RunResult)
    assert (result.evaluation.kind, result.evaluation.folds) == ("cross_validated", 2)
    assert {p.role for p in result.predictions} == {"out_of_fold"}
    assert result.train_images == len(studies)


def test_classes_are_read_on_unseen_images_each_of_them_once(ask, reference, studies, held_out):
    repeated = replace(RECIPE, repeats=2)
    crossed, _ = ask(TrainRequest(reference, CLASSES, studies, repeated), RunResult)
    tested = [p for p in held_out[0].predictions if p.role == "test"]
    for result, unseen in ((crossed, studies), (held_out[0], tested)):
        changes = result.explanation.classes
        assert [change.label for change in changes] == list(range(len(CLASSES)))
        assert [change.images for change in changes] == [
            sum(image.label == label for image in unseen) for label in range(len(CLASSES))
        ]
        assert result.explanation.classes


def test_the_same_request_gives_the_same_numbers(ask, reference, studies, held_out):
    again, _ = ask(TrainRequest(reference, CLASSES, studies, RECIPE, shots=2), RunResult)
    assert again.predictions == held_out[0].predictions


def test_short_jobs_between_its_steps_change_no_number_of_a_run(
    engine, reference, studies, held_out, adapter, tmp_path
):
    short = (
        PreviewRequest(reference, CLASSES, studies, "a bright disc"),
        PredictRequest(reference, adapter, studies[:4]),
        VerifyRequest(reference, adapter),
        ExplainRequest(reference, adapter, studies[0]),
    )
    for request in short:
        write_request(tmp_path / type(request).__name__, request)
    waiting = [tmp_path / type(request).__name__ for request in short]

    def serve(stage, done, total, metrics=None):
        if stage in STEP_STAGES and waiting:
            place = waiting.pop()
            engine.run(place, read_request(place), quiet)

    write_request(tmp_path / "run", TrainRequest(reference, CLASSES, studies, RECIPE, shots=2))
    engine.run(tmp_path / "run", read_request(tmp_path / "run"), serve)
    result = read_result(tmp_path / "run", RunResult)
    assert waiting == []
    assert result.predictions == held_out[0].predictions
    assert result.curve == held_out[0].curve


def test_a_prediction_repeats_what_the_run_said(ask, reference, adapter, studies, held_out):
    result, _ = ask(PredictRequest(reference, adapter, studies), PredictResult)
    said = {p.image_id: p for p in held_out[0].predictions}
    for image in result.images:
        assert image.adapted == pytest.approx(best_known(said[image.image_id]), abs=1e-4)
        assert image.zero_shot == pytest.approx(said[image.image_id].zero_shot, abs=1e-6)
    assert result.class_names == ("bright disc", "dark disc")


def test_an_unreadable_file_is_refused_and_the_others_predicted(ask, reference, adapter, studies, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n")
    images = (ImageInput(77, str(broken), 0, "p"), studies[0])
    result, _ = ask(PredictRequest(reference, adapter, images), PredictResult)
    assert [image.image_id for image in result.images] == [studies[0].id]
    assert [image_id for image_id, _ in result.refused] == [77]


def test_the_adapter_of_a_run_passes_its_own_checks(ask, reference, adapter):
    result, _ = ask(VerifyRequest(reference, adapter), VerifyResult)
    assert result.passed, result.checks


def test_an_image_can_be_explained(ask, reference, adapter, studies):
    result, _ = ask(ExplainRequest(reference, adapter, studies[0]), CaseExplanation)
    assert result.image_id == studies[0].id
    assert case_statements(result)


def test_a_stored_run_is_explained_anew_on_the_images_that_can_be_read(
    ask, reference, adapter, studies, held_out, tmp_path
):
    gone = ImageInput(77, str(tmp_path / "gone.png"), 0, "p")
    classes = held_out[0].explanation.classes
    request = ExplainRunRequest(reference, adapter, (gone, *studies), classes=classes)
    found, _ = ask(request, RunExplanation)
    assert found.classes == classes
    assert found.images == len(studies)
    assert found.matrices == held_out[0].explanation.matrices
    assert found.images_unread == 1
    with pytest.raises(UserError):
        ask(ExplainRunRequest(reference, adapter, (gone,)), RunExplanation)


def test_a_preview_predicts_the_pool_and_suggests_what_to_label(ask, reference, with_pool):
    result, _ = ask(PreviewRequest(reference, CLASSES, with_pool, query="a bright disc"), PreviewResult)
    assert len(result.items) == len(with_pool)
    assert set(result.suggested) <= {image.id for image in with_pool if image.label is None}
    assert len(set(result.suggested)) == len(result.suggested) == 4
    assert result.accuracy is not None
    for item in result.items:
        assert sum(item.probabilities) == pytest.approx(1)
        assert 0 <= item.uncertainty <= 1
        assert item.text_similarity is not None
        assert item.image_id not in item.nearest


def test_a_preview_without_labels_is_zero_shot_and_says_so(ask, reference, studies):
    bare = tuple(replace(image, label=None) for image in studies)
    result, _ = ask(PreviewRequest(reference, CLASSES, bare), PreviewResult)
    assert result.accuracy is None
    assert result.items[0].text_similarity is None
    assert "No labels yet" in result.sentence


@pytest.mark.parametrize("classes", [(), CLASSES[:1]])
def test_the_pool_can_be_searched_by_words_before_there_are_two_classes(ask, reference, studies, classes):
    bare = tuple(replace(image, label=None) for image in studies)
    result, _ = ask(PreviewRequest(reference, classes, bare, "a bright disc"), PreviewResult)
    full, _ = ask(PreviewRequest(reference, CLASSES, bare, "a bright disc"), PreviewResult)
    assert [item.text_similarity for item in result.items] == [item.text_similarity for item in full.items]
    assert [item.nearest for item in result.items] == [item.nearest for item in full.items]
    assert {item.probabilities for item in result.items} == {()}
    assert (result.accuracy, result.suggested) == (None, ())


def test_an_unreadable_image_is_noted_and_training_goes_on(ask, reference, studies, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"nothing")
    images = (*studies[:8], ImageInput(99, str(broken), 0, "p9", 0))
    result, _ = ask(TrainRequest(reference, CLASSES, images, RECIPE, shots=1), RunResult)
    assert RunNote("unread", 1) in result.notes


def test_replaced_files_take_no_part_and_are_counted(ask, reference, adapter, studies):
    replaced = tuple(replace(image, sha256="0" * 64) for image in studies[8:])
    result, _ = ask(PredictRequest(reference, adapter, (*studies[:2], *replaced)), PredictResult)
    assert [image.image_id for image in result.images] == [1, 2]
    assert {image_id for image_id, _ in result.refused} == {image.id for image in replaced}
    seen, _ = ask(PreviewRequest(reference, CLASSES, (*studies[:8], *replaced)), PreviewResult)
    assert {item.image_id for item in seen.items} == {image.id for image in studies[:8]}
    request = TrainRequest(reference, CLASSES, (*studies[:8], *replaced), RECIPE, shots=1)
    run, _ = ask(request, RunResult)
    assert RunNote("replaced", 8, 16) in run.notes
    assert not any(note.code == "unread" for note in run.notes)


def test_a_class_whose_files_were_all_replaced_is_refused_for_that(ask, reference, studies):
    images = tuple(replace(image, sha256="0" * 64) if image.label else image for image in studies)
    with pytest.raises(UserError, match=r"with the same names\. Too few are left"):
        ask(TrainRequest(reference, CLASSES, images, RECIPE), RunResult)


def test_a_class_without_an_image_is_refused(ask, reference, studies):
    zeros = tuple(image for image in studies if image.label == 0)
    with pytest.raises(UserError, match="“dark disc” has no image"):
        ask(TrainRequest(reference, CLASSES, zeros, RECIPE), RunResult)


def test_other_weights_than_those_asked_for_are_refused(ask, reference, studies):
    with pytest.raises(UserError, match="not those that were asked for"):
        ask(PreviewRequest(replace(reference, sha256="0" * 64), CLASSES, studies), PreviewResult)


def records(root, reference, tiny_recipe, **changes):
    options = {
        "shots": [1, 3],
        "seeds": 2,
        "backbone": reference,
        "group_regex": None,
        "include_regex": None,
        "splits": ("val", "test"),
        "prompts": None,
        "preset": "quick",
        "report": quiet,
    }
    return list(few_shot_records(root, **(options | changes)))


@pytest.fixture
def tiny_recipe(monkeypatch):
    monkeypatch.setattr("clipsvd_app.engine.fewshot.benchmark.recipe_for", lambda preset: RECIPE)


@pytest.fixture
def class_folders(studies, tmp_path):
    for image in studies:
        folder = tmp_path / "discs" / ("bright", "dark")[image.label]
        folder.mkdir(parents=True, exist_ok=True)
        Image.open(image.path).save(folder / f"{image.patient.replace(' ', '')}_{image.id}.png")
    (tmp_path / "discs" / "notes.csv").write_text("not an image")
    return tmp_path / "discs"


def test_the_bench_gives_one_record_for_each_shots_seed_and_method(class_folders, reference, tiny_recipe):
    found = records(class_folders, reference, tiny_recipe)
    # What training started from stands beside the methods.
    assert {r["method"] for r in found} == {*METHOD_TITLES, "start"}
    assert len(found) == 2 * 2 * (1 + len(METHOD_TITLES))
    assert {r["dataset"] for r in found} == {"discs"}
    assert {r["test_images"] for r in found if r["shots"] == 3} == {10}
    assert {r["trainable_parameters"] for r in found if r["method"] == "clip_svd_plain"} == {TRAINED_NUMBERS}
    assert all(0 <= r["balanced_accuracy"] <= 1 for r in found)
    json.dumps(found)


def test_the_bench_keeps_patients_apart(class_folders, reference, tiny_recipe):
    found = records(class_folders, reference, tiny_recipe, group_regex=r"^(patient\d+)_", shots=[1])
    assert {(r["test_images"], r["test_patients"]) for r in found} == {(12, 6)}


def test_the_bench_takes_only_files_that_are_included(class_folders, reference, tiny_recipe):
    found = records(class_folders, reference, tiny_recipe, include_regex=r"patient[0-5]_", shots=[1])
    assert {r["test_images"] for r in found} == {10}


@pytest.fixture
def minimnist(tmp_path):
    generator = np.random.default_rng(0)
    parts = {}
    for split in ("val", "test"):
        parts[f"{split}_images"] = generator.integers(0, 256, (6, 28, 28), dtype=np.uint8)
        parts[f"{split}_labels"] = np.arange(6)[:, None] % 2
    np.savez(tmp_path / "minimnist.npz", **parts)
    return tmp_path / "minimnist.npz"


def test_the_bench_reads_a_medmnist_file(reference, tiny_recipe, minimnist):
    found = records(minimnist, reference, tiny_recipe, shots=[2])
    assert {(r["dataset"], r["test_images"]) for r in found} == {("minimnist", 8)}


def test_names_of_a_medmnist_files_classes_become_their_prompts(
    reference, tiny_recipe, minimnist, monkeypatch
):
    seen = []
    learner = benchmark.Learner
    monkeypatch.setattr(benchmark, "Learner", lambda *parts: seen.append(parts[2]) or learner(*parts))
    records(minimnist, reference, tiny_recipe, shots=[2], class_names=("bright disc", "dark disc"))
    assert [[kind.name for kind in classes] for classes in seen] == [["bright disc", "dark disc"]]


def test_too_few_names_for_a_medmnist_file_are_refused(reference, tiny_recipe, minimnist):
    with pytest.raises(UserError, match="has 2 classes, and 1 name was given"):
        records(minimnist, reference, tiny_recipe, class_names=("normal",))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"group_regex": "("}, "not a regular expression"),
        ({"group_regex": "abc"}, "has no group"),
        ({"include_regex": "nothing like this"}, "only one class"),
    ],
)
def test_a_bench_that_cannot_be_is_refused(class_folders, reference, tiny_recipe, change, sentence):
    with pytest.raises(UserError, match=sentence):
        records(class_folders, reference, tiny_recipe, **change)


def test_prompts_for_an_unknown_class_are_refused(class_folders, reference, tiny_recipe, tmp_path):
    table = tmp_path / "prompts.csv"
    table.write_text("class,prompt\nbright,a bright disc\ngreen,a green disc\n")
    with pytest.raises(UserError, match="“green”"):
        records(class_folders, reference, tiny_recipe, prompts=table)


def test_open_clips_own_clip_goes_the_whole_way(ask, studies, tmp_path):
    """Its towers have other names and another attention; train, verify, predict and explain know them."""
    reference = BackboneRef("clip", str(write_tiny_clip(tmp_path / "clip")))
    result, folder = ask(TrainRequest(reference, CLASSES, studies, RECIPE, shots=2), RunResult)
    sigmas = result.trainable_parameters - result.head_parameters
    assert (result.matrices, sigmas) == (CLIP_MATRICES, CLIP_NUMBERS)
    adapter = str(folder / "adapter.safetensors")
    verified, _ = ask(VerifyRequest(reference, adapter), VerifyResult)
    assert verified.passed, verified.checks
    predicted, _ = ask(PredictRequest(reference, adapter, studies[:2]), PredictResult)
    assert len(predicted.images) == 2
    case, _ = ask(ExplainRequest(reference, adapter, studies[0]), CaseExplanation)
    assert case.adapted == pytest.approx(predicted.images[0].adapted, abs=1e-4)
