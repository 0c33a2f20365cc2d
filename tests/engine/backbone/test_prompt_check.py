"""Classes whose prompts the model cannot read, or tell apart, are refused before anything is trained."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from clipsvd_app import resources
from clipsvd_app.domain.classes import ClassSpec, class_from_name
from clipsvd_app.domain.recipe import Recipe
from clipsvd_app.engine.backbone.backbone import require_finite
from clipsvd_app.engine.backbone.folder import read_folder
from clipsvd_app.engine.backbone.prompt_check import check_prompts, require_readable, says_nothing
from clipsvd_app.engine.backbone.tokenizer import ClipTokenizer, load_tokenizer
from clipsvd_app.engine.data.images import model_square
from clipsvd_app.engine.device.torch_setup import import_open_clip
from clipsvd_app.engine.jobs.job import Engine
from clipsvd_app.engine.sigma.adapter_document import require_storable
from clipsvd_app.engine.training.labelled_images import LabelledImages
from clipsvd_app.errors import UserError
from clipsvd_app.jobs.answers import PreviewResult
from clipsvd_app.jobs.folders import read_request, read_result, write_request
from clipsvd_app.jobs.lines import unreported
from clipsvd_app.jobs.requests import BackboneRef, ImageInput, PreviewRequest, TrainRequest

LONG = "an image of tissue of mixed texture acquired with a probe and shown in grey with "


@pytest.fixture(scope="module")
def bert():
    """The bundled model's tokenizer: 64 tokens, and no Chinese, Cyrillic or Arabic word."""
    return load_tokenizer(read_folder(resources.resource_path("backbones", "demo")))


@pytest.fixture(scope="module")
def clip():
    return ClipTokenizer(import_open_clip().SimpleTokenizer(), 77)


@pytest.fixture(params=["bert 64", "bert 256", "clip 77"])
def tokenizer(request, bert, clip):
    return {"bert 64": bert, "bert 256": replace(bert, context_length=256), "clip 77": clip}[request.param]


def named(name: str, *prompts: str) -> ClassSpec:
    return ClassSpec(name, prompts) if prompts else class_from_name(name)


@pytest.mark.parametrize(
    "text", ["a chest film", "Ödem, ≥ 2 cm", LONG * 20, "film " * 75 + "气胸 норма ورم", "x" * 120]
)
def test_what_is_said_to_be_read_is_what_the_model_is_given(tokenizer, text):
    reading = tokenizer.read([text])[0]
    given = tokenizer([text])[0].tolist()
    assert list(reading.ids) == given[1:-1]
    assert bool(reading.lost) == (len(reading.whole) > len(reading.ids))
    assert reading.lost == "" or reading.lost.split()[-1].casefold() in text.casefold()


@pytest.mark.parametrize("names", [("肺炎", "骨折"), ("перелом", "киста"), ("كسر", "كيس"), ("🙂", "🙁")])
def test_names_of_unknown_words_are_refused_with_their_classes_and_the_reason(bert, names):
    first, second = names
    with pytest.raises(UserError) as caught:
        require_readable(bert, [named(name) for name in names])
    assert caught.value.code == "unreadable_prompts"
    assert (
        f"the classes “{first}” and “{second}”: its vocabulary does not have “{first}”, “{second}”."
        in caught.value.message
    )
    assert (
        f"English words for “{first}” and “{second}”; the class names need not change" in caught.value.remedy
    )


def test_one_such_class_among_others_is_refused_too(bert):
    with pytest.raises(UserError, match="the class “肺炎”: its vocabulary does not have “肺炎”"):
        require_readable(bert, [named("肺炎"), named("normal")])


@pytest.mark.parametrize("prompt", ["pneumonia", "viral pneumonia 肺炎", "pneumonia (肺炎)"])
def test_a_foreign_name_with_an_english_prompt_works(bert, prompt):
    report = check_prompts(bert, [named("肺炎", prompt), named("骨折", "a fracture")])
    assert not report.refusals
    assert ("does not know “肺炎”" in " ".join(report.warnings)) == ("肺炎" in prompt)


def test_clip_has_pieces_for_every_script(clip):
    assert not check_prompts(clip, [named("肺炎"), named("骨折")]).refusals


def test_prompts_that_differ_after_the_last_token_read_are_refused(tokenizer):
    head = LONG * (1 + tokenizer.context_length // 12)
    classes = [named("benign", head + "a smooth mass"), named("malignant", head + "a spiculated mass")]
    with pytest.raises(UserError) as caught:
        require_readable(tokenizer, classes)
    assert "distinguish the classes “benign” and “malignant”" in caught.value.message
    assert f"only after {tokenizer.context_length} tokens" in caught.value.message
    assert "Shorten" in caught.value.remedy


def test_the_reason_is_the_true_one(bert):
    def reason(*classes):
        return check_prompts(bert, classes).refusals[0].message

    assert "same prompts" in reason(named("one", "a mass"), named("two", " a  mass "))
    assert "case, accents" in reason(named("one", "an Ödem"), named("two", "an odem"))
    assert "outside its vocabulary, such as “≥”, “≤”" in reason(
        named("large", "a cyst ≥ 1 cm"), named("small", "a cyst ≤ 1 cm")
    )
    assert "no known character" in reason(named("zero", "\u200b"), named("one", "a mass"))


def test_the_same_prompts_in_another_order_are_the_same(bert):
    (refusal,) = check_prompts(
        bert, [named("one", "a mass", "a cyst"), named("two", "a cyst", "a mass")]
    ).refusals
    assert refusal.code == "same_prompts"


def test_many_classes_that_cannot_be_read_are_some_names_and_a_count(bert):
    with pytest.raises(UserError, match="” and 37 more: its vocabulary"):
        require_readable(bert, [named(chr(0x4E00 + 7 * number)) for number in range(40)])


def test_classes_that_fail_for_different_reasons_are_each_told_their_own(bert):
    with pytest.raises(UserError) as caught:
        require_readable(bert, [named("气胸"), named("one", "a mass"), named("two", "a  mass")])
    assert "cannot read the prompts of the class “气胸”" in caught.value.message
    assert (
        "cannot distinguish the classes “one” and “two”: they have the same prompts" in caught.value.message
    )


def test_a_prompt_that_loses_its_end_is_said_and_so_is_a_lost_name(tokenizer):
    tail = LONG * (1 + tokenizer.context_length // 12)
    first, second = check_prompts(
        tokenizer, [named("cyst", f"cyst {tail}"), named("mass", f"in {tail} a mass", "mass")]
    ).warnings
    assert first.startswith("The prompt of “cyst” is truncated")
    assert "name" not in first
    assert second.startswith("1 of 2 prompts of “mass” is truncated")
    assert "with it the name of the class" in second


def test_a_prompt_of_two_classes_is_said(tokenizer):
    report = check_prompts(tokenizer, [named("one", "mass", "oval mass"), named("two", "mass", "round mass")])
    assert report.warnings == ("“one” and “two” share a prompt: “mass”.",)


def test_usual_classes_raise_nothing(tokenizer):
    names = ("Rückfluss", "Ödem", "2", "3", "no finding", "COVID-19", "+", "-")
    report = check_prompts(tokenizer, [named(name) for name in names])
    assert (report.refusals, report.warnings) == ((), ())


def test_a_search_for_what_the_model_cannot_read_is_none(bert):
    assert says_nothing(bert, "肺炎")
    assert not says_nothing(bert, "pneumonia")


@pytest.fixture
def unreadable(tiny_folder):
    images = tuple(
        ImageInput(number, f"no such file {number}.png", 0, str(number), number % 2) for number in range(8)
    )
    return BackboneRef("tiny", str(tiny_folder)), (named("肺炎"), named("骨折")), images


def test_training_is_refused_before_an_image_is_read(unreadable, tmp_path):
    stages = []
    write_request(tmp_path, TrainRequest(*unreadable, Recipe()))
    with pytest.raises(UserError, match="“肺炎”"):
        Engine().run(tmp_path, read_request(tmp_path), lambda stage, *_: stages.append(stage))
    assert not any("images" in stage for stage in stages)


def test_a_preview_predicts_nothing_from_such_classes_and_says_why(unreadable, studies, tmp_path):
    reference, classes, _ = unreadable
    write_request(tmp_path, PreviewRequest(reference, classes, studies[:4]))
    Engine().run(tmp_path, read_request(tmp_path), unreported)
    result = read_result(tmp_path, PreviewResult)
    assert {item.probabilities for item in result.items} == {()}
    assert result.obstacles[0].message in result.sentence
    assert "English" in result.obstacles[0].remedy


def grey(value: int) -> np.ndarray:
    return np.full((40, 30, 3), value, np.uint8)


def test_labelled_images_of_one_shade_are_counted(backbone):
    drawn = grey(90)
    drawn[10:20, 10:20] = 200
    shape_on_black = grey(0)
    shape_on_black[10:20, 10:20] = 200
    pictures = [grey(0), grey(90), np.rot90(grey(255)), drawn, shape_on_black, grey(90)]
    inputs = tuple(ImageInput(place, "", 0, "", 0 if place < 5 else None) for place in range(6))
    plain = torch.stack([model_square(np.ascontiguousarray(picture), 64) for picture in pictures])
    images = LabelledImages(backbone, inputs, plain, np.empty((6, 0), np.float32), ())
    assert images.blank == [0, 1, 2]


def test_a_run_says_that_images_show_one_shade(unreadable, draw_disc, tmp_path):
    generator = np.random.default_rng(5)
    images = []
    for place in range(6):
        path = tmp_path / f"{place}.png"
        Image.fromarray(grey(0) if place == 0 else draw_disc(place % 2, generator)).save(path)
        images.append(ImageInput(place, str(path), 0, str(place), place % 2))
    from clipsvd_app.domain.results.run import RunNote, RunResult

    recipe = Recipe(steps=1)
    write_request(
        tmp_path, TrainRequest(unreadable[0], (named("bright"), named("dark")), tuple(images), recipe)
    )
    Engine().run(tmp_path, read_request(tmp_path), unreported)
    assert RunNote("blank", 1) in read_result(tmp_path, RunResult).notes


def test_a_model_whose_answers_are_no_numbers_is_refused():
    with pytest.raises(UserError, match="non-finite"):
        require_finite(torch.tensor([[1.0, float("nan")]]))


@pytest.mark.parametrize(
    ("classes", "fault"),
    [
        ([named(f"finding {number}", "a") for number in range(257)], "257 classes .limit: 256"),
        ([named(f"finding {number}") for number in range(205)], "the 1,025 prompts of all classes"),
        ([named("one", *map(str, range(129))), named("two")], "the 129 prompts of “one”"),
        ([named("one", "x" * 2001), named("two")], "longer than 2,000 characters"),
    ],
)
def test_what_no_adapter_file_could_hold_is_refused_before_it_is_trained(classes, fault):
    with pytest.raises(UserError, match=fault):
        require_storable(classes)
    require_storable([named("one"), named("two")])
