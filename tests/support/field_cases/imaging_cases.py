"""The right value of each imaging case, asked of the readers that window and command line use."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from support.field_cases.verdicts import ensure, ensure_near, row, says

from clipsvd_app.domain.view import Window
from clipsvd_app.errors import UserError
from clipsvd_app.imaging.display.greys import to_display
from clipsvd_app.imaging.facts import image_facts
from clipsvd_app.imaging.reading import read_frame, read_header, read_overlays
from clipsvd_app.imaging.series.listing import list_series
from clipsvd_app.imaging.series.window import series_window

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
    return to_display(read_frame(path, frame))


def flags(path: Path) -> tuple[str, ...]:
    """Return what is said of a file."""
    return image_facts(path).flags


def shown_by_command(path: Path, frame: int = 0) -> Any:
    """Return a frame as ``clipsvd image --png`` writes it, uint8."""
    from PIL import Image

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "shown.png")
        home = Path(folder, "home")
        code, _out, said = command("image", path, "--frame", str(frame), "--png", out, "--quiet", home=home)
        ensure(code == 0, f"{path.name}: {said}")
        with Image.open(out) as picture:
            return np.asarray(picture)


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
            ensure("compressed as" in sentence and "damaged" not in sentence, sentence)
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
    if series.spacing_mm is not None:
        ensure_near(series.spacing_mm, 0.3, 1e-6, "mm between slices")
        return
    ensure(not series.is_volume, "planes are cut through slices without places")
    ensure(says([flag.sentence for flag in series.flags], "position"), f"flags {series.flags}")


def charset_names(case: Path) -> None:
    for name, right in expected(case)["names"].items():
        ensure(str(read_header(case / f"{name}.dcm").patient_name) == right, f"{name} read otherwise")


def comma_decimals(case: Path) -> None:
    right = expected(case)
    ensure_near(row(greys(case / "ct_comma.dcm")), right["greys"], 1, "CT")
    frame = read_frame(case / "mr_comma.dcm", 0)
    ensure((frame.window.centre, frame.window.width) == (500.5, 800.0), f"MR window {frame.window}")
    for name in ("ct_comma.dcm", "mr_comma.dcm"):
        ensure(read_header(case / name).pixel_spacing_mm == (0.5, 0.5), f"{name}: spacing")


def ct_perfusion(case: Path) -> None:
    listing = list_series(sorted(case.glob("*.dcm")))
    sentences = [flag.sentence for series in listing.series for flag in series.flags]
    ensure(len(listing.series) == 1, f"{len(listing.series)} series")
    ensure(says(sentences, "every place holds 3 images"), f"flags: {sentences}")


def ct_sc_grey8(case: Path) -> None:
    ensure_near(row(greys(case / "dose_sheet.dcm")), expected(case)["greys_of_row0"], 0, "dose sheet")
    for name in ("dose_sheet.dcm", "dose_sheet_windowed.dcm"):
        ensure(not read_header(case / name).units, f"{name} is said to be in HU")
        ensure(not read_frame(case / name, 0).units, f"{name} is shown in HU")


def dbt_windows(case: Path) -> None:
    right = expected(case)
    for frame in (0, 3):
        ensure_near(row(greys(case / "dbt.dcm", frame)), right[f"frame{frame}"], 1, f"frame {frame}")


def dicomdir_names(case: Path) -> None:
    right = expected(case)["images"]
    for name, count in right.items():
        _answer, images, said = added(case, case / name / "DICOMDIR")
        ensure(len(images) == count, f"{name}: {len(images)} images, not {count}")
        if name == "one_missing":
            ensure("IM000002" in said, f"no word on the missing file: {said}")


def enhanced_no_order(case: Path) -> None:
    right = expected(case)
    series = list_series([case / "emr.dcm"]).series[0]
    places = [piece.plane and round(piece.plane.position_mm[2]) for piece in series.slices]
    ensure(places == right["places_in_order"], f"places {places}")
    sentences = [flag.sentence for flag in series.flags]
    ensure(says(sentences, f"has {right['repeats']} images"), f"flags: {sentences}")
    ensure_near(
        read_frame(case / "emr.dcm", 11).pixels[0, 0],
        right["value_of_last_frame"],
        1e-3,
        "last frame",
    )
    ensure_near(read_header(case / "emr.dcm").pixel_spacing_mm, right["pixel_spacing_mm"], 1e-6, "spacing")


def frames_miscounted(case: Path) -> None:
    right = expected(case)["greys"]
    for path in sorted(case.glob("*.dcm")):
        frames = read_header(path).frames
        ensure(frames == 4, f"{path.name}: {frames} frames")
        found = [int(greys(path, number)[16, 16]) for number in range(frames)]
        ensure_near(found, right, 3, path.name)
        _answer, images, said = added(case, path)
        ensure(len(images) == 4, f"{path.name}: {len(images)} of 4 frames added; {said}")


def imagej_stack(case: Path) -> None:
    right = expected(case)
    ensure(read_header(case / "stack.tif").frames == right["frames"], "slices are lost")
    found = [float(read_frame(case / "stack.tif", n).pixels.mean()) for n in range(right["frames"])]
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
        ensure_near(read_frame(path, 0).pixels, right, 1, path.name)


def jpeg_transposed(case: Path) -> None:
    picture = np.zeros((40, 64), np.uint8)
    picture[:, 32:], picture[:8] = 200, 100
    for name in ("transposed.dcm", "truly_64x40.dcm"):
        if refusal(case / name):
            continue
        found = greys(case / name)
        said = [flag for flag in flags(case / name) if says([flag], "rows", "columns")]
        if found.shape == picture.shape:
            near = np.abs(found.astype(int) - picture).mean() < 8
            ensure(near or said, f"{name}: scrambled without a word")
            ensure(near or not says(said, "data were used"), f"{name}: scrambled, said to be by the data")
        else:
            stream = picture.T if name.startswith("truly") else picture.reshape(64, 40)
            ensure_near(found, stream, 8, f"{name}: the stream's own size")
            ensure(said, f"{name}: another size without a word")


def magnified_mammo(case: Path) -> None:
    for name, in_patient, at_detector in (("mg.dcm", 0.1 / 1.8, 0.1), ("dx_calibrated.dcm", 0.17, None)):
        frame = read_frame(case / name, 0)
        spacing, plane = frame.pixel_spacing_mm, frame.limits.plane
        wanted = at_detector if plane == "at the detector" else in_patient
        ensure(spacing is not None and wanted is not None, f"{name}: {spacing} mm {plane}")
        ensure_near(spacing, (wanted, wanted), 1e-3, f"{name}: mm {plane or 'in the patient'}")
        facts = image_facts(case / name)
        ensure((facts.pixel_spacing_mm, facts.spacing_plane) == (spacing, plane), f"{name}: other facts")


def mpo_exif(case: Path) -> None:
    right = expected(case)
    for name in ("phone.jpg", "plain.jpg"):
        picture = greys(case / name)
        ensure(picture.shape[:2] == tuple(right["size"]), f"{name}: {picture.shape}")
        for corner, at in (("top_left", (3, 3)), ("top_right", (3, -4)), ("bottom_right", (-4, -4))):
            ensure_near(picture[at], right[corner], 25, f"{name} {corner}")


def native_bits_exceeded(case: Path) -> None:
    by_sense = np.asarray(expected(case)["by_sense"])
    by_letter = np.where(by_sense >= 2048, by_sense - 4096, by_sense)
    found = read_frame(case / "ct.dcm", 0).pixels[0]
    ensure(np.array_equal(found, by_sense) or np.array_equal(found, by_letter), f"values {found[-4:]}")
    ensure(says(flags(case / "ct.dcm"), "Bits Stored"), f"no word on it: {flags(case / 'ct.dcm')}")


def nifti_sheared(case: Path) -> None:
    slices = expected(case)["slices"]
    voxels = np.arange(slices * 30).reshape(slices, 30) * 10
    for path in sorted([*case.glob("*.nii"), *case.glob("*.nii.gz")]):
        header = read_header(path)
        ensure(header.frames == slices, f"{path.name}: {header.frames} slices")
        found = [np.sort(read_frame(path, n).pixels, axis=None) for n in range(slices)]
        ensure_near(found, voxels, 1e-3, f"{path.name}: voxels")  # whichever way round they are shown
        said = flags(path)
        ensure(any(header.planes) or says(said, "position"), f"{path.name}: no places, no word: {said}")


def nrrd_space(case: Path) -> None:
    right = expected(case)
    for name in ("v.nrrd", "v.mha"):
        header = read_header(case / name)
        ensure_near(header.pixel_spacing_mm, right["pixel_spacing_mm"], 1e-6, f"{name}: spacing")
        ensure(header.planes and header.planes[0], f"{name}: no places")
        ensure_near(
            [plane.position_mm[2] for plane in header.planes], right["slice_z"], 1e-4, f"{name}: places"
        )
        first = header.planes[0]
        ensure_near([*first.row, *first.column], right["orientation"], 1e-6, f"{name}: sides")
    ensure(read_frame(case / "upper.nhdr", 0).pixels.shape == (8, 8), "detached header")


def odd_length(case: Path) -> None:
    for name in ("ok.dcm", "ok16.dcm", "odd.dcm"):
        ensure(not refusal(case / name), f"{name}: {refusal(case / name)}")
    whole = np.arange(225, dtype=np.uint8).reshape(15, 15)
    for name in ("ok.dcm", "odd.dcm"):
        ensure_near(greys(case / name), whole, 0, name)
    ensure(says([refusal(case / "short2.dcm")], "incomplete"), f"short: {refusal(case / 'short2.dcm')!r}")


def other_pictures(case: Path) -> None:
    for path in sorted(case.iterdir()):
        if path.suffix in {".py", ".json"}:
            continue
        sentence = refusal(path)
        name = {".jp2": "JPEG 2000"}.get(path.suffix, path.suffix[1:].upper())
        ensure(not sentence or (name in sentence and "damaged" not in sentence), f"{path.name}: {sentence}")
        if not sentence:
            shown = greys(path)
            shown = shown[..., 0] if shown.ndim == 3 else shown
            ensure_near(shown, np.tile(np.arange(0, 256, 4), (32, 1)), 2, path.name)


def overlay_big_endian(case: Path) -> None:
    right = np.zeros((16, 16), bool)
    for y, x in expected(case)["set_bits"]:
        right[y, x] = True
    for name in ("le.dcm", "be.dcm"):
        (overlay,) = read_overlays(case / name, 0)
        ensure(np.array_equal(overlay.mask, right), f"{name}: other bits")


def pet_no_window(case: Path) -> None:
    paths = sorted(case.glob("*.dcm"))
    shared = series_window([(path, 0) for path in paths])
    in_window = [to_display(read_frame(path, 0, shared)) for path in paths]
    for way, shown in (
        ("the window", in_window),
        ("the command", [shown_by_command(path) for path in paths]),
    ):
        values = [float(read_frame(path, 0).pixels.max()) for path in paths]
        hot = int(np.argmax(values))
        noise = max(float(picture.mean()) for place, picture in enumerate(shown) if place != hot)
        ensure(noise <= expected(case)["mean_grey_of_noise_at_most"], f"{way}: noise at grey {noise:.0f}")
        ensure(shown[hot].max() > 200, f"{way}: the hot slice reaches grey {shown[hot].max()} only")


def pet_slopes(case: Path) -> None:
    right = expected(case)["grey_of_2"]
    for path in sorted(case.glob("*.dcm")):
        ensure(abs(int(greys(path)[5, 5]) - right) <= 1, f"{path.name}: grey {greys(path)[5, 5]}")


def pixeldata_un(case: Path) -> None:
    right = expected(case)
    ensure_near(row(greys(case / "dx.dcm")), right["greys"], 1, "dx")
    ensure_near(read_header(case / "dx.dcm").pixel_spacing_mm, right["pixel_spacing_mm"], 1e-6, "spacing")


def implicit_mislabelled(case: Path) -> None:
    same_row_of_greys(case)
    for path in sorted(case.glob("*.dcm")):
        ensure_near(read_header(path).pixel_spacing_mm, expected(case)["pixel_spacing_mm"], 1e-6, path.name)


def planar_tags(case: Path) -> None:
    flat, native = np.load(case / "flat.npy"), np.load(case / "native.npy")
    for number, frame in enumerate(native):  # (frames, rows, columns, 3)
        ensure_near(greys(case / "native_planes.dcm", number), frame, 0, f"native planes, frame {number}")
    ensure(read_header(case / "native_planes.dcm").frames == len(native), "frames are lost")
    ensure_near(greys(case / "jpeg_says_planes.dcm"), flat, 6, "JPEG")
    ensure_near(greys(case / "rle_says_pixels.dcm"), flat, 0, "RLE")


def png_kinds(case: Path) -> None:
    right = expected(case)
    ensure_near(row(read_frame(case / "la16.png", 0).pixels), right["la16_values"], 0.5, "la16")
    ensure_near(row(greys(case / "rgb16.png")), right["rgb16"], 1, "rgb16")
    low = np.asarray(row(greys(case / "la16_low.png")), float)
    ensure(low.max() - low.min() > 100, "la16_low is black")


def same_instance_number(case: Path) -> None:
    listing = list_series(sorted(case.glob("*.dcm")))
    (series,) = listing.series
    order = [listing.files[piece.member].name for piece in series.slices]
    ensure(order == expected(case)["order"], f"order {order}")
    (flag,) = [flag for flag in series.flags if flag.code == "missing_geometry"]
    ensure("sorted by Slice Location" in flag.sentence, flag.sentence)


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
    if picture.ndim == 3:
        ensure_near(picture[0, 32:], right["coloured"], 1, "colours")
        return
    ensure_near(picture[0, :32], right["grey"], 1, "greys")
    ensure(says(flags(case / "supplemental.dcm"), "palette"), "colours left out without a word")


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
    upper, lower, outside = ((60, 20), (90, 80)), ((60, 120), (90, 180)), ((5, 20), (20, 60))
    for name, below in (("duplex.dcm", None), ("two_scales.dcm", (0.2, 0.2))):
        frame = read_frame(case / name, 0)
        for where, points, right in (
            ("above", upper, (0.5, 0.5)),
            ("below", lower, below),
            ("beside", outside, None),
            ("across both", (upper[0], lower[0]), None),
        ):
            found = frame.limits.spacing_at(points, frame.pixel_spacing_mm)
            ensure(found in (right, None), f"{name}: {found} mm {where}")
        above = frame.limits.spacing_at(upper, frame.pixel_spacing_mm)
        ensure(above == (0.5, 0.5), f"{name}: {above} mm in B-mode")
        whole = image_facts(case / name).pixel_spacing_mm
        ensure(whole is None, f"{name}: {whole} mm over the whole picture")


def voi_lut_beside_window(case: Path) -> None:
    right, frame = expected(case), read_frame(case / "mg.dcm", 0)
    shown = {"as it opens": row(to_display(frame))}
    for name, preset in frame.presets:
        if isinstance(preset, Window):
            shown[name] = row(to_display(frame, preset))
    for way in ("window", "lut"):
        ensure(
            any(np.abs(np.asarray(found, int) - right[way]).max() <= 1 for found in shown.values()),
            f"the {way} cannot be reached by {list(shown)}",
        )
    opened = np.asarray(shown["as it opens"], int)
    ensure(
        min(np.abs(opened - right[way]).max() for way in ("window", "lut")) <= 1, "opens in neither of them"
    )


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
