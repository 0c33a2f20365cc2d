from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import pytest

from clipsvd_app.corpus import (
    AXES,
    COLUMNS,
    DIAGNOSIS,
    MODALITIES,
    CorpusPhrase,
    check_pack,
    without_class_names,
)
from clipsvd_app.corpus import load_corpus as load
from clipsvd_app.corpus.checking import DIAGNOSES
from clipsvd_app.errors import UserError
from clipsvd_app.resources import resource_path

if TYPE_CHECKING:
    from pathlib import Path


def load_corpus(folder: Path | None = None) -> tuple[CorpusPhrase, ...]:
    return load(folder).phrases


def test_the_corpus_has_its_phrases_and_controls() -> None:
    corpus = load_corpus()
    assert 800 <= sum(not phrase.is_control for phrase in corpus) <= 1500
    assert sum(phrase.is_control for phrase in corpus) == 150
    assert {phrase.axis for phrase in corpus} == AXES - {DIAGNOSIS}


@pytest.mark.parametrize("modality", MODALITIES)
def test_every_modality_has_enough_to_say(modality: str) -> None:
    active = [phrase for phrase in load_corpus() if phrase.applies_to({modality})]
    assert 150 <= len(active) <= 400
    assert sum(not phrase.is_control for phrase in active) >= 110


def test_a_control_of_another_modality_is_none_for_its_own() -> None:
    (film,) = [phrase for phrase in load_corpus() if phrase.text == "a frontal film of the chest"]
    assert film.is_control
    assert film.applies_to({"mr"})
    assert not film.applies_to({"radiography"})
    assert not film.applies_to(MODALITIES)


def test_every_code_is_one_of_a_public_context_group() -> None:
    from pydicom.sr._concepts_dict import concepts

    known = {
        (scheme, code)
        for scheme, names in concepts.items()
        for codes in names.values()
        for code, (_, groups) in codes.items()
        if groups
    }
    coded = set()
    for pack in resource_path("corpus").glob("*.csv"):
        with pack.open(encoding="utf-8", newline="") as file:
            coded |= {(row["code_scheme"], row["code"]) for row in csv.DictReader(file) if row["code"]}
    assert len(coded) > 60
    assert coded <= known


def test_diagnoses_lie_apart_and_are_off() -> None:
    with resource_path("corpus", "diagnoses.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 40
    assert {(row["axis"], row["enabled"]) for row in rows} == {(DIAGNOSIS, "false")}


def test_our_own_packs_raise_no_warning_of_their_own() -> None:
    for pack in resource_path("corpus").glob("*.csv"):
        warnings = [line for line in check_pack(pack).warnings if "already" not in line]
        assert warnings == [], pack.name


def test_every_phrase_is_our_own_and_states_its_licence() -> None:
    for pack in resource_path("corpus").glob("*.csv"):
        with pack.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                assert row["source"] == "CLIP-SVD Studio"
                assert row["licence"] == "Apache-2.0"


def test_phrases_name_no_diagnosis() -> None:
    said = " ".join(" ".join((phrase.text, *phrase.synonyms)).lower() for phrase in load_corpus())
    assert not [name for name in DIAGNOSES if f" {name} " in f" {said} "]


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
    assert "Fix the pack" in caught.value.remedy


def test_a_pack_with_other_columns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"mine\.csv.*columns"):
        load_corpus(pack(tmp_path, "1,2", header="id,text"))


def test_a_pack_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="not a readable CSV"):
        load_corpus(tmp_path)


def own(folder: Path, *lines: str) -> tuple[CorpusPhrase, ...]:
    pack(folder, *lines)
    return load(own=folder).phrases


def test_a_pack_of_the_users_own_joins_the_corpus(tmp_path: Path) -> None:
    assert "a round dark spot" in [phrase.text for phrase in own(tmp_path, GOOD)]


def test_a_text_that_is_there_already_is_not_taken_twice(tmp_path: Path) -> None:
    again = GOOD.replace("a round dark spot", "a sharp border")
    assert [phrase.text for phrase in own(tmp_path, again)].count("a sharp border") == 1


def test_a_faulty_pack_of_the_users_own_is_left_out_and_named(tmp_path: Path) -> None:
    pack(tmp_path, GOOD.replace("shape", "flavour"))
    found = load(own=tmp_path)
    assert found.left_out == ("mine",)
    assert found.phrases == load_corpus()


def test_a_check_counts_and_lists_every_fault(tmp_path: Path) -> None:
    pack(tmp_path, GOOD, GOOD.replace("shape", "flavour").replace("x-1", "x-2"), "x-3,too short")
    report = check_pack(tmp_path / "mine.csv")
    assert report.phrases == 1
    assert len(report.faults) == 2
    assert report.faults[0].startswith("Line 3 of the pack “mine.csv”")
    assert not report.is_usable


def test_a_check_warns_of_diagnoses_and_of_mechanical_phrases(tmp_path: Path) -> None:
    alike = [
        f"y-{number},a dark spot {word},any,any,shape,present,,,,me,CC0,true"
        for number, word in enumerate(("above", "below", "left", "right"))
    ]
    named = GOOD.replace("a round dark spot", "a typical breast carcinoma")
    pack(tmp_path, named, *alike)
    report = check_pack(tmp_path / "mine.csv")
    assert report.is_usable
    assert "says “carcinoma”" in report.warnings[0]
    assert "4 phrases differ only in the last word (“a dark spot …”)" in report.warnings[1]


def test_a_pack_without_a_single_enabled_phrase_is_no_pack(tmp_path: Path) -> None:
    pack(tmp_path, GOOD.replace("true", "false"))
    assert not check_pack(tmp_path / "mine.csv").is_usable
