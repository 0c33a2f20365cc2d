"""Series put together by where their slices lie, with a flag for whatever is irregular."""

from clipsvd_app.imaging.series.assembly import Member, Series, Slice, assemble
from clipsvd_app.imaging.series.checks import faults as fault_flags
from clipsvd_app.imaging.series.flags import BREAKS_VOLUME, Flag, FlagCode
from clipsvd_app.imaging.series.listing import Listing, list_series
from clipsvd_app.imaging.series.notes import note_flags
from clipsvd_app.imaging.series.placing import Axis, Placed, axis_of, place_slices
from clipsvd_app.imaging.series.window import series_window, window_beside

__all__ = [
    "BREAKS_VOLUME",
    "Axis",
    "Flag",
    "FlagCode",
    "Listing",
    "Member",
    "Placed",
    "Series",
    "Slice",
    "assemble",
    "axis_of",
    "fault_flags",
    "list_series",
    "note_flags",
    "place_slices",
    "series_window",
    "window_beside",
]
