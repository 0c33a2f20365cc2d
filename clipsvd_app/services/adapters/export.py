"""Exporting a run as one file: the sigma adapter with its card."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from msgspec import structs

from clipsvd_app.adapter_file import AdapterContent, ClassifierContent, read_exported, write_adapter
from clipsvd_app.adapter_file.names import CLASSIFIER_SUFFIX, SIGMA_SUFFIX
from clipsvd_app.adapter_file.plain_text import one_line
from clipsvd_app.domain.results.evaluation import METHOD_TITLES, METHOD_WORDS, MethodName
from clipsvd_app.errors import UserError
from clipsvd_app.services.files.job_folders import forget_job, new_folder
from clipsvd_app.services.files.outputs import require_file

if TYPE_CHECKING:
    from pathlib import Path

    from clipsvd_app.project import Project

ADAPTED: MethodName = "clip_svd"
Exported = AdapterContent | ClassifierContent


@dataclass(frozen=True, slots=True)
class CardText:
    """What the author may add to an adapter's card; empty fields keep what the run wrote."""

    intended_use: str = ""
    licence: str = ""
    contact: str = ""


def exportable(project: Project, number: int) -> tuple[MethodName, ...]:
    """Return the methods of a run that can be exported as a file, CLIP-SVD first."""
    classifiers = project.run_classifiers(number)
    return (ADAPTED, *(method for method in METHOD_TITLES if method in classifiers))


def suffix_of(method: MethodName) -> str:
    """Return the suffix of a method's file."""
    return SIGMA_SUFFIX if method == ADAPTED else CLASSIFIER_SUFFIX


def exported_of_run(
    project: Project, number: int, method: MethodName = ADAPTED
) -> AdapterContent | ClassifierContent:
    """Return what a run exports of a method, read and checked."""
    folder = new_folder()
    try:
        stored = folder / "exported.safetensors"
        stored.write_bytes(_stored(project, number, method))
        return read_exported(stored)
    finally:
        forget_job(folder)


def export_run(
    project: Project,
    number: int,
    out: Path,
    card: CardText | None = None,
    *,
    method: MethodName = ADAPTED,
    overwrite: bool = False,
) -> Path:
    """Write what a run exports of a method to ``out`` (suffix added when missing), then read it back."""
    suffix = suffix_of(method)
    if out.is_dir():
        raise UserError(
            f"“{out.name}” is a folder.",
            remedy=f"Use a file name that ends in {suffix}.",
            code="not_writable",
        )
    target = out if out.name.endswith(suffix) else out.with_name(out.name + suffix)
    require_file(target, overwrite=overwrite)
    content = exported_of_run(project, number, method)
    write_adapter(target, _with_card(content, card or CardText()))
    # Read back at once: a file that the reader would refuse is found here, not by the person who gets it.
    read_exported(target)
    return target


def _stored(project: Project, number: int, method: MethodName) -> bytes:
    adapter, classifiers = project.run_adapter(number), project.run_classifiers(number)
    if method == ADAPTED:
        return adapter
    if method not in classifiers:
        raise UserError(
            f"Run {number} cannot export {METHOD_WORDS[method]}.",
            remedy=f"It can export {', '.join(exportable(project, number))}.",
            code="not_exported",
        )
    return classifiers[method]


def _with_card(content: Exported, text: CardText) -> Exported:
    fields: dict[str, Any] = {
        name: value for name in text.__dataclass_fields__ if (value := one_line(getattr(text, name)))
    }
    card = structs.replace(content.document.card, **fields)
    if isinstance(content, AdapterContent):
        return replace(content, document=structs.replace(content.document, card=card))
    return replace(content, document=structs.replace(content.document, card=card))
