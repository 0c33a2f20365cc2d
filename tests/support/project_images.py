"""Images of a project without a project."""

from __future__ import annotations

from clipsvd_app.domain.study import ProjectImage


def project_image(number: int, class_id: int | None = None) -> ProjectImage:
    return ProjectImage(
        id=number,
        patient_number=number,
        study_number=1,
        series_number=1,
        series_id=1,
        patient_key="",
        sha256="",
        path=f"{number}.png",
        frame=0,
        modality="",
        body_part="",
        rows=8,
        columns=8,
        burned_in_text=False,
        class_id=class_id,
        window=None,
        crop=None,
    )
