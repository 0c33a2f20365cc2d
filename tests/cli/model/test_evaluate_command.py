"""``clipsvd evaluate``: the stored evaluation, and a new one; who is on which side; what is never shown."""

from __future__ import annotations

import csv
import html
import json
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from PIL import Image
from PySide6.QtGui import QImage
from support.tiny_backbone import write_tiny_backbone

from clipsvd_app.adapter_file import card_text, read_adapter
from clipsvd_app.cli import main
from clipsvd_app.corpus import MODALITIES
from clipsvd_app.domain.recipe import PRESETS, Recipe
from clipsvd_app.domain.results.cases import best_known, evidence, is_error
from clipsvd_app.domain.results.evaluation import METHOD_TITLES
from clipsvd_app.domain.words.evaluation import prediction_sets_text
from clipsvd_app.domain.words.numbers import percent
from clipsvd_app.domain.words.trained import PLAIN_TITLE
from clipsvd_app.engine.sigma.likeness import RECIPE_KEY
from clipsvd_app.project import open_project
from clipsvd_app.services.labels.labels import set_labels
from clipsvd_app.services.studies.held_out_patients import SEED, is_locked
from clipsvd_app.ui.inspect.case_sheet import CaseSheet
from clipsvd_app.ui.run.state import CaseSheetState

PATIENTS = 8


def document(capsys, *arguments: object) -> dict:
    code = main([*map(str, arguments), "--json", "--quiet"])
    out = capsys.readouterr().out
    assert code == 0
    return json.loads(out)


@pytest.fixture(autouse=True)
def _few_steps(monkeypatch):
    quick = Recipe(preset="quick", steps=4, choice_steps=2, batch_size=4, folds=2, repeats=2)
    monkeypatch.setitem(PRESETS, "quick", quick)
    monkeypatch.setitem(PRESETS, "standard", replace(quick, preset="standard", repeats=1))


@pytest.fixture
def leaky(tmp_path, capsys):
    """Every patient has a picture in the folders of both classes."""
    random = np.random.default_rng(5)
    for name, grey in (("dark", 60), ("bright", 190)):
        (tmp_path / "in" / name).mkdir(parents=True)
        for patient in range(PATIENTS):
            pixels = random.normal(grey, 40, (40, 40)).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "in" / name / f"p{patient}_{name}.png")
    file, backbone = tmp_path / "p.clipsvd", write_tiny_backbone(tmp_path / "tiny")
    for command in (
        ["new", file, "--class", "dark", "--class", "bright", "--backbone", backbone],
        ["add", file, tmp_path / "in", "--patient-from", r"regex:^p(\d+)_"],
        ["label", file, "--from-folders"],
    ):
        assert main([str(part) for part in command]) == 0
    capsys.readouterr()
    return file


def test_a_leaky_project_is_split_by_patient_and_the_evaluation_says_how(leaky, capsys):
    found = document(capsys, "evaluate", leaky, "--preset", "quick")
    assert found["verdict"] in ("helped", "harmed", "not_shown")
    assert found["split"] == {
        "kind": "cross_validated",
        "patients": PATIENTS,
        "images": 2 * PATIENTS,
        "folds": 2,
        "repeats": 2,
    }
    for score in found["methods"]:
        low, high = score["interval"]
        assert 0 <= low <= score["balanced_accuracy"] <= high <= 1
    methods = [score["method"] for score in found["methods"]]
    assert methods == list(METHOD_TITLES)
    assert {d["against"] for d in found["differences"]} == set(methods) - {"clip_svd"}
    assert found["calibration"]["temperature"] > 0
    assert found["conformal"]["alpha"] == 0.2
    assert found["recommendation"]
    # Asked again, the stored run answers, and the other form of the command says the same in words.
    assert document(capsys, "evaluate", leaky, "--run", 1) == found
    assert main(["evaluate", str(leaky)]) == 0
    said = capsys.readouterr().out
    assert "2-fold cross-validation by patient, repeated 2 times" in said
    assert found["sentence"].replace("\N{NO-BREAK SPACE}", " ") in said


def test_every_image_of_a_run_carries_what_is_known_of_it(leaky, capsys):
    document(capsys, "train", leaky, "--preset", "standard")
    with open_project(leaky) as project:
        result, images = project.run_result(1), {image.id: image for image in project.images()}
    for prediction in result.predictions:
        patient = images[prediction.image_id].patient_key
        assert prediction.role == "out_of_fold"
        assert sum(prediction.calibrated) == pytest.approx(1)
        assert prediction.conformal is not None
        assert ("set_not_single" in prediction.doubts) == (len(prediction.conformal) != 1)
        assert prediction.suspicion == pytest.approx(1 - prediction.calibrated[prediction.label])
        assert len(prediction.place) == 2
        assert prediction.nearest
        assert all(images[near].patient_key != patient for near in prediction.nearest)


def test_training_images_have_no_set_and_no_suspicion_and_count_in_no_figure(leaky, capsys):
    document(capsys, "train", leaky, "--preset", "standard", "--shots", 3)
    with open_project(leaky) as project:
        result = project.run_result(1)
    trained = [p for p in result.predictions if p.role == "train"]
    tested = [p for p in result.predictions if p.role == "test"]
    assert trained
    assert all(p.conformal is None and p.suspicion is None for p in trained)
    assert result.evaluation.images == len(tested)
    for score in result.evaluation.methods:
        assert sum(map(sum, score.confusion)) == len(tested)


def test_patients_set_aside_test_every_run_and_train_none(leaky, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("clipsvd_app.services.studies.held_out_patients.LEAST", 1)
    with open_project(leaky) as project:
        keys = {image.patient_key for image in project.images()}
        # The keys are salted anew in every project, so the number with two patients aside is looked for.
        seeds = (str(number) for number in range(1000))
        project.set_setting(SEED, next(s for s in seeds if sum(is_locked(s, key) for key in keys) == 2))
    document(capsys, "train", leaky, "--preset", "standard", "--locked-test")
    found = document(capsys, "evaluate", leaky, "--preset", "standard")
    assert found["split"]["kind"] == "locked"
    assert any("1 earlier run was tested on the same" in warning for warning in found["warnings"])
    with open_project(leaky) as project:
        first, second = project.run_result(1), project.run_result(2)
        patient = {image.id: image.patient_key for image in project.images()}
    sides = [
        {
            role: {patient[p.image_id] for p in result.predictions if p.role == role}
            for role in ("train", "test")
        }
        for result in (first, second)
    ]
    assert sides[0] == sides[1]
    assert sides[0]["test"]
    assert not sides[0]["test"] & sides[0]["train"]


def test_without_an_estimate_the_reason_is_said(leaky, capsys):
    with open_project(leaky) as project:
        from clipsvd_app.services.labels.labels import set_labels

        late = [image.id for image in project.images() if image.patient_number > 3]
        project.apply(set_labels(late, None))
    found = document(capsys, "evaluate", leaky, "--preset", "quick")
    assert (found["split"]["kind"], found["methods"]) == ("none", [])
    assert "at least 4 in every class" in found["reason"]


def test_a_project_without_a_run_says_how_to_get_one(leaky, capsys):
    assert main(["evaluate", str(leaky)]) == 1
    assert "Train first" in capsys.readouterr().err


def swap_labels_of(file: Path, patients: range) -> None:
    """Give each image of these patients the other class, so that a good model misclassifies it."""
    with open_project(file) as project:
        classes = [known.id for known in project.classes()]
        given = {class_id: [] for class_id in classes}
        for image in project.images():
            if image.patient_number in patients:
                given[classes[1 - classes.index(image.class_id)]].append(image.id)
        for class_id, image_ids in given.items():
            project.apply(set_labels(image_ids, class_id))


def shown_in_the_window(prediction, names, qtbot) -> list[float]:
    """Return the adapted probabilities that the case sheet draws."""
    image = QImage(8, 8, QImage.Format.Format_Grayscale8)
    image.fill(90)
    sheet = CaseSheet()
    qtbot.addWidget(sheet)
    sheet.set_case(CaseSheetState(image, prediction, names, prediction.label))
    heading, *rows = sheet.bars.data_rows()
    assert heading[1] == "calibrated"
    return [float(row[1]) for row in rows]


@pytest.mark.gui
def test_one_image_has_one_probability_wherever_it_is_shown(leaky, capsys, tmp_path, qtbot):
    """In the run, the window, the report, a table, an explanation, and by the adapter on any computer."""
    swap_labels_of(leaky, range(1, 3))
    document(capsys, "train", leaky, "--preset", "standard", "--shots", 3)
    adapter, table, report = (tmp_path / name for name in ("out.sigma.safetensors", "out.csv", "out.html"))
    document(capsys, "export", leaky, "--run", 1, "--out", adapter)
    content = read_adapter(adapter)
    temperature = content.document.calibration.temperature
    assert temperature != 1
    assert f"logits divided by {temperature:.2f}" in card_text(content)
    with open_project(leaky) as project:
        paths = {image.id: image.path for image in project.images()}
        result = project.run_result(1)
        backbone = project.setting("backbone")
    stored = {Path(paths[p.image_id]).name: p for p in result.predictions}
    given = ("predict", tmp_path / "in", "--adapter", adapter, "--backbone", backbone, "--csv", table)
    predicted = document(capsys, *given)
    assert len(predicted["images"]) == len(stored) == 2 * PATIENTS
    for row in predicted["images"]:
        known = best_known(stored[Path(row["path"]).name])
        assert list(row["probabilities"].values()) == pytest.approx(known, abs=1e-6)
    with table.open(encoding="utf-8-sig", newline="") as stream:
        for row in csv.DictReader(stream):
            known = best_known(stored[Path(row["file"]).name])
            assert [float(row[f"p({name})"]) for name in result.class_names] == pytest.approx(known, abs=1e-4)
    for known in result.predictions:
        assert shown_in_the_window(known, result.class_names, qtbot) == pytest.approx(best_known(known))
    document(capsys, "report", leaky, "--run", 1, "--out", report, "--failures")
    wrong = [p for p in evidence(result.predictions) if is_error(p)]
    assert wrong, "the labels of two patients are swapped"
    for known in wrong:
        assert f"({percent(max(best_known(known)))})" in html.unescape(report.read_text(encoding="utf-8"))
    for role in ("train", "test"):
        known = next(p for p in result.predictions if p.role == role)
        case = document(capsys, "explain", leaky, "--image", paths[known.image_id])["case"]
        assert case["adapted"] == pytest.approx(best_known(known), abs=1e-5)
        assert case["zero_shot"] == pytest.approx(known.zero_shot, abs=1e-5)
        assert f"calibrated with temperature {temperature:.2f}" in case["how_we_know"]
        assert known.adapted != pytest.approx(best_known(known), abs=1e-3)
    verified = document(capsys, "adapter", "verify", adapter, "--backbone", backbone)
    assert verified["passed"]


def test_plain_clip_svd_is_trained_on_request_and_named_wherever_the_run_is(leaky, capsys, tmp_path):
    found = document(capsys, "train", leaky, "--preset", "quick", "--shots", 3, "--plain")
    assert (found["plain"], found["start"], found["share"], found["choice_folds"]) == (True, "text", 1, 0)
    methods = [score["method"] for score in found["evaluation"]["methods"]]
    assert methods == [name for name in METHOD_TITLES if name != "clip_svd_plain"], "it is the method itself"
    assert [run["preset"] for run in document(capsys, "runs", leaky)["runs"]] == ["quick, plain"]
    assert main(["evaluate", str(leaky)]) == 0
    assert f"{PLAIN_TITLE}: started from the class texts" in capsys.readouterr().out
    adapter, report = tmp_path / "plain.sigma.safetensors", tmp_path / "plain.html"
    document(capsys, "export", leaky, "--run", 1, "--out", adapter)
    content = read_adapter(adapter)
    assert content.head is None
    assert "preset quick, plain CLIP-SVD as in the paper" in card_text(content)
    document(capsys, "report", leaky, "--run", 1, "--out", report)
    assert PLAIN_TITLE in html.unescape(report.read_text(encoding="utf-8"))


def test_an_adapter_carries_what_its_training_images_are_like(leaky, capsys, tmp_path):
    """In the settings of its recipe, so that the format is as it was; of few patients it carries nothing."""
    document(capsys, "train", leaky, "--preset", "quick")
    document(capsys, "train", leaky, "--preset", "quick", "--shots", 2)
    with open_project(leaky) as project:
        backbone = project.setting("backbone")
    for number, patients in ((1, PATIENTS), (2, 4)):
        adapter = tmp_path / f"{number}.sigma.safetensors"
        document(capsys, "export", leaky, "--run", number, "--out", adapter)
        recipe = read_adapter(adapter).document.training.recipe
        assert (RECIPE_KEY in recipe) == (patients == PATIENTS)
        predicted = document(capsys, "predict", tmp_path / "in", "--adapter", adapter, "--backbone", backbone)
        assert (predicted["learnt_kind"] in MODALITIES) == (patients == PATIENTS)
        marked = [bool(row["unlike_training"]) for row in predicted["images"]]
        assert sum(marked) == predicted["unlike"] <= 2
        assert marked == sorted(marked, reverse=True)


def test_after_cross_validation_only_labelled_images_have_sets(leaky, capsys):
    with open_project(leaky) as project:
        first = project.images()[0].id
        project.apply(set_labels([first], None))
    document(capsys, "train", leaky, "--preset", "standard")
    with open_project(leaky) as project:
        result = project.run_result(1)
    assert {p.role: p.conformal is None for p in result.predictions} == {"pool": True, "out_of_fold": False}
    assert result.evaluation.conformal.coverage_range is None
    assert "New images have no sets" in prediction_sets_text(result.evaluation.conformal)


def test_the_same_images_added_in_another_order_give_the_same_run(leaky, capsys, tmp_path):
    with open_project(leaky) as project:
        backbone = project.setting("backbone")
    other, files = tmp_path / "q.clipsvd", sorted((tmp_path / "in").rglob("*.png"), reverse=True)
    document(capsys, "new", other, "--class", "dark", "--class", "bright", "--backbone", backbone)
    document(capsys, "add", other, *files, "--patient-from", r"regex:^p(\d+)_")
    document(capsys, "label", other, "--from-folders")
    runs, adapters = [], []
    for number, file in enumerate((leaky, other)):
        document(capsys, "train", file, "--preset", "standard", "--no-mirror")
        with open_project(file) as project:
            paths = {image.id: image.path for image in project.images()}
            runs.append({paths[p.image_id]: p.calibrated for p in project.run_result(1).predictions})
            methods = project.run_result(1).evaluation.methods
            runs.append([(m.balanced_accuracy, m.interval, m.macro_auroc, m.brier) for m in methods])
            assert project.run_request(1)["recipe"]["flip"] is False
            assert project.setting("mirror_images") == "no"
        document(capsys, "export", file, "--run", 1, "--out", tmp_path / f"{number}.sigma.safetensors")
        adapters.append(read_adapter(tmp_path / f"{number}.sigma.safetensors"))
    assert runs[0] == runs[2]
    assert runs[1] == runs[3]
    notes = [replace(adapter.document.training, seconds=0.0) for adapter in adapters]
    assert notes[0] == notes[1]
    for one, two in zip(adapters[0].spectra, adapters[1].spectra, strict=True):
        assert (one.sigma == two.sigma).all()
