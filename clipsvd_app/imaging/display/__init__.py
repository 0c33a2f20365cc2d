"""From stored values to display greys: windows, presets, LUTs."""
