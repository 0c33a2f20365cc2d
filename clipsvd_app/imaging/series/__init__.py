"""Series put together by where their slices lie, with a flag for whatever is irregular."""

from clipsvd_app.imaging.series.assembly import Member, Series, Slice, assemble
from clipsvd_app.imaging.series.flags import Flag, FlagCode
from clipsvd_app.imaging.series.listing import Listing, list_series
from clipsvd_app.imaging.series.loading import LoadedSeries, load_series

__all__ = [
    "Flag",
    "FlagCode",
    "Listing",
    "LoadedSeries",
    "Member",
    "Series",
    "Slice",
    "assemble",
    "list_series",
    "load_series",
]
