"""Series put together by where their slices lie, with a flag for whatever is irregular."""

from clipsvd_app.imaging.series.assembly import Member, Series, Slice, assemble
from clipsvd_app.imaging.series.flags import Flag, FlagCode
from clipsvd_app.imaging.series.loading import LoadedSeries, load_series

__all__ = ["Flag", "FlagCode", "LoadedSeries", "Member", "Series", "Slice", "assemble", "load_series"]
