"""Taking a run away as one file: the sigma adapter with its card."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from clipsvd_app.adapter_file import read_adapter, write_adapter
from clipsvd_app.adapter_file.plain_text import one_line
from clipsvd_app.errors import UserError
from clipsvd_app.services.job_folders import forget_job, new_folder
from clipsvd_app.services.outputs import require_file

if TYPE_CHECKING:
    from pathlib import Path

    from clipsvd_app.adapter_file import AdapterContent
    from clipsvd_app.project import Project

SUFFIX = ".sigma.safetensors"


@dataclass(frozen=True, slots=True)
class CardText:
    """What the author may say of an adapter; empty fields keep what the run wrote."""

    intended_use: str = ""
    licence: str = ""
    contact: str = ""


def adapter_of_run(project: Project, number: int) -> AdapterContent:
    """Return the adapter of a run, read and checked."""
    folder = new_folder("read")
    try:
        stored = folder / "adapter.safetensors"
        stored.write_bytes(project.run_adapter(number))
        return read_adapter(stored)
    finally:
        forget_job(folder)


def export_run(
    project: Project, number: int, out: Path, card: CardText | None = None, *, overwrite: bool = False
) -> Path:
    """Write the adapter of a run to ``out`` (suffix added when missing), then read it back."""
    if out.is_dir():
        raise UserError(
            f"“{out.name}” is a folder.",
            remedy=f"Give the file a name that ends in {SUFFIX}.",
            code="not_writable",
        )
    target = out if out.name.endswith(SUFFIX) else out.with_name(out.name + SUFFIX)
    require_file(target, overwrite=overwrite)
    content = adapter_of_run(project, number)
    write_adapter(target, _with_card(content, card or CardText()))
    read_adapter(target)
    return target


def _with_card(content: AdapterContent, text: CardText) -> AdapterContent:
    fields: dict[str, Any] = {
        name: value for name in text.__dataclass_fields__ if (value := one_line(getattr(text, name)))
    }
    document = content.document
    return replace(content, document=replace(document, card=replace(document.card, **fields)))
