"""Series put together by where their slices lie, with a flag for whatever is irregular."""

from clipsvd_app.imaging.series.assembly import Member, Series, Slice, assemble
from clipsvd_app.imaging.series.flags import BREAKS_VOLUME, Flag, FlagCode
from clipsvd_app.imaging.series.listing import Listing, list_series
from clipsvd_app.imaging.series.loading import LoadedSeries, load_series
from clipsvd_app.imaging.series.notes import note_flags
from clipsvd_app.imaging.series.placing import Axis, Placed, axis_of, place_slices

__all__ = [
    "BREAKS_VOLUME",
    "Axis",
    "Flag",
    "FlagCode",
    "Listing",
    "LoadedSeries",
    "Member",
    "Placed",
    "Series",
    "Slice",
    "assemble",
    "axis_of",
    "list_series",
    "load_series",
    "note_flags",
    "place_slices",
]
