"""Writing an adapter in a form that other programs load: open_clip, PEFT, ONNX."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from clipsvd_app.errors import UserError
from clipsvd_app.jobs.requests import BackboneRef, ConvertRequest, ExportForm
from clipsvd_app.services.files.job_folders import new_job
from clipsvd_app.services.files.outputs import require_file, require_folder

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Literal

ONNX_SUFFIX = ".onnx"
ONNX_NEEDS = ("onnx", "onnxscript")


def prepare_convert(
    adapter: Path,
    backbone: BackboneRef,
    form: ExportForm,
    out: Path,
    *,
    energy: float = 0.99,
    dtype: Literal["fp32", "fp16"] = "fp32",
    overwrite: bool = False,
) -> Path:
    """Write the job that converts an adapter and return its folder.

    Refused before anything is loaded: a share outside (0, 1], an existing target, a missing extra.
    """
    if not 0 < energy <= 1:
        raise UserError(
            f"The share {energy:g} of the change cannot be kept.",
            remedy="Set --energy to a number above 0 and at most 1, such as 0.99.",
            code="bad_energy",
        )
    target = out.resolve()
    if form == "onnx":
        _require_onnx()
        if target.suffix != ONNX_SUFFIX:
            target = target.with_name(target.name + ONNX_SUFFIX)
    if form == "onnx":
        require_file(target, overwrite=overwrite)
    else:
        require_folder(target, overwrite=overwrite)
    request = ConvertRequest(
        backbone, str(adapter.resolve()), form, str(target), energy=energy, dtype=dtype, overwrite=overwrite
    )
    return new_job(request)


def _require_onnx() -> None:
    missing = [name for name in ONNX_NEEDS if importlib.util.find_spec(name) is None]
    if missing:
        raise UserError(
            f"ONNX export needs {' and '.join(missing)}, which is not installed.",
            remedy="Install the extra: pip install clipsvd-studio[onnx].",
            code="onnx_missing",
        )
