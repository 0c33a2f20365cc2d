"""From stored values to what the screen and the model see: windows, presets, LUTs, thumbnails."""
