"""What is asked of the engine."""

from __future__ import annotations

from typing import Literal

from msgspec.structs import replace

from clipsvd_app.domain.classes import ClassSpec
from clipsvd_app.domain.recipe import DeviceName, Recipe
from clipsvd_app.domain.records import Record
from clipsvd_app.domain.results.evaluation import Weakness
from clipsvd_app.domain.results.explanation import ClassChange
from clipsvd_app.domain.view import Crop, Window

ExportForm = Literal["open_clip", "lora", "onnx"]
Projection = Literal["pca", "tsne"]


class ImageInput(Record):
    """One frame as the model shall see it. ``patient`` is a number, never an ID; ``label`` a class index.

    ``window`` was chosen by the user; ``series_window`` stands in where the file gives none.
    ``sha256`` is of the file as it was added; a file with other content is refused. Empty asks for none.
    """

    id: int
    path: str
    frame: int
    patient: str
    label: int | None = None
    window: Window | None = None
    crop: Crop | None = None
    series_window: Window | None = None
    sha256: str = ""


class BackboneRef(Record):
    """A backbone folder; ``sha256`` is the canonical tensor hash, empty when not yet known."""

    name: str
    folder: str
    sha256: str = ""


class TrainRequest(Record, tag_field="kind", tag="train"):
    """Adapt to the labelled images; unlabelled ones are predicted.

    ``shots`` per class are drawn for training and the patients left over are the test set;
    without it all labelled images train and the estimate is cross-validated by patient. Patients named in
    ``locked`` never train; where there are any, they are the test set. ``warnings`` are what
    weakens an estimate and cannot be seen in the request.
    """

    backbone: BackboneRef
    classes: tuple[ClassSpec, ...]
    images: tuple[ImageInput, ...]
    recipe: Recipe
    seed: int = 0
    shots: int | None = None
    locked: tuple[str, ...] = ()
    warnings: tuple[Weakness, ...] = ()
    device: DeviceName = "auto"


class PredictRequest(Record, tag_field="kind", tag="predict"):
    """Apply an adapter to images."""

    backbone: BackboneRef
    adapter: str
    images: tuple[ImageInput, ...]
    device: DeviceName = "auto"


class ExplainRequest(Record, tag_field="kind", tag="explain"):
    """Explain one image under an adapter; ``occlusion`` asks for the map of hidden patches too."""

    backbone: BackboneRef
    adapter: str
    image: ImageInput
    device: DeviceName = "auto"
    occlusion: bool = False


class ExplainRunRequest(Record, tag_field="kind", tag="explain_run"):
    """Explain again what an adapter changed, seen on these images; their labels play no part.

    ``classes`` are the words of the classes as the run found them: its fits are not kept.
    """

    backbone: BackboneRef
    adapter: str
    images: tuple[ImageInput, ...]
    device: DeviceName = "auto"
    classes: tuple[ClassChange, ...] = ()


class PreviewRequest(Record, tag_field="kind", tag="preview"):
    """Predict the pool from the labels so far, on frozen features; answers within a moment.

    With ``query`` the pool is also ordered by likeness to that text.
    """

    backbone: BackboneRef
    classes: tuple[ClassSpec, ...]
    images: tuple[ImageInput, ...]
    query: str = ""
    device: DeviceName = "auto"


class MapRequest(Record, tag_field="kind", tag="map"):
    """Lay images out in the plane by their frozen features, so that like lies beside like."""

    backbone: BackboneRef
    images: tuple[ImageInput, ...]
    projection: Projection = "tsne"
    device: DeviceName = "auto"


class VerifyRequest(Record, tag_field="kind", tag="verify"):
    """Check an adapter against its backbone: base hash, names, shapes, probes and canaries."""

    backbone: BackboneRef
    adapter: str
    device: DeviceName = "auto"


class ConvertRequest(Record, tag_field="kind", tag="convert"):
    """Write an adapter in a form that other programs load; ``out`` is a folder, or a file for ``onnx``.

    ``energy`` is the share of every matrix's squared change that a LoRA keeps; ``dtype`` is how a merged
    model stores its weights.
    """

    backbone: BackboneRef
    adapter: str
    form: ExportForm
    out: str
    energy: float = 0.99
    dtype: Literal["fp32", "fp16"] = "fp32"
    overwrite: bool = False
    device: DeviceName = "cpu"


class AddBackboneRequest(Record, tag_field="kind", tag="add_backbone"):
    """Check the model in ``source`` and write it as a complete folder ``target``, which must be new."""

    source: str
    target: str
    name: str


DeviceRequest = (
    TrainRequest
    | PredictRequest
    | ExplainRequest
    | ExplainRunRequest
    | PreviewRequest
    | MapRequest
    | VerifyRequest
    | ConvertRequest
)
"""What is computed on a device that the request names."""

Request = DeviceRequest | AddBackboneRequest


def without_paths(request: TrainRequest) -> TrainRequest:
    """Return a request that says of no file where it lies: what is kept of it, and what distinguishes two."""
    return replace(
        request,
        backbone=replace(request.backbone, folder=""),
        images=tuple(replace(image, path="") for image in request.images),
    )
