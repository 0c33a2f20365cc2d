from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from clipsvd_app.engine.backbone.backbone import load_backbone
from clipsvd_app.engine.data.images import model_square, normalise
from clipsvd_app.errors import Cancelled, UserError


@pytest.fixture(scope="module")
def merged(convert, tmp_path_factory):
    out = tmp_path_factory.mktemp("exports") / "merged"
    return out, convert("open_clip", out)


def noise(rows: int, columns: int) -> Image.Image:
    grey = np.random.default_rng(7).integers(0, 256, (rows, columns, 3), dtype=np.uint8)
    return Image.fromarray(grey)


def readme_logits(folder, pictures, room) -> list[np.ndarray]:
    """What the code in the folder's README answers to each picture, word for word, in another process."""
    code = re.search(r"```python\n(.*?)```", (folder / "README.md").read_text(encoding="utf-8"), re.DOTALL)[1]
    (room / "code.py").write_text(code)
    for number, picture in enumerate(pictures):
        picture.save(room / f"{number}.png")
    # The cure for a torchvision that does not fit torch; the rest is the README's.
    script = (
        "import sys, warnings; warnings.simplefilter('ignore')\n"
        f"sys.path[:0] = {sys.path!r}\n"
        "from clipsvd_app.engine.device.torch_setup import import_open_clip; import_open_clip()\n"
        "import numpy; from pathlib import Path; from PIL import Image\n"
        f"room = Path({str(room)!r})\n"
        f"for number in range({len(pictures)}):\n"
        "    picture = Image.open(room / f'{number}.png')\n"
        "    exec((room / 'code.py').read_text())\n"
        "    numpy.save(room / f'{number}.npy', logits.numpy())\n"
    )
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [np.load(room / f"{number}.npy") for number in range(len(pictures))]


def ours(loaded, picture) -> np.ndarray:
    preprocessing = loaded.adapted.backbone.preprocessing
    pixels = model_square(np.asarray(picture), preprocessing.size, preprocessing.interpolation)[None]
    with torch.no_grad():
        return loaded.adapted.logits(normalise(pixels, preprocessing)).numpy()


def test_plain_open_clip_gives_the_adapters_logits_by_the_readme(merged, loaded, tmp_path):
    pictures = [noise(64, 64), noise(90, 50)]
    for picture, logits in zip(pictures, readme_logits(merged[0], pictures, tmp_path), strict=True):
        np.testing.assert_allclose(logits, ours(loaded, picture), atol=1e-4)


def test_the_readme_applies_the_class_head_beside_the_model(convert, headed, headed_file, loaded, tmp_path):
    result = convert("open_clip", tmp_path / "merged", adapter=headed_file)
    assert result.logit_difference < 1e-4
    assert "class_head.safetensors" in result.usage
    assert "class_head.safetensors" in dict(result.files)
    picture = noise(64, 64)
    (logits,) = readme_logits(tmp_path / "merged", [picture], tmp_path)
    np.testing.assert_allclose(logits, ours(headed, picture), atol=1e-4)
    assert np.abs(logits - ours(loaded, picture)).max() > 0.1


def test_without_a_head_nothing_of_one_is_written(merged):
    assert not (merged[0] / "class_head.safetensors").exists()
    assert "head" not in (merged[0] / "README.md").read_text(encoding="utf-8")


def test_the_stated_difference_is_measured_after_loading(merged):
    _, result = merged
    assert result.logit_difference < 1e-4
    assert result.images == 8
    assert 'create_model_from_pretrained("local-dir:.", force_image_size=64)' in result.usage


def test_the_merged_folder_differs_from_the_base_in_the_adapted_matrices_alone(merged, tiny_folder, basis):
    before, after = (load_file(folder / "open_clip_model.safetensors") for folder in (tiny_folder, merged[0]))
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {f"{target.module_path}.weight" for target in basis.targets}


def test_the_merged_folder_is_a_backbone_of_this_program_too(merged, backbone):
    model = load_backbone(merged[0])
    assert model.sha256 != backbone.sha256
    assert model.preprocessing == backbone.preprocessing


def test_nothing_in_the_folder_names_this_machine(merged, tiny_folder):
    for file in merged[0].iterdir():
        assert str(tiny_folder.parent).encode() not in file.read_bytes(), file.name
    config = json.loads((merged[0] / "open_clip_config.json").read_text())
    assert config["model_cfg"]["text_cfg"]["hf_model_name"] == "."


def test_half_precision_halves_the_weights_and_says_what_it_costs(convert, merged, tmp_path):
    result = convert("open_clip", tmp_path / "half", dtype="fp16")
    sizes, whole = dict(result.files), dict(merged[1].files)
    assert sizes["open_clip_model.safetensors"] < 0.55 * whole["open_clip_model.safetensors"]
    assert 0 < result.logit_difference < 0.1


def test_an_existing_folder_is_kept_unless_it_may_be_overwritten(convert, merged):
    with pytest.raises(UserError, match="already exists"):
        convert("open_clip", merged[0])
    assert convert("open_clip", merged[0], overwrite=True).logit_difference < 1e-4


def test_a_folder_with_other_things_is_never_replaced(convert, tmp_path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "will.txt").write_text("to my aunt")
    with pytest.raises(UserError, match="not an exported adapter"):
        convert("open_clip", tmp_path / "letters", overwrite=True)
    assert (tmp_path / "letters" / "will.txt").read_text() == "to my aunt"


def test_a_cancelled_export_leaves_nothing(convert, tmp_path):
    def stop(stage, done, total, metrics=None):
        if stage.startswith("Writing") and done == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        convert("open_clip", tmp_path / "merged", report=stop)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_one_sentence(convert, tmp_path):
    with pytest.raises(UserError, match="could not be written"):
        convert("open_clip", tmp_path / "none" / "merged")
