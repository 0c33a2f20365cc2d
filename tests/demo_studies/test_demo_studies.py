from __future__ import annotations

import csv
import math
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pydicom
import pytest
from PIL import Image

from clipsvd_app.demo_studies import FINDINGS, PROMPTS, DemoImage, render_chest, write_demo_studies
from clipsvd_app.demo_studies.body.anatomy import cardiothoracic_ratio, lung_outline
from clipsvd_app.demo_studies.body.lungs import visceral_edge
from clipsvd_app.demo_studies.chest import Patient, draw_patient, render_film
from clipsvd_app.demo_studies.dicom_file import IMAGE_COMMENTS
from clipsvd_app.demo_studies.exposure import draw_exposure
from clipsvd_app.demo_studies.findings import (
    EFFUSION,
    ENLARGED_HEART,
    PNEUMOTHORAX,
    Disease,
    Effusion,
    Pneumothorax,
)
from clipsvd_app.demo_studies.patients import PlannedFilm, plan_films
from clipsvd_app.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

SIZE = 64


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def written(folder: Path) -> tuple[DemoImage, ...]:
    return write_demo_studies(folder, patients=24, size=SIZE)


@pytest.fixture(scope="module")
def plan() -> tuple[PlannedFilm, ...]:
    return plan_films(seed=20250903, patients=96, size=512)


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("first", "second"):
        write_demo_studies(tmp_path / name, seed=5, patients=6, size=SIZE)
    first = {p.relative_to(tmp_path / "first"): p.read_bytes() for p in (tmp_path / "first").rglob("*.*")}
    second = {p.relative_to(tmp_path / "second"): p.read_bytes() for p in (tmp_path / "second").rglob("*.*")}
    assert first == second
    assert len(first) > 12


def test_another_seed_gives_other_pixels_and_other_identifiers(tmp_path: Path) -> None:
    headers = [
        pydicom.dcmread(write_demo_studies(tmp_path / str(seed), seed=seed, patients=1, size=SIZE)[0].path)
        for seed in (1, 2)
    ]
    assert headers[0].PixelData != headers[1].PixelData
    assert headers[0].SOPInstanceUID != headers[1].SOPInstanceUID
    assert headers[0].StudyInstanceUID != headers[1].StudyInstanceUID


def test_the_full_set_has_32_patients_a_finding_and_returning_ones_in_each(
    plan: tuple[PlannedFilm, ...],
) -> None:
    finding_of = {film.header.patient: film.finding for film in plan}
    assert Counter(finding_of.values()) == dict.fromkeys(FINDINGS, 32)
    second_films = Counter(film.finding for film in plan if film.header.image == 2)
    assert second_films == dict.fromkeys(FINDINGS, 8)
    assert all(film.finding == finding_of[film.header.patient] for film in plan)


def test_about_one_patient_in_eight_is_monochrome1_in_every_finding(plan: tuple[PlannedFilm, ...]) -> None:
    inverted = Counter(film.finding for film in plan if film.header.inverted and film.header.image == 1)
    assert inverted == dict.fromkeys(FINDINGS, 4)


def test_second_films_are_second_studies_or_second_series(plan: tuple[PlannedFilm, ...]) -> None:
    ways = Counter((f.header.study, f.header.series) for f in plan if f.header.image == 2)
    assert set(ways) == {(2, 1), (1, 2)}


def test_a_second_film_is_the_same_chest_exposed_anew(plan: tuple[PlannedFilm, ...]) -> None:
    second = next(film for film in plan if film.header.image == 2)
    first = next(f for f in plan if f.header.patient == second.header.patient)
    assert first.patient == second.patient
    assert first.exposure != second.exposure


def test_every_film_shows_exactly_the_finding_it_is_labelled_with(plan: tuple[PlannedFilm, ...]) -> None:
    for film in plan:
        disease = film.patient.disease
        assert (disease.effusion is not None) == (film.finding == EFFUSION)
        assert (disease.pneumothorax is not None) == (film.finding == PNEUMOTHORAX)
        ratio = cardiothoracic_ratio(film.patient.anatomy)
        if film.finding == ENLARGED_HEART:
            assert 0.56 < ratio < 0.74
        else:
            assert 0.39 < ratio < 0.485


def test_findings_come_on_both_sides_and_of_many_sizes(plan: tuple[PlannedFilm, ...]) -> None:
    effusions = [f.patient.disease.effusion for f in plan if f.patient.disease.effusion]
    airs = [f.patient.disease.pneumothorax for f in plan if f.patient.disease.pneumothorax]
    assert {e.side for e in effusions} == {a.side for a in airs} == {-1, 1}
    assert min(e.volume for e in effusions) < 0.4 < 0.8 < max(e.volume for e in effusions)
    assert min(a.gap for a in airs) < 0.16 < 0.28 < max(a.gap for a in airs)


def test_a_pneumothorax_moves_the_lung_edge_inwards_and_never_outwards(plan: tuple[PlannedFilm, ...]) -> None:
    outline = lung_outline(plan[0].patient.anatomy, 1)
    y = np.linspace(outline.apex_y + 0.02, 0.5, 200)
    for gap, apical in ((0.05, 1.0), (0.26, 0.0)):
        edge = visceral_edge(outline, Pneumothorax(side=1, gap=gap, apical=apical)).at(y)
        room = outline.lateral.at(y) - edge
        assert room.min() > -1e-3
        assert room.max() > gap / 2


def test_an_effusion_whitens_the_base_of_its_own_side() -> None:
    rng = np.random.default_rng(3)
    patient, exposure = draw_patient(rng, None), draw_exposure(rng)
    ratio = patient.disease.heart_ratio
    healthy = render_film(patient, exposure, 128)
    ill = Patient(patient.anatomy, Disease(ratio, effusion=Effusion(side=1, volume=0.6)))
    change = render_film(ill, exposure, 128) - healthy
    assert change[64:96, 88:112].mean() > 0.15
    assert abs(change[64:96, 16:40].mean()) < 0.05


@pytest.mark.parametrize("finding", [None, *FINDINGS])
@pytest.mark.parametrize("size", [64, 97])
def test_a_chest_is_finite_greys_of_the_wanted_size(finding: str | None, size: int) -> None:
    film = render_chest(np.random.default_rng(1), finding, size)
    assert film.shape == (size, size)
    assert film.dtype == np.float32
    assert 0.0 <= film.min() < 0.15
    assert 0.8 < film.max() <= 1.0


def test_an_unknown_finding_is_refused_with_a_remedy() -> None:
    with pytest.raises(UserError, match="pleural effusion") as refusal:
        render_chest(np.random.default_rng(1), "fracture", SIZE)
    assert refusal.value.code == "unknown_demo_finding"


def test_headers_are_those_of_a_digital_chest_film(written: tuple[DemoImage, ...]) -> None:
    for image in written:
        header = pydicom.dcmread(image.path)
        assert header.file_meta.TransferSyntaxUID == pydicom.uid.ExplicitVRLittleEndian
        assert header.SOPClassUID == pydicom.uid.DigitalXRayImageStorageForPresentation
        assert header.PatientID == f"DEMO-{image.patient:03d}"
        assert header.PatientName == f"DEMO^SYNTHETIC {image.patient:03d}"
        assert (header.Modality, header.BodyPartExamined, header.ViewPosition) == ("DX", "CHEST", "PA")
        assert (header.BitsAllocated, header.BitsStored, header.HighBit) == (16, 12, 11)
        assert header.PixelSpacing == header.ImagerPixelSpacing == [400 / SIZE] * 2
        assert header.BurnedInAnnotation == "YES"
        assert header.PatientIdentityRemoved == "YES"
        assert header.ImageComments == IMAGE_COMMENTS
        assert header.pixel_array.max() < 4096


def test_type_1_attributes_of_the_digital_x_ray_object_are_filled(written: tuple[DemoImage, ...]) -> None:
    header = pydicom.dcmread(written[0].path)
    required = (
        "PresentationIntentType ImageLaterality AnatomicRegionSequence ImageType PixelIntensityRelationship "
        "PixelIntensityRelationshipSign RescaleIntercept RescaleSlope RescaleType PresentationLUTShape "
        "LossyImageCompression PatientOrientation BurnedInAnnotation ImagerPixelSpacing WindowCenter "
        "WindowWidth"
    )
    for keyword in required.split():
        assert header[keyword].value not in (None, ""), keyword


def test_identifiers_are_unique_under_the_uuid_root_and_group_by_patient(
    written: tuple[DemoImage, ...],
) -> None:
    headers = [pydicom.dcmread(image.path, stop_before_pixels=True) for image in written]
    assert len({h.SOPInstanceUID for h in headers}) == len(written)
    assert all(h.StudyInstanceUID.is_valid and h.StudyInstanceUID.startswith("2.25.") for h in headers)
    owner: dict[str, str] = {}
    for header in headers:
        assert owner.setdefault(header.StudyInstanceUID, header.PatientID) == header.PatientID


def test_no_finding_is_named_in_header_or_path(written: tuple[DemoImage, ...], folder: Path) -> None:
    words = {word for finding in FINDINGS for word in finding.split()}
    for image in written:
        header = pydicom.dcmread(image.path, stop_before_pixels=True)
        said = f"{header.file_meta} {header} {image.path.relative_to(folder)}".lower()
        assert not [word for word in words if word in said]


def test_the_png_twin_is_what_the_window_shows(written: tuple[DemoImage, ...], folder: Path) -> None:
    photometrics = set()
    for image in written:
        header = pydicom.dcmread(image.path)
        photometrics.add(header.PhotometricInterpretation)
        shown = pydicom.pixels.apply_windowing(header.pixel_array, header) / (2**12 - 1) * 255
        if header.PhotometricInterpretation == "MONOCHROME1":
            shown = 255 - shown
        with Image.open(folder / "png" / f"P{image.patient:03d}_{image.image}.png") as twin:
            assert np.abs(np.asarray(twin) - shown).max() <= 1.0
    assert photometrics == {"MONOCHROME1", "MONOCHROME2"}


def test_the_label_table_names_every_dicom_file(written: tuple[DemoImage, ...], folder: Path) -> None:
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(folder / row["path"], row["class"]) for row in rows] == [(i.path, i.finding) for i in written]
    assert rows[0]["path"] == "dicom/P001/IM1.dcm"


def test_progress_counts_up_to_the_number_of_films(tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    images = write_demo_studies(
        tmp_path, patients=3, size=SIZE, png=False, report=lambda done, total: heard.append((done, total))
    )
    assert heard == [(n, len(images)) for n in range(1, len(images) + 1)]
    assert not (tmp_path / "png").exists()


def test_leads_ports_and_lines_say_nothing_about_the_finding() -> None:
    films = plan_films(seed=1, patients=900, size=SIZE)
    for thing in ("leads", "port", "line", "marker_left"):
        share = [
            np.mean([getattr(f.exposure, thing) for f in films if f.finding == finding])
            for finding in FINDINGS
        ]
        chance = math.sqrt(np.mean(share) * (1 - np.mean(share)) / 300)
        assert max(share) - min(share) < 5 * chance


def test_every_finding_has_three_to_five_prompts() -> None:
    assert tuple(PROMPTS) == FINDINGS
    assert all(3 <= len(prompts) <= 5 for prompts in PROMPTS.values())
