from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from adapter_examples import example_content, example_document
from safetensors.numpy import load_file
from support.changing import replace

from clipsvd_app.adapter_file import card_text, read_adapter, write_adapter
from clipsvd_app.adapter_file.document import Card
from clipsvd_app.errors import UserError

GOLDEN = Path(__file__).parent.parent / "golden" / "adapter_format1.sigma.safetensors"


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    content = example_content()
    write_adapter(tmp_path / "a.sigma.safetensors", content)
    back = read_adapter(tmp_path / "a.sigma.safetensors")
    assert back.document == content.document
    for ours, theirs in zip(content.spectra, back.spectra, strict=True):
        assert ours.name == theirs.name
        for part in ("sigma", "sigma_base", "probe"):
            np.testing.assert_array_equal(getattr(ours, part), getattr(theirs, part))


def test_equal_content_gives_equal_bytes_whatever_its_order(tmp_path: Path) -> None:
    content = example_content()
    write_adapter(tmp_path / "a.sigma.safetensors", content)
    write_adapter(tmp_path / "b.sigma.safetensors", replace(content, spectra=content.spectra[::-1]))
    assert (tmp_path / "a.sigma.safetensors").read_bytes() == (tmp_path / "b.sigma.safetensors").read_bytes()


def test_the_plain_safetensors_library_reads_the_file(tmp_path: Path) -> None:
    content = example_content()
    write_adapter(tmp_path / "a.sigma.safetensors", content)
    tensors = load_file(tmp_path / "a.sigma.safetensors")
    assert len(tensors) == 3 * len(content.spectra)
    first = content.spectra[0]
    np.testing.assert_array_equal(tensors[f"{first.name}.sigma"], first.sigma)


def test_the_golden_file_of_format_1_reads_for_ever() -> None:
    content = read_adapter(GOLDEN)
    expected = example_content()
    assert content.document == expected.document
    assert [spectrum.name for spectrum in content.spectra] == [spectrum.name for spectrum in expected.spectra]
    np.testing.assert_array_equal(content.spectra[0].sigma, expected.spectra[0].sigma)


def test_an_unwritable_place_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="could not be written"):
        write_adapter(tmp_path / "no" / "a.sigma.safetensors", example_content())
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_keeps_the_older_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a.sigma.safetensors"
    write_adapter(target, example_content())
    before = target.read_bytes()

    def full_disk(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(UserError, match="No space left"):
        write_adapter(target, example_content(replace(example_document(), logit_scale=1.0)))
    assert [path.name for path in tmp_path.iterdir()] == [target.name]
    assert target.read_bytes() == before


def test_a_document_that_breaks_the_schema_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="created"):
        write_adapter(tmp_path / "a", example_content(replace(example_document(), created="yesterday, 9:41")))
    assert list(tmp_path.iterdir()) == []


def test_a_contact_that_is_too_long_is_named_with_its_remedy(tmp_path: Path) -> None:
    long = replace(example_document(), card=Card(contact="x" * 2001))
    with pytest.raises(UserError, match=r"card\.contact.*Shorten"):
        write_adapter(tmp_path / "a", example_content(long))


def test_the_card_says_what_it_is_for_and_what_is_known() -> None:
    text = card_text(example_content())
    for words in (
        "Not for diagnostic use.",
        "nodule (4 training images)",
        "8 patients",
        "80.0\N{NO-BREAK SPACE}%",
        "A. Author",
    ):
        assert words in text


def test_the_card_admits_that_there_was_no_evaluation() -> None:
    document = example_document()
    evaluation = replace(document.evaluation, kind="none", methods=())
    assert "not evaluated on unseen patients" in card_text(
        example_content(replace(document, evaluation=evaluation))
    )


def test_the_card_shows_hostile_text_as_plain_text() -> None:
    card = Card(contact="A\x1b[31mB\u202eC\nSIGMA\u200b")
    text = card_text(example_content(replace(example_document(), card=card)))
    assert "Contact: A [31mB C SIGMA" in text


@pytest.mark.parametrize("mark", ["\x1b[31m", "\u202e", "\u2066", "\n", "\x00", "\u2028", "\ud800"])
def test_text_with_hidden_characters_is_not_written(tmp_path: Path, mark: str) -> None:
    hidden = replace(example_document(), card=Card(contact=f"A{mark}B"))
    with pytest.raises(UserError, match=r"card\.contact.*hidden control"):
        write_adapter(tmp_path / "a", example_content(hidden))


def test_scripts_that_need_joiners_and_run_from_right_to_left_are_written(tmp_path: Path) -> None:
    document = replace(example_document(), card=Card(contact="د. می‌خواهم, ד״ר כהן, 李医生"))
    write_adapter(tmp_path / "a", example_content(document))
    assert read_adapter(tmp_path / "a").document.card.contact == document.card.contact
