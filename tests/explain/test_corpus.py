from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import pytest

from clipsvd_app.engine.explain.corpus import (
    AXES,
    COLUMNS,
    CorpusPhrase,
    load_corpus,
    without_class_names,
)
from clipsvd_app.errors import UserError
from clipsvd_app.resources import resource_path

if TYPE_CHECKING:
    from pathlib import Path


def test_the_starter_corpus_has_its_phrases_and_controls() -> None:
    corpus = load_corpus()
    assert sum(not phrase.is_control for phrase in corpus) >= 350
    assert sum(phrase.is_control for phrase in corpus) >= 50
    assert {phrase.axis for phrase in corpus} == AXES


def test_every_modality_has_a_pack() -> None:
    found = {phrase.modality for phrase in load_corpus()}
    expected = {"radiography", "ultrasound", "ct", "mr", "dermoscopy", "fundus", "histology", "any", "none"}
    assert found == expected


def test_every_phrase_is_our_own_and_states_its_licence() -> None:
    for pack in resource_path("corpus").glob("*.csv"):
        with pack.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                assert row["source"] == "CLIP-SVD Studio"
                assert row["licence"] == "Apache-2.0"


def test_phrases_name_no_diagnosis() -> None:
    diagnoses = (
        "carcinoma",
        "cancer",
        "pneumonia",
        "melanoma",
        "tuberculosis",
        "malignant",
        "benign",
        "glaucoma",
    )
    said = " ".join(" ".join((phrase.text, *phrase.synonyms)).lower() for phrase in load_corpus())
    assert not [name for name in diagnoses if name in said]


def phrase(text: str, synonyms: tuple[str, ...] = ()) -> CorpusPhrase:
    return CorpusPhrase(text, text, "any", "any", "shape", "present", synonyms)


@pytest.mark.parametrize(
    ("name", "text", "kept"),
    [
        ("nodule", "a round nodule here", False),
        ("nodule", "several small nodules here", False),
        ("Pleural Effusion", "a small effusion below", False),
        ("pleural effusion", "a thin pleural line", True),
        ("lung_nodule", "a nodule near the hilum", False),
        ("lung nodule", "clear and dark lungs", True),
    ],
)
def test_a_class_name_among_the_concepts_is_dropped(name: str, text: str, kept: bool) -> None:
    assert bool(without_class_names([phrase(text)], [name])) is kept


def test_a_body_part_in_a_class_name_drops_no_description_of_it() -> None:
    kept = {phrase.text for phrase in without_class_names(load_corpus(), ["normal breast", "breast lesion"])}
    assert "ordinary layers of skin, fat and gland" in kept
    assert "thickened skin over the breast" in kept
    assert "the lesion lies left of the centre" not in kept
    assert "normal branching of lung vessels" not in kept


def test_a_class_name_among_the_synonyms_is_dropped_too() -> None:
    assert without_class_names([phrase("a coin-shaped shadow", ("nodule",))], ["nodule"]) == ()


GOOD = "x-1,a round dark spot,any,any,shape,present,,,,me,CC0,true"


def pack(folder: Path, *lines: str, header: str = ",".join(COLUMNS)) -> Path:
    folder.joinpath("mine.csv").write_text("\n".join((header, *lines)) + "\n", encoding="utf-8")
    return folder


def test_a_pack_of_the_users_own_is_read(tmp_path: Path) -> None:
    (read,) = load_corpus(pack(tmp_path, GOOD.replace(",,,,me", ",disc|dot,,,me")))
    assert read.synonyms == ("disc", "dot")


def test_a_phrase_that_is_not_enabled_is_left_out(tmp_path: Path) -> None:
    assert load_corpus(pack(tmp_path, GOOD.replace("true", "false"))) == ()


@pytest.mark.parametrize(
    "line",
    [
        GOOD.replace("shape", "flavour"),
        GOOD.replace("a round dark spot", "a spot"),
        GOOD.replace("a round dark spot", "a " * 11),
        GOOD.replace("any,any", "sonar,any"),
        GOOD.replace("present", "maybe"),
        GOOD.replace(",true", ",yes"),
        GOOD.replace("shape", "control"),
        GOOD + ",more",
        GOOD.rsplit(",", 1)[0],
        GOOD + "\n" + GOOD,
        GOOD + "\n" + GOOD.replace("x-1", "x-2"),
    ],
)
def test_a_faulty_pack_is_refused_with_a_remedy(tmp_path: Path, line: str) -> None:
    with pytest.raises(UserError) as caught:
        load_corpus(pack(tmp_path, line))
    assert "Mend the pack" in caught.value.remedy


def test_a_pack_with_other_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"mine\.csv.*columns"):
        load_corpus(pack(tmp_path, "1,2", header="id,text"))


def test_a_pack_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="not a readable CSV"):
        load_corpus(tmp_path)
