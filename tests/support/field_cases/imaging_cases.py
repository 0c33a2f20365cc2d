"""The right value of each imaging case, asked of the readers that window and command line use."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from support.field_cases.verdicts import ensure, ensure_near, row, says

from clipsvd_app import imaging
from clipsvd_app.errors import UserError
from clipsvd_app.imaging.series import list_series

if TYPE_CHECKING:
    from collections.abc import Callable

BIN = Path(os.environ.get("CLIPSVD_BIN", ".venv/bin")).resolve()


def command(*arguments: str | Path, home: Path | None = None) -> tuple[int, str, str]:
    """Run the installed ``clipsvd``; return its exit code, stdout and stderr."""
    environment = {**os.environ, **({"CLIPSVD_HOME": str(home)} if home else {})}
    done = subprocess.run(
        [str(BIN / "clipsvd"), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    ensure("Traceback" not in done.stderr, f"traceback of {arguments[0]}: {done.stderr[-200:]}")
    return done.returncode, done.stdout, done.stderr


def expected(case: Path) -> dict[str, Any]:
    """Read the right values of a case."""
    document: dict[str, Any] = json.loads((case / "expect.json").read_text("utf-8"))
    return document


def greys(path: Path, frame: int = 0) -> Any:
    """Return a frame as it is shown, uint8."""
    return imaging.to_display(imaging.read_frame(path, frame))


def flags(path: Path) -> tuple[str, ...]:
    """Return what is said of a file."""
    return imaging.image_facts(path).flags


def refusal(path: Path) -> str:
    """Return the sentence that refuses a file, empty where it is shown."""
    try:
        greys(path)
    except UserError as error:
        return str(error)
    return ""


def added(case: Path, *paths: Path) -> tuple[dict[str, Any], list[tuple[Any, ...]], str]:
    """Add paths to a new project; return the answer as JSON, the images of the project and what was said."""
    import sqlite3

    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder, "p.clipsvd")
        home = Path(folder, "home")
        command("new", project, "--class", "a", "--class", "b", "--quiet", home=home)
        _code, out, said = command("add", project, *paths, "--json", "--quiet", home=home)
        database = sqlite3.connect(project)
        images = database.execute("select path, frame from image").fetchall()
        database.close()
        return json.loads(out) if out.strip() else {}, images, said


def same_row_of_greys(case: Path) -> None:
    """Judge: every file shows the expected greys, within the stated tolerance or one step."""
    right = expected(case)
    for path in sorted(case.glob("*.dcm")):
        ensure_near(row(greys(path)), right["greys"], right.get("tolerance", 1), path.name)


def shown_or_named(case: Path) -> None:
    """Judge: the expected greys, or a refusal that names the form of the file and calls nothing damaged."""
    right = expected(case)
    for path in sorted(case.glob("*.dcm")):
        sentence = refusal(path)
        if sentence:
            ensure("damaged" not in sentence, sentence)
            continue
        found = np.asarray(row(greys(path)), float).reshape(len(row(greys(path))), -1)[:, 0]
        wanted = np.asarray(right["greys"], float)
        if found.shape == wanted.shape:
            ensure_near(found, wanted, right.get("tolerance", 1), path.name)
        else:
            ensure(set(np.unique(greys(path)).tolist()) <= set(wanted.tolist()), f"{path.name}: other greys")


def cbct_one_file(case: Path) -> None:
    listing = list_series([case / "cbct.dcm"])
    series = listing.series[0]
    ensure(series.spacing_mm == 0.3 or series.flags, "1 mm apart without a word")


def charset_names(case: Path) -> None:
    for name, right in expected(case)["names"].items():
        ensure(str(imaging.read_header(case / f"{name}.dcm").patient_name) == right, f"{name} read otherwise")


def comma_decimals(case: Path) -> None:
    right = expected(case)
    ensure_near(row(greys(case / "ct_comma.dcm")), right["greys"], 1, "CT")
    frame = imaging.read_frame(case / "mr_comma.dcm", 0)
    ensure((frame.window.centre, frame.window.width) == (500.5, 800.0), f"MR window {frame.window}")
    for name in ("ct_comma.dcm", "mr_comma.dcm"):
        ensure(imaging.read_header(case / name).pixel_spacing_mm == (0.5, 0.5), f"{name}: spacing")


def ct_perfusion(case: Path) -> None:
    listing = list_series(sorted(case.glob("*.dcm")))
    sentences = [flag.sentence for series in listing.series for flag in series.flags]
    ensure(says(sentences, "3 "), f"flags: {sentences}")


def ct_sc_grey8(case: Path) -> None:
    ensure_near(row(greys(case / "dose_sheet.dcm")), expected(case)["greys_of_row0"], 0, "dose sheet")
    ensure(imaging.read_header(case / "dose_sheet.dcm").units == "", "it is said to be in HU")


def dbt_windows(case: Path) -> None:
    right = expected(case)
    for frame in (0, 3):
        ensure_near(row(greys(case / "dbt.dcm", frame)), right[f"frame{frame}"], 1, f"frame {frame}")


def dicomdir_names(case: Path) -> None:
    right = expected(case)["images"]
    for name, count in right.items():
        answer, images, said = added(case, case / name / "DICOMDIR")
        ensure(len(images) == count, f"{name}: {len(images)} images, not {count}")
        if name == "one_missing":
            ensure(
                re.search(r"missing|not there|IM000002", said + json.dumps(answer)),
                "no word on the missing file",
            )


def enhanced_no_order(case: Path) -> None:
    right = expected(case)
    series = list_series([case / "emr.dcm"]).series[0]
    places = [round(piece.plane.position_mm[2]) for piece in series.slices if getattr(piece, "plane", None)]
    if places:
        ensure(places == right["places_in_order"], f"places {places}")
    ensure(series.flags, "two times at every place, no flag")
    ensure_near(
        imaging.read_frame(case / "emr.dcm", 11).pixels[0, 0],
        right["value_of_last_frame"],
        1e-3,
        "last frame",
    )
    ensure_near(
        imaging.read_header(case / "emr.dcm").pixel_spacing_mm, right["pixel_spacing_mm"], 1e-6, "spacing"
    )


def frames_miscounted(case: Path) -> None:
    right = expected(case)["greys"]
    for path in sorted(case.glob("*.dcm")):
        frames = imaging.read_header(path).frames
        ensure(frames == 4, f"{path.name}: {frames} frames")
        found = [int(greys(path, number)[16, 16]) for number in range(frames)]
        ensure_near(found, right, 3, path.name)
        _answer, images, said = added(case, path)
        ensure(len(images) == 4, f"{path.name}: {len(images)} of 4 frames added; {said}")


def imagej_stack(case: Path) -> None:
    right = expected(case)
    ensure(imaging.read_header(case / "stack.tif").frames == right["frames"], "slices are lost")
    found = [float(imaging.read_frame(case / "stack.tif", n).pixels.mean()) for n in range(right["frames"])]
    ensure_near(found, right["values"], 0.5, "slices")


def j2k_ybr_full(case: Path) -> None:
    right = expected(case)["patches"]
    for path in sorted(case.glob("*.dcm")):
        picture = greys(path)
        width = picture.shape[1] // len(right)
        found = [picture[picture.shape[0] // 2, width * n + width // 2].tolist() for n in range(len(right))]
        ensure_near(found, right, 6, path.name)


def jpeg_extended_10(case: Path) -> None:
    right = np.load(case / "decoded.npy")
    for path in sorted(case.glob("*.dcm")):
        ensure_near(imaging.read_frame(path, 0).pixels, right, 1, path.name)


def jpeg_transposed(case: Path) -> None:
    picture = np.zeros((40, 64), np.uint8)
    picture[:, 32:], picture[:8] = 200, 100
    for name in ("transposed.dcm", "truly_64x40.dcm"):
        if refusal(case / name):
            continue
        found = greys(case / name)
        if found.shape == picture.shape:
            near = np.abs(found.astype(int) - picture).mean() < 8
            ensure(near or flags(case / name), f"{name}: scrambled without a word")
        else:
            ensure(flags(case / name), f"{name}: another size without a word")


def magnified_mammo(case: Path) -> None:
    header = imaging.read_header(case / "mg.dcm")
    spacing = header.pixel_spacing_mm
    ensure(
        spacing is None or abs(spacing[0] - 0.0556) < 1e-3 or getattr(header, "spacing_at_detector", False),
        f"{spacing} mm",
    )
    ensure(
        imaging.read_header(case / "dx_calibrated.dcm").pixel_spacing_mm == (0.17, 0.17), "calibrated spacing"
    )


def mpo_exif(case: Path) -> None:
    right = expected(case)
    for name in ("phone.jpg", "plain.jpg"):
        picture = greys(case / name)
        ensure(picture.shape[:2] == tuple(right["size"]), f"{name}: {picture.shape}")
        for corner, at in (("top_left", (3, 3)), ("top_right", (3, -4)), ("bottom_right", (-4, -4))):
            ensure_near(picture[at], right[corner], 25, f"{name} {corner}")


def native_bits_exceeded(case: Path) -> None:
    by_sense = np.array_equal(imaging.read_frame(case / "ct.dcm", 0).pixels[0], expected(case)["by_sense"])
    said = flags(case / "ct.dcm")
    ensure(said, "values wrap without a word" if not by_sense else "read by sense, header wrong, and no word")


def nifti_sheared(case: Path) -> None:
    right = expected(case)
    for path in sorted([*case.glob("*.nii"), *case.glob("*.nii.gz")]):
        frames = imaging.read_header(path).frames
        found = np.unique(
            np.concatenate([np.unique(imaging.read_frame(path, n).pixels) for n in range(frames)])
        )
        ensure(frames >= right["slices"] and len(found) > 1, f"{path.name}: {frames} slices, {found[:6]}")


def nrrd_space(case: Path) -> None:
    right = expected(case)
    for name in ("v.nrrd", "v.mha"):
        header = imaging.read_header(case / name)
        ensure_near(header.pixel_spacing_mm, right["pixel_spacing_mm"], 1e-6, f"{name}: spacing")
        ensure(header.planes and header.planes[0], f"{name}: no places")
        ensure_near(
            [plane.position_mm[2] for plane in header.planes], right["slice_z"], 1e-4, f"{name}: places"
        )
        first = header.planes[0]
        ensure_near([*first.row, *first.column], right["orientation"], 1e-6, f"{name}: sides")
    ensure(imaging.read_frame(case / "upper.nhdr", 0).pixels.shape == (8, 8), "detached header")


def odd_length(case: Path) -> None:
    for name in ("ok.dcm", "ok16.dcm", "odd.dcm"):
        ensure(not refusal(case / name), f"{name}: {refusal(case / name)}")
    ensure(refusal(case / "short2.dcm"), "short file shown")


def other_pictures(case: Path) -> None:
    for path in sorted(case.iterdir()):
        if path.suffix in {".py", ".json"}:
            continue
        sentence = refusal(path)
        name = {".jp2": "JPEG 2000"}.get(path.suffix, path.suffix[1:].upper())
        ensure(not sentence or (name in sentence and "damaged" not in sentence), f"{path.name}: {sentence}")


def overlay_big_endian(case: Path) -> None:
    right = np.zeros((16, 16), bool)
    for y, x in expected(case)["set_bits"]:
        right[y, x] = True
    for name in ("le.dcm", "be.dcm"):
        overlays = imaging.read_overlays(case / name, 0)
        mask = (
            np.asarray(getattr(overlays[0], "mask", overlays[0]))
            if isinstance(overlays, (list, tuple))
            else np.asarray(overlays)
        )
        ensure(np.array_equal(mask.astype(bool).reshape(16, 16), right), f"{name}: other bits")


def pet_no_window(case: Path) -> None:
    paths = sorted(case.glob("*.dcm"))
    with tempfile.TemporaryDirectory() as folder:
        shown = series_pngs(paths, Path(folder))
    means = [float(picture.mean()) for picture in shown[:5]]
    ensure(max(means) <= expected(case)["mean_grey_of_noise_at_most"], f"noise at grey {max(means):.0f}")
    hot = float(shown[5].max())
    ensure(hot > 200, f"the hot slice reaches grey {hot:.0f} only")


def series_pngs(paths: list[Path], folder: Path) -> list[Any]:
    """Return the frames of a series as the window shows them, by the way that thumbnails and panes take."""
    from support.field_cases.series_shown import shown_of_series

    return shown_of_series(paths, folder)


def pet_slopes(case: Path) -> None:
    right = expected(case)["grey_of_2"]
    for path in sorted(case.glob("*.dcm")):
        ensure(abs(int(greys(path)[5, 5]) - right) <= 1, f"{path.name}: grey {greys(path)[5, 5]}")


def pixeldata_un(case: Path) -> None:
    right = expected(case)
    ensure_near(row(greys(case / "dx.dcm")), right["greys"], 1, "dx")
    ensure_near(
        imaging.read_header(case / "dx.dcm").pixel_spacing_mm, right["pixel_spacing_mm"], 1e-6, "spacing"
    )


def implicit_mislabelled(case: Path) -> None:
    same_row_of_greys(case)
    for path in sorted(case.glob("*.dcm")):
        ensure_near(
            imaging.read_header(path).pixel_spacing_mm, expected(case)["pixel_spacing_mm"], 1e-6, path.name
        )


def planar_tags(case: Path) -> None:
    flat, native = np.load(case / "flat.npy"), np.load(case / "native.npy")
    ensure_near(greys(case / "native_planes.dcm"), native, 0, "native planes")
    ensure_near(greys(case / "jpeg_says_planes.dcm"), flat, 6, "JPEG")
    ensure_near(greys(case / "rle_says_pixels.dcm"), flat, 0, "RLE")


def png_kinds(case: Path) -> None:
    right = expected(case)
    ensure_near(row(imaging.read_frame(case / "la16.png", 0).pixels), right["la16_values"], 0.5, "la16")
    ensure_near(row(greys(case / "rgb16.png")), right["rgb16"], 1, "rgb16")
    low = np.asarray(row(greys(case / "la16_low.png")), float)
    ensure(low.max() - low.min() > 100, "la16_low is black")


def same_instance_number(case: Path) -> None:
    series = list_series(sorted(case.glob("*.dcm"))).series[0]
    values = [float(imaging.read_frame(piece.path, 0).pixels[0, 0]) for piece in series.slices]
    ensure(values == sorted(values), f"order {values}")
    sentences = [flag.sentence for flag in series.flags]
    ensure(sentences and not says(sentences, "instance number orders"), f"flags {sentences}")


def segmented_palette(case: Path) -> None:
    right = expected(case)
    for name in ("indirect16", "indirect8", "linear8"):
        picture = greys(case / f"{name}.dcm")
        found = picture[0] if picture.ndim == 2 else picture[0, :, 0]
        ensure_near(found, right[name], right["tolerance"], name)


def signed_luts(case: Path) -> None:
    right = expected(case)
    for name, key in (("voi", "voi"), ("voi_explicit", "voi"), ("modality", "modality")):
        ensure_near(row(greys(case / f"{name}.dcm")), right[key], 1, name)


def supplemental_palette(case: Path) -> None:
    right, picture = expected(case), greys(case / "supplemental.dcm")
    coloured = (
        picture.ndim == 3 and np.abs(picture[0, 32:].astype(int) - np.asarray(right["coloured"])).max() <= 1
    )
    ensure(coloured or flags(case / "supplemental.dcm"), "colours left out without a word")


def tiff_min_is_white(case: Path) -> None:
    for name in ("w8.tif", "w16.tif", "w16_deflate.tif"):
        picture = greys(case / name)
        ensure(picture[0, 0] > 250 and picture[-1, -1] < 5, f"{name}: {picture[0, 0]} to {picture[-1, -1]}")
    picture = greys(case / "b16.tif")
    ensure(picture[0, 0] < 5 and picture[-1, -1] > 250, "control")


def tiff_pages(case: Path) -> None:
    for path in sorted(case.glob("*.tif")):
        code, out, err = command("image", path, "--json")
        ensure(code == 0 and json.loads(out)["rows"] == 96, f"{path.name}: {err}")
    _answer, images, said = added(case, case / "pyramid.tif")
    ensure(len(images) == 1, f"pyramid: {len(images)} images; {said}")


def us_regions(case: Path) -> None:
    for name in ("duplex.dcm", "two_scales.dcm"):
        frame = imaging.read_frame(case / name, 0)
        ensure(frame.pixel_spacing_mm is None, f"{name}: {frame.pixel_spacing_mm} mm over the whole picture")


def voi_lut_beside_window(case: Path) -> None:
    right, frame = expected(case), imaging.read_frame(case / "mg.dcm", 0)
    shown = row(imaging.to_display(frame))
    first = "window" if np.abs(np.asarray(shown, int) - right["window"]).max() <= 1 else "lut"
    ensure_near(shown, right[first], 1, "shown")
    other = frame.voi_lut is not None or len(frame.presets) >= 2
    ensure(other and (first == "lut" or frame.voi_lut is not None), "the table cannot be reached")


def window_below_one(case: Path) -> None:
    right = expected(case)
    for name, key in (("fa_w08.dcm", "w08"), ("fa_w1.dcm", "w1")):
        ensure_near(row(greys(case / name)), right[key], 2, name)


def ybr422_full_length(case: Path) -> None:
    if refusal(case / "us.dcm"):
        return
    picture = greys(case / "us.dcm")
    found = [picture[8, 16 * n + 8].tolist() for n in range(4)]
    ensure_near(found, expected(case)["if_ybr_full"], 2, "patches")


def zip_names(case: Path) -> None:
    right = expected(case)
    for name in ("gbk", "utf8_no_flag", "shift_jis", "proper"):
        _answer, images, said = added(case, case / f"{name}.zip")
        ensure(len(images) == right[name]["images"], f"{name}: {len(images)} images; {said}")
        if "classes" in right[name]:
            folders = {Path(path).parent.name for path, _frame in images}
            ensure(folders == set(right[name]["classes"]), f"{name}: folders {folders}")
    for name in ("same_name", "colon", "long"):
        _answer, images, said = added(case, case / f"{name}.zip")
        ensure(len(images) == 3, f"{name}: {len(images)} images; {said}")
    answer, images, said = added(case, case / "nested.zip")
    ensure(len(images) == 1 and "inner.zip" in said + json.dumps(answer), f"nested: {len(images)}; {said}")


IMAGING: dict[str, Callable[[Path], None]] = {
    "cbct-one-file": cbct_one_file,
    "charset-names": charset_names,
    "comma-decimals": comma_decimals,
    "ct-perfusion": ct_perfusion,
    "ct-sc-grey8": ct_sc_grey8,
    "dbt-windows": dbt_windows,
    "dicomdir-names": dicomdir_names,
    "encapsulated-uncompressed": shown_or_named,
    "enhanced-no-order": enhanced_no_order,
    "explicit-length-jpeg": shown_or_named,
    "frames-miscounted": frames_miscounted,
    "ge-private-syntax": shown_or_named,
    "imagej-stack": imagej_stack,
    "implicit-mislabelled": implicit_mislabelled,
    "j2k-ybr-full": j2k_ybr_full,
    "jpeg-extended-10": jpeg_extended_10,
    "jpeg-transposed": jpeg_transposed,
    "magnified-mammo": magnified_mammo,
    "missing-photometric": same_row_of_greys,
    "mpo-exif": mpo_exif,
    "native-bits-exceeded": native_bits_exceeded,
    "negative-slope": same_row_of_greys,
    "nifti-sheared": nifti_sheared,
    "nrrd-space": nrrd_space,
    "odd-length": odd_length,
    "other-pictures": other_pictures,
    "overlay-big-endian": overlay_big_endian,
    "pet-no-window": pet_no_window,
    "pet-slopes": pet_slopes,
    "pixeldata-un": pixeldata_un,
    "planar-tags": planar_tags,
    "png-kinds": png_kinds,
    "same-instance-number": same_instance_number,
    "segmented-palette": segmented_palette,
    "signed-luts": signed_luts,
    "supplemental-palette": supplemental_palette,
    "tiff-min-is-white": tiff_min_is_white,
    "tiff-pages": tiff_pages,
    "us-regions": us_regions,
    "voi-lut-beside-window": voi_lut_beside_window,
    "window-below-one": window_below_one,
    "xa-log-lut": same_row_of_greys,
    "ybr422-full-length": ybr422_full_length,
    "zip-names": zip_names,
}
