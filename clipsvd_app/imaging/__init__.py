"""Reading, showing and finding medical images; the readers' libraries load on first use."""

from clipsvd_app.imaging.display.greys import greys_of, letterbox, rgb_of, to_display
from clipsvd_app.imaging.display.presets import window_from
from clipsvd_app.imaging.display.windows import CT_PRESETS, IDENTITY_8_BIT, apply_window
from clipsvd_app.imaging.facts import ImageFacts, image_facts
from clipsvd_app.imaging.files.discovery import Findings, find_files, look_through, natural_key
from clipsvd_app.imaging.files.hashes import average_hash, file_sha256, hash_distance, perceptual_hash
from clipsvd_app.imaging.files.known_hashes import is_hash_known, known_sha256, require_content
from clipsvd_app.imaging.files.left_out import LeftOut, quiet_words
from clipsvd_app.imaging.header_listing import HeaderRow, list_header
from clipsvd_app.imaging.opened import held
from clipsvd_app.imaging.reading import (
    PIXELS_VERSION,
    look_into,
    open_as_rgb,
    read_frame,
    read_header,
    read_object_header,
    read_overlays,
    read_stored,
)
from clipsvd_app.imaging.series.volume import Stack, read_stack
from clipsvd_app.imaging.signature import sniff
from clipsvd_app.imaging.thumbnails import thumbnail
from clipsvd_app.imaging.values import (
    UNLIMITED,
    Edges,
    Frame,
    FramePlace,
    HeaderFault,
    ImageHeader,
    Percentiles,
    Plane,
    ScaledRegion,
    ScaleLimits,
    VoiLut,
)

__all__ = [
    "CT_PRESETS",
    "IDENTITY_8_BIT",
    "PIXELS_VERSION",
    "UNLIMITED",
    "Edges",
    "Findings",
    "Frame",
    "FramePlace",
    "HeaderFault",
    "HeaderRow",
    "ImageFacts",
    "ImageHeader",
    "LeftOut",
    "Percentiles",
    "Plane",
    "ScaleLimits",
    "ScaledRegion",
    "Stack",
    "VoiLut",
    "apply_window",
    "average_hash",
    "file_sha256",
    "find_files",
    "greys_of",
    "hash_distance",
    "held",
    "image_facts",
    "is_hash_known",
    "known_sha256",
    "letterbox",
    "list_header",
    "look_into",
    "look_through",
    "natural_key",
    "open_as_rgb",
    "perceptual_hash",
    "quiet_words",
    "read_frame",
    "read_header",
    "read_object_header",
    "read_overlays",
    "read_stack",
    "read_stored",
    "require_content",
    "rgb_of",
    "sniff",
    "thumbnail",
    "to_display",
    "window_from",
]
