"""Facts about a run's report: it is whole, it says the same each time, and it names no one."""

from __future__ import annotations

import base64
import re
import zlib
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import numpy as np
import pytest
from support.changing import replace
from support.dicom_variants import described
from support.made_evaluation import as_of_old, made_run
from support.made_explanation import PLAIN_RUN, RUN

from clipsvd_app.domain.classes import class_from_name
from clipsvd_app.domain.recipe import Recipe
from clipsvd_app.domain.records import to_json
from clipsvd_app.domain.words.controls import CONTROL_TITLES
from clipsvd_app.domain.words.evaluation import recommendation_text, verdict_sentence, weakness_text
from clipsvd_app.domain.words.run_changes import run_statements
from clipsvd_app.errors import Cancelled, UserError
from clipsvd_app.project import create_project
from clipsvd_app.project.class_changes import AddClass
from clipsvd_app.services.labels.labels import set_labels
from clipsvd_app.services.report import write_report
from clipsvd_app.services.report.items import CLAIM_2024, NOT_GIVEN, TRIPOD_AI
from clipsvd_app.services.studies.import_plan import apply_import, plan_import

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("normal", "lesion")
IDENTITY = (
    "Mustermann",
    "Erika",
    "PID-4711",
    "19610203",
    "20240506",
    "Dr.Who",
    "ACC-99",
    "St.Elsewhere",
    "SECRET",
)
PATIENTS = 24


def quiet(done, total):
    """Take progress and drop it."""


@pytest.fixture
def identified(tmp_path: Path) -> Path:
    """DICOM files that say everything about their patients, in a folder that does too."""
    folder = tmp_path / "Mustermann_Erika_PID-4711"
    folder.mkdir()
    random = np.random.default_rng(4)
    for number in range(PATIENTS):
        dataset = described(random.integers(0, 255, (1, 40, 40)).astype(np.uint8))
        dataset.PatientName, dataset.PatientID = f"Mustermann^Erika{number}", f"PID-4711-{number}"
        dataset.PatientBirthDate, dataset.StudyDate = "19610203", "20240506"
        dataset.ReferringPhysicianName, dataset.AccessionNumber = "Dr.Who", "ACC-99"
        dataset.InstitutionName, dataset.StudyDescription = "St.Elsewhere", "SECRET"
        dataset.BodyPartExamined = "SECRET"
        dataset.Modality = "DOE" if number == 0 else "MR"
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = f"1.2.9.{number}", f"1.2.8.{number}"
        dataset.SOPInstanceUID = f"1.2.7.{number}"
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.save_as(folder / f"Mustermann_{number}.dcm", enforce_file_format=True)
    return folder


@pytest.fixture
def project(tmp_path: Path, identified: Path):
    """A project of those files with a whole run and one as an earlier version left it."""
    with create_project(tmp_path / "SECRET Mustermann") as made:
        made.apply(apply_import(made, plan_import(made, [identified])))
        for name in NAMES:
            made.apply(AddClass(class_from_name(name)))
        images = made.images()
        labels = [number % 2 for number in range(len(images))]
        for position, known in enumerate(made.classes()):
            own = [image.id for image, label in zip(images, labels, strict=True) if label == position]
            made.apply(set_labels(own, known.id, known.name))
        run = made_run(NAMES, ids=[image.id for image in images], labels=labels, training=8, seed=5)
        explained = replace(RUN, packs_left_out=("Mustermann",))
        run = replace(run, backbone_name="/home/Mustermann/model", explanation=explained)
        request = {"recipe": to_json(Recipe()), "labels": {}, "classes": []}
        for each in (run, replace(as_of_old(run), explanation=PLAIN_RUN)):
            made.add_run("standard", request, each, b"")
        yield made


def texts_of_pdf(data: bytes) -> str:
    """The text of every page: our font's first subset keeps plain letters as they are."""
    found = []
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", data, re.DOTALL):
        try:
            plain = zlib.decompress(base64.a85decode(b"<~" + stream.strip(), adobe=True))
        except (ValueError, zlib.error):
            continue  # a font or a picture
        found += [part.decode("latin-1") for part in re.findall(rb"\(((?:[^()\\]|\\.)*)\)", plain)]
    return " ".join(found)


class Words(HTMLParser):
    """The words and addresses of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.addresses = [], []

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_starttag(self, tag: str, attributes) -> None:
        self.addresses += [value for name, value in attributes if name in ("src", "href")]


def written(project, out: Path, **more) -> bytes:
    write_report(project, more.pop("number", 1), out, quiet, **more)
    return out.read_bytes()


def page_of(data: bytes) -> Words:
    page = Words()
    page.feed(data.decode())
    return page


@pytest.mark.parametrize("suffix", [".html", ".pdf"])
@pytest.mark.parametrize("failures", [False, True])
def test_no_name_id_date_or_path_gets_into_a_report(project, tmp_path, identified, suffix, failures):
    data = written(project, tmp_path / f"report{suffix}", failures=failures)
    said = data.decode("latin-1") + (texts_of_pdf(data) if suffix == ".pdf" else "")
    for secret in (*IDENTITY, str(tmp_path), identified.name, "1.2.9.", "1.2.7."):
        assert secret.casefold() not in said.casefold(), secret
    for image in project.images():
        assert image.patient_key not in said
        assert image.sha256 not in said


def test_a_modality_that_is_none_is_not_repeated(project, tmp_path):
    text = written(project, tmp_path / "a.html").decode()
    assert f"MR {PATIENTS - 1}, other 1" in text
    assert "DOE" not in text


def test_errors_are_pictured_only_when_they_are_asked_for(project, tmp_path):
    without = page_of(written(project, tmp_path / "a.html"))
    assert without.addresses == []
    report = write_report(project, 1, tmp_path / "b.html", quiet, failures=True)
    pictured = page_of((tmp_path / "b.html").read_bytes()).addresses
    assert len(pictured) == report.failures > 0
    assert all(address.startswith("data:image/png;base64,") for address in pictured)


def test_pictures_with_text_burned_in_are_withheld(project, tmp_path):
    project._db.execute("UPDATE image SET burned_in_text = 1")
    report = write_report(project, 1, tmp_path / "a.html", quiet, failures=True)
    assert report.failures == 0
    assert report.withheld > 0


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("suffix", [".html", ".pdf"])
def test_the_same_run_gives_the_same_bytes(project, tmp_path, suffix, number):
    first = written(project, tmp_path / f"a{suffix}", number=number)
    assert first == written(project, tmp_path / f"b{suffix}", number=number)


def test_the_page_needs_nothing_from_elsewhere(project, tmp_path):
    text = written(project, tmp_path / "a.html").decode()
    assert "default-src &#x27;none&#x27;" in text
    assert not re.findall(r"<script|@import|url\((?!#)", text)
    assert set(re.findall(r"https?://[^\"<\s]+", text)) == {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }


def test_the_report_holds_its_result_figures_limits_and_items(project, tmp_path):
    text = written(project, tmp_path / "a.html").decode()
    evaluation = project.run_result(1).evaluation
    for part in (
        verdict_sentence(evaluation),
        recommendation_text(evaluation),
        *map(weakness_text, evaluation.warnings),
        "Limitations",
        "CLAIM 2024",
    ):
        assert part in text
    assert text.count("<svg") == 7
    assert text.count(f"<td>{NOT_GIVEN}</td>") > 20


def test_the_report_says_what_adaptation_changed_and_which_controls_held(project, tmp_path):
    words = " ".join(page_of(written(project, tmp_path / "r.html")).words)
    assert "What adaptation changed" in words
    for statement in run_statements(RUN, NAMES):
        assert statement.text in words
        assert f"How we know: {statement.how_we_know}" in words
    for control in RUN.controls:
        assert CONTROL_TITLES[control.code] in words
    assert "Relative change of the attention heads" in words
    assert "“round”" not in words, "phrases of single heads stay on the page"


def test_a_run_without_optional_figures_can_be_reported(project, tmp_path):
    text = written(project, tmp_path / "a.html", number=2).decode()
    assert text.count("<svg") == 4
    assert "Reliability" not in text


def test_every_page_of_the_pdf_says_that_it_is_not_for_diagnosis(project, tmp_path):
    data = written(project, tmp_path / "a.pdf", failures=True)
    pages = len(re.findall(rb"/Type /Page\b", data))
    assert pages > 3
    assert texts_of_pdf(data).count("Not for diagnostic use.") >= pages
    assert b"/ToUnicode" in data, "its text can be searched and copied"


def test_the_items_of_both_guidelines_are_all_there_once():
    assert [number for number, *_ in CLAIM_2024] == [str(number) for number in range(1, 45)]
    numbers = [number for number, *_ in TRIPOD_AI]
    assert len(set(numbers)) == len(numbers) == 52
    assert {int(re.match(r"\d+", number)[0]) for number in numbers} == set(range(1, 28))


def test_markup_in_a_class_name_is_shown_as_text(project, tmp_path):
    result = project.run_result(1)
    named = replace(result, class_names=("<b>normal</b>", "a & b"))
    request = {"recipe": to_json(Recipe()), "labels": {}, "classes": []}
    number = project.add_run("standard", request, named, b"")
    assert "<b>normal" not in written(project, tmp_path / "a.html", number=number).decode()
    assert written(project, tmp_path / "a.pdf", number=number).startswith(b"%PDF")


def test_letters_that_the_pdf_cannot_show_are_owned_up_to(project, tmp_path):
    result = replace(project.run_result(1), class_names=("正常", "lesion"))
    request = {"recipe": to_json(Recipe()), "labels": {}, "classes": []}
    number = project.add_run("standard", request, result, b"")
    assert "web page" in texts_of_pdf(written(project, tmp_path / "a.pdf", number=number))
    assert "正常" in written(project, tmp_path / "a.html", number=number).decode()


@pytest.mark.parametrize("suffix", [".html", ".pdf"])
def test_a_cancelled_report_leaves_no_file(project, tmp_path, suffix):
    def stop(done, total):
        raise Cancelled

    with pytest.raises(Cancelled):
        write_report(project, 1, tmp_path / f"a{suffix}", stop, failures=True)
    assert not (tmp_path / f"a{suffix}").exists()


def test_what_cannot_be_written_is_refused_in_words(project, tmp_path):
    (tmp_path / "there.pdf").write_bytes(b"mine")
    for out, code in ((tmp_path / "a.docx", "report_suffix"), (tmp_path / "there.pdf", "exists_already")):
        with pytest.raises(UserError) as caught:
            write_report(project, 1, out, quiet)
        assert caught.value.code == code
    assert (tmp_path / "there.pdf").read_bytes() == b"mine"
    with pytest.raises(UserError) as caught:
        write_report(project, 1, tmp_path / "no" / "a.pdf", quiet)
    assert caught.value.code == "not_writable"
